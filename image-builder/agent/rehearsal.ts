import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { startAgent } from "./agent.ts"
import { nobodysConfig } from "./config.ts"
import type { Log } from "./log.ts"
import { practisePicture } from "./practice-picture.ts"
import type { Run } from "./run.ts"
import { openXServer } from "./windows/x11.ts"

/** The operator's app, which begins on machines that are somebody's only: it may make ids of its own. */
const APP = "/opt/foozol-app/run"
const LOOK_MS = 300
/** So long the desktop may take to come up, on an emulated machine beside many others. */
const UP_LIMIT_MS = 300_000
/** A desktop on which no program has anything left to do: this share of its processors idle, in so many looks in a row. */
const CALM = { share: 0.85, everyMs: 1_000, looks: 4, limitMs: 120_000 }
const silent: Log = { info: () => {}, warn: () => {} }

/**
 * Does once what the agent will do as soon as the machine is somebody's, with a service that knows nobody: so its
 * program is compiled, and the windows are in their places, in the memory that copies begin with. Resolves when the
 * desktop stands and has come to rest.
 * @param withPicture the VNC server draws it too
 * @throws when the desktop does not come up
 */
export async function rehearse(run: Run, withPicture = false): Promise<void> {
  const service = createServer((_request, response) => response.writeHead(404).end("{}")).listen(0, "127.0.0.1")
  await new Promise((resolve, reject) => service.once("listening", resolve).once("error", reject))
  const config = await nobodysConfig(`http://127.0.0.1:${(service.address() as AddressInfo).port}`)
  const agent = await startAgent({ config, run, log: silent })
  try {
    const end = performance.now() + UP_LIMIT_MS
    while (!(await isUp(config.socket))) {
      if (performance.now() > end) throw new Error("the desktop does not come up")
      await sleep(LOOK_MS)
    }
    await ask(config.socket, "/vnc", { connection: "upgrade", upgrade: "websocket" })
    if (withPicture) await practisePicture(config.vnc)
    await calm()
  } finally {
    await agent.close()
    service.close()
    service.closeAllConnections()
  }
}

/** Does the display answer, and are the windows on it that stand there when a machine begins? */
async function isUp(socketPath: string): Promise<boolean> {
  const status = (await ask(socketPath, "/agent/status")) as { checks?: { name: string; ok: boolean }[] } | null
  if (!status?.checks?.some(check => check.name === "vnc" && check.ok)) return false
  const server = await openXServer("/tmp/.X11-unix/X99").catch(() => null)
  if (server === null) return false
  const windows = await server.numbers(server.root, "_NET_CLIENT_LIST").catch(() => [])
  server.close()
  return windows.length >= (existsSync(APP) ? 1 : 2)
}

/** What the agent answers; null where that is nothing to read. */
function ask(socketPath: string, path: string, headers: Record<string, string> = {}): Promise<unknown> {
  return new Promise(resolve => {
    const asked = request({ socketPath, path, headers, agent: false }, response => {
      let text = ""
      response.setEncoding("utf8").on("data", part => (text += part))
      response.on("close", () => {
        try {
          resolve(JSON.parse(text))
        } catch {
          resolve(null)
        }
      })
    })
    asked.on("error", () => resolve(null))
    asked.end()
  })
}

/** Waits until what was started has nothing left to do, or for as long as that may take. */
async function calm(): Promise<void> {
  const end = performance.now() + CALM.limitMs
  let before = await processors()
  for (let looks = 0; looks < CALM.looks && performance.now() < end; ) {
    await sleep(CALM.everyMs)
    const now = await processors()
    looks = (now.idle - before.idle) / Math.max(1, now.all - before.all) >= CALM.share ? looks + 1 : 0
    before = now
  }
}

/** Time of all processors since the start, in ticks (proc(5): the fourth and fifth number are those of rest). */
async function processors(): Promise<{ idle: number; all: number }> {
  const [first = ""] = (await readFile("/proc/stat", "utf8")).split("\n")
  const ticks = first.split(/\s+/).slice(1, 9).map(Number)
  return { idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), all: ticks.reduce((sum, one) => sum + one, 0) }
}
