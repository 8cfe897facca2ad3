import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { listenOnLoopback } from "./loopback.ts"

/** A colour that is nowhere else on a desktop: the button is found by it. */
export const BUTTON_COLOUR = 0xd4145a
/** What the whole page becomes when the button was pressed. */
export const PRESSED_COLOUR = 0x14d48e

export interface Visit {
  path: string
  userAgent: string
  /** Whether it came through the checklist's proxy. */
  byProxy: boolean
}

/** A small site: every path is a page with one large button, which asks for `PATH/pressed` when it is pressed. */
export interface Site {
  port: number
  visits: Visit[]
  /** A path that nobody has asked for yet. */
  newPath(): string
  /** The answer to a path, for whoever else serves this site. */
  answer(visit: Visit): string
  close(): Promise<void>
}

const css = (colour: number) => `#${colour.toString(16).padStart(6, "0")}`

export async function startSite(): Promise<Site> {
  const visits: Visit[] = []
  const answer = (visit: Visit) => {
    visits.push(visit)
    return visit.path.endsWith("/pressed") ? `pressed ${visit.path}` : page(visit.path)
  }
  const server = createServer((request, response) => {
    const visit = { path: request.url ?? "/", userAgent: request.headers["user-agent"] ?? "", byProxy: false }
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" })
    response.end(answer(visit))
  })
  const { port, close } = await listenOnLoopback(server)
  return { port, visits, answer, close, newPath: () => `/${randomBytes(5).toString("hex")}` }
}

const page = (path: string) => `<!doctype html>
<meta charset="utf-8"><title>checked</title>
<link rel="icon" href="data:,">
<style>
  body { margin: 0; height: 100vh; display: grid; place-items: center; background: #ffffff }
  button { width: 50vw; height: 40vh; border: 0; background: ${css(BUTTON_COLOUR)} }
</style>
<button></button>
<p>${path}</p>
<script>
  document.querySelector("button").onclick = async () => {
    await fetch(location.pathname + "/pressed")
    document.body.innerHTML = ""
    document.body.style.background = "${css(PRESSED_COLOUR)}"
  }
</script>`
