import type { ServerResponse } from "node:http"
import { hashToken } from "./admission.ts"
import { formatEvent } from "./service/sse.ts"

export interface ViewerEvents {
  /** Takes a response over and keeps it open. */
  add(response: ServerResponse, token: string): void
  /**
   * Tells every page that is open; pages that open later hear of a warning too, until something else is told.
   * @param data what goes with it, made anew for each page that opens later
   */
  tell(type: "sleeping" | "warning" | "stay" | "copied", data?: () => object): void
  /** Tells the pages of a token, or of all, that they were signed out, and lets them go. */
  signOut(tokenHash: string | null): void
  close(): void
}

/** A page that does not read what it is told is let go, rather than remembered for. */
const MAX_WAITING = 64 * 1024
const MAX_PAGES = 200

/** What the agent tells the pages that show this workspace (Server-Sent Events). */
export function createViewerEvents(options: { pingMs?: number } = {}): ViewerEvents {
  const pages = new Map<ServerResponse, string>()
  let warning: (() => object) | null = null
  const send = (response: ServerResponse, text: string) => {
    response.write(text)
    if (response.writableLength > MAX_WAITING) response.destroy()
  }
  const pinging = setInterval(() => {
    for (const response of pages.keys()) send(response, ": still here\n\n")
  }, options.pingMs ?? 20_000)

  return {
    add: (response, token) => {
      if (pages.size >= MAX_PAGES) {
        response.writeHead(503).end()
        return
      }
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      })
      response.write("retry: 3000\n\n")
      if (warning) response.write(formatEvent("warning", { type: "warning", ...warning() }))
      pages.set(response, hashToken(token))
      response.on("close", () => pages.delete(response))
      response.on("error", () => pages.delete(response))
    },
    tell: (type, data = () => ({})) => {
      // That something was copied changes nothing about a stop.
      if (type !== "copied") warning = type === "warning" ? data : null
      const text = formatEvent(type, { type, ...data() })
      for (const response of pages.keys()) send(response, text)
    },
    signOut: tokenHash => {
      for (const [response, hash] of pages) {
        if (tokenHash === null || hash === tokenHash) response.end(formatEvent("signed-out", { type: "signed-out" }))
      }
    },
    close: () => {
      clearInterval(pinging)
      for (const response of pages.keys()) response.end()
    },
  }
}
