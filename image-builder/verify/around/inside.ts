import { randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { CheckFailure } from "../check.ts"
import { listenOnLoopback } from "./loopback.ts"

/** What a program on the machine said (both outputs), and how it ended. */
export interface Said {
  code: number
  output: string
}

/**
 * A way to run programs on the machine that needs nothing of the image but what its user has: one line typed into the
 * terminal fetches a script from here, which then asks for commands as root and brings back what they said.
 */
export interface Inside {
  port: number
  /** A new session; earlier ones are forgotten. `path` is what the line to type asks for. */
  open(): { path: string; greeting: Promise<string> }
  /** Runs a bash script as root, or as a user who has just logged in; one after the other. @throws after `limit` ms */
  run(script: string, options?: { as?: "root" | "user"; limit?: number }): Promise<Said>
  /** Hands a script over without waiting for what becomes of it. */
  send(script: string): void
  close(): Promise<void>
}

interface Command {
  id: string
  script: string
  done(said: Said): void
}

const UNIT = "foozol-checklist"

export async function startInside(hostFromInside: string): Promise<Inside> {
  let session = ""
  let greeted = (_text: string) => {}
  let waiting: Command[] = []
  let given = new Map<string, Command>()
  let asking: ServerResponse | null = null

  function handOut(): void {
    const next = asking === null ? undefined : waiting.shift()
    if (next === undefined) return
    given.set(next.id, next)
    asking?.end(`${next.id}\n${next.script}\n`)
    asking = null
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, asked, what = "", id = "", code = ""] = (request.url ?? "").split("/")
    if (asked !== session || session === "") return void response.writeHead(404).end()
    if (what === "") return void response.end(hello(`${hostFromInside}:${listening.port}/${session}`))
    if (what === "next") {
      asking = response
      response.once("close", () => {
        if (asking === response) asking = null
      })
      return handOut()
    }
    const text = await textOf(request)
    response.end()
    if (what === "hello") return greeted(text)
    const command = given.get(id)
    given.delete(id)
    command?.done({ code: Number(code), output: text })
  }
  const listening = await listenOnLoopback(server)

  const put = (script: string, done: (said: Said) => void) => {
    waiting.push({ id: randomBytes(6).toString("hex"), script, done })
    handOut()
  }
  return {
    port: listening.port,
    open: () => {
      // Short, since it is typed; long enough that nobody guesses it in a few minutes.
      session = randomBytes(5).toString("hex")
      waiting = []
      given = new Map()
      asking = null
      return {
        path: session,
        greeting: new Promise(resolve => {
          greeted = resolve
        }),
      }
    },
    send: script => put(script, () => {}),
    run: (script, { as = "root", limit = 120_000 } = {}) =>
      new Promise((resolve, reject) => {
        const late = () =>
          reject(
            new CheckFailure(
              `A command on the machine did not end within ${limit / 1000} s: ${script.trim().split("\n")[0]}`,
            ),
          )
        const timer = setTimeout(late, limit)
        put(as === "root" ? script : asUser(script), said => {
          clearTimeout(timer)
          resolve(said)
        })
      }),
    close: listening.close,
  }
}

/** A login shell reads the script, as it reads what a person types; the end is marked by a word of its own. */
const asUser = (script: string) => `runuser -l user <<'END-OF-CHECK'\n${script}\nEND-OF-CHECK`

/**
 * The script of the typed line. It tells who runs it, and then becomes a unit of its own: the terminal is free again,
 * and may be killed.
 */
const hello = (url: string) => `
{ id -un; id -u; ps -o tty= -p $$; echo "tmux=$TMUX"; pwd; sudo -n id -u 2>&1; } 2>&1 | curl -s --data-binary @- http://${url}/hello
cat > /tmp/${UNIT} <<'END'
umask 077
mkdir -p /run/${UNIT}
cd /run/${UNIT}
while curl -sf -o command http://${url}/next; do
  { read -r id; cat > script; } < command
  bash script > output 2>&1 < /dev/null
  curl -sf --data-binary @output "http://${url}/done/$id/$?"
done
END
sudo -n systemctl stop ${UNIT} 2> /dev/null
sudo -n systemd-run --quiet --collect --unit=${UNIT} bash /tmp/${UNIT}
`

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ""
  for await (const part of request.setEncoding("utf8")) text += part
  return text
}
