/**
 * Files of the home, to and from browsers. systemd starts it as the workspace's user when the agent connects for the
 * first time, and again after it has ended because nobody did for a while.
 */
import { existsSync, rmSync } from "node:fs"
import { createFileServer } from "./server.ts"

const GIB = 2 ** 30
/** So long it stays without a connection, in ms. */
const IDLE_MS = 60_000
const TIDY_MS = 3_600_000
/** What has arrived of an upload waits so long for the rest. */
const KEEP_MS = 3 * 86_400_000
/** The first descriptor that systemd hands over. */
const HANDED_OVER = 3

/** Gibibytes of one file, FOOZOL_UPLOAD_GIB of /etc/foozol/agent.env. */
function most(given: string | undefined): number {
  const gib = Number(given || 100)
  if (gib > 0) return Math.round(gib * GIB)
  throw new Error("FOOZOL_UPLOAD_GIB must be a number above 0, such as 20")
}

const warn = (text: string) => process.stderr.write(`<4>${text}\n`)
const { server, tidy } = createFileServer({
  home: process.env.HOME ?? "/home/user",
  limits: {
    most: most(process.env.FOOZOL_UPLOAD_GIB),
    // The workspace itself must go on: logs, its tmux, the programs of its user.
    reserve: total => Math.min(GIB, total / 20),
    keepMs: KEEP_MS,
  },
  warn,
})

let connections = 0
let idle = setTimeout(end, IDLE_MS)
server.on("connection", socket => {
  connections++
  clearTimeout(idle)
  socket.once("close", () => {
    if (--connections === 0) idle = setTimeout(end, IDLE_MS)
  })
})

/** Whoever connects from now on waits in systemd's socket, which starts the next one. */
function end(): void {
  server.close(() => process.exit(0))
}
process.once("SIGTERM", () => {
  server.closeAllConnections()
  end()
})

const tidyNow = () => void tidy().catch(error => warn(`uploads that were left: ${error}`))
setInterval(tidyNow, TIDY_MS).unref()
tidyNow()

// By systemd's hand; a path is for tests.
const path = process.env.FOOZOL_FILES_SOCKET
if (path === undefined) server.listen({ fd: HANDED_OVER })
else {
  if (existsSync(path)) rmSync(path)
  server.listen(path)
}
