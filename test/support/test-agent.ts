import { createHash } from "node:crypto"
import { once } from "node:events"
import { request } from "node:http"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { join } from "node:path"
import WebSocket from "ws"
import { type AgentOptions, startAgent, type WorkspaceAgent } from "../../image-builder/agent/agent.ts"
import type { AgentConfig } from "../../image-builder/agent/config.ts"
import { run } from "../../image-builder/agent/run.ts"
import { type StandInService, startStandInService } from "./stand-in-service.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { waitUntil } from "./wait-until.ts"

export interface TestAgent {
  agent: WorkspaceAgent
  service: StandInService
  config: AgentConfig
  /** Connections the VNC server has; the newest is the last. */
  vnc: Socket[]
  /** What the agent logged. */
  logged: string[]
  /** Opens a viewer that has been let in. */
  viewer(token: string): Promise<WebSocket>
  /** HTTP status a viewer is refused with. */
  refusal(headers: Record<string, string>): Promise<number>
  /** One request to the agent's own paths. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  close(): Promise<void>
}

/** The agent as it runs on a machine, with a VNC server that only greets and the stand-in of a service. */
export async function startTestAgent(
  given: {
    times?: AgentOptions["times"]
    onVnc?: (socket: Socket) => void
    config?: Partial<AgentConfig>
    /** Hears of every program that would be run. */
    onRun?: (program: string, args: string[]) => void
    /** The socket of a tmux that really runs: what is asked of tmux goes there. */
    realTmux?: string
    /** What the service says at every connection, besides an empty word. */
    settings?: object
    /** Runs what is the user's. */
    asUser?: NonNullable<AgentOptions["asUser"]>
    /** Keeps the machine's memory while it sleeps. */
    memory?: NonNullable<AgentOptions["memory"]>
  } = {},
): Promise<TestAgent> {
  const directory = await temporaryDirectory()
  const service = await startStandInService()
  service.settings = given.settings ?? {}
  const vnc: Socket[] = []
  const logged: string[] = []
  // The agent's own checks look at the VNC server too; a server of a test's own is for viewers alone.
  let settled = false
  const server = createServer(socket => {
    vnc.push(socket)
    socket.on("error", () => {})
    socket.on("close", () => vnc.splice(vnc.indexOf(socket), 1))
    if (settled && given.onVnc) given.onVnc(socket)
    else socket.write("RFB 003.008\n")
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const config: AgentConfig = {
    workspace: "blue-otter",
    profile: "browser",
    service: service.url,
    entry: "https://cloud.example/connect?workspace=blue-otter",
    sessionId: "blue-otter",
    workspaceKey: service.key,
    socket: join(directory.path, "agent.sock"),
    portsSocket: join(directory.path, "ports.sock"),
    socketGid: undefined,
    runtimeDirectory: directory.path,
    userGid: undefined,
    userUid: undefined,
    home: directory.path,
    busyCpu: 0.1,
    vnc: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    https: null,
    display: { setSize: "set-size", socket: join(directory.path, "no-display") },
    tmuxSocket: given.realTmux ?? join(directory.path, "tmux"),
    filesSocket: join(directory.path, "files.sock"),
    units: [],
    workDirectories: [directory.path],
    bootId: "boot",
    isTrial: false,
    manifest: join(directory.path, "manifest.json"),
    fetchRepository: "fetch-repository",
    homeBackup: { program: "restic", folder: join(directory.path, "home-backup") },
    devContainer: "devcontainer",
    userRuntimeDirectory: directory.path,
    agents: { window: "agent-window", path: [] },
    certificate: null,
    versions: { agent: "1" },
    ...given.config,
  }
  let size = { width: 1920, height: 1080 }
  const answer: AgentOptions["run"] = async (program, args) => {
    given.onRun?.(program, args)
    const [width, height] = args
    if (program === "tmux" && given.realTmux !== undefined) return run(program, args)
    if (program === "set-size") size = { width: Number(width), height: Number(height) }
    return { code: 0, stdout: "", stderr: "" }
  }
  const say = (text: string) => {
    logged.push(text)
    if (process.env.VERBOSE) console.log(text)
  }
  const log = { info: say, warn: say }
  const backoff = { first: 20, most: 100 }
  const times = { heartbeatMs: given.onVnc ? 3_600_000 : 50, recheckMs: 50, readinessMs: 20, backoff, ...given.times }
  const asUser = given.asUser ?? (async () => -1)
  const memory = given.memory && {
    memory: given.memory,
    readAgain: (program: string, args: string[]) => answer(program, args),
  }
  const agent = await startAgent({ config, run: answer, log, times, asUser, askSize: async () => size, ...memory })
  if (config.service === service.url) await waitUntil("the agent follows the service", () => service.listeners() > 0)
  if (given.onVnc) await waitUntil("the checks are over", () => service.reports.length > 0 && vnc.length === 0)
  settled = true

  const url = `ws+unix:${config.socket}:/vnc`
  const open = (headers: Record<string, string>) => new WebSocket(url, "binary", { headers, perMessageDeflate: false })
  return {
    agent,
    service,
    config,
    vnc,
    logged,
    viewer: async token => {
      const socket = open({ "x-foozol-token": token })
      socket.on("error", () => {})
      await once(socket, "open")
      return socket
    },
    refusal: headers =>
      new Promise((resolve, reject) => {
        const socket = open(headers)
        socket.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0))
        socket.on("open", () => reject(new Error("it was let in")))
        socket.on("error", () => {})
      }),
    ask: (method, path, body) =>
      new Promise((resolve, reject) => {
        const call = request({ socketPath: config.socket, method, path }, response => {
          let text = ""
          response.setEncoding("utf8").on("data", part => {
            text += part
          })
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text ? JSON.parse(text) : null }))
        })
        call.on("error", reject)
        call.end(body === undefined ? undefined : JSON.stringify(body))
      }),
    close: async () => {
      await agent.close()
      for (const socket of [...vnc]) socket.destroy()
      server.close()
      await service.close()
      await directory.remove()
    },
  }
}

/** A token's name in what the service pushes. */
export const tokenHash = (token: string) => createHash("sha256").update(token).digest("hex")
