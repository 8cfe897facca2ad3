import { once } from "node:events"
import { request } from "node:https"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import WebSocket from "ws"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import type { CuttableProxy } from "./cuttable-proxy.ts"
import { startMachineNginx } from "./machine-nginx.ts"
import { cookieOf, type TestService } from "./service.ts"
import { startTestAgent } from "./test-agent.ts"
import type { Visitor } from "./visitor.ts"
import { waitUntil } from "./wait-until.ts"

/** A VNC server says something so often, ms: what ends is seen to end. */
const PICTURE_MS = 50

/** An open stream, as a viewer has it. */
export interface OpenStream {
  /** Resolves with the moment it was closed, or the last byte came, whichever was later; ms since 1970. */
  ended: Promise<number>
  isOpen(): boolean
  close(): void
}

/** The front of a workspace's machine: its NGINX and its agent, before a desktop that never stands still. */
export interface DeskFront {
  /** Enters as a browser does that is signed in, and opens a stream. */
  open(who: Visitor): Promise<OpenStream>
  close(): Promise<void>
}

/** @param service the way from the machine to the service */
export async function startDeskFront(test: TestService, workspace: string, service: CuttableProxy): Promise<DeskFront> {
  const desktop = createServer(socket => {
    socket.write("RFB 003.008\n")
    const timer = setInterval(() => socket.write(Buffer.alloc(1_000)), PICTURE_MS)
    socket.on("close", () => clearInterval(timer)).on("error", () => {})
  })
  await new Promise<void>(resolve => desktop.listen(0, "127.0.0.1", resolve))
  const host = `${workspace}.desk.example`
  const key = workspaceKey(test.service.services.keys, workspace)
  const agent = await startTestAgent({
    config: {
      ...{ workspace, service: service.url, workspaceKey: key },
      vnc: { host: "127.0.0.1", port: (desktop.address() as AddressInfo).port },
    },
    // As on a machine.
    times: { recheckMs: 10_000, heartbeatMs: 15_000 },
  })
  await waitUntil("the agent follows the service", () => agent.logged.includes("settings are in force"))
  const nginx = await startMachineNginx({ host, service: service.url, workspaceKey: key, socket: agent.config.socket })

  const enter = (ticket: string) =>
    new Promise<string>((resolve, reject) => {
      const at = { host: "127.0.0.1", port: nginx.port, servername: host, rejectUnauthorized: false, agent: false }
      request({ ...at, path: `/enter?ticket=${ticket}`, headers: { host } }, answer => {
        answer.resume()
        const token = /^__Host-foozol=([^;]+)/.exec(answer.headers["set-cookie"]?.[0] ?? "")?.[1]
        if (token) resolve(token)
        else reject(new Error(`Entering was answered ${answer.statusCode}.`))
      })
        .on("error", reject)
        .end()
    })

  return {
    async open(who) {
      const connect = `${test.url}/connect?workspace=${workspace}`
      const answer = await fetch(connect, { headers: { cookie: cookieOf(who) }, redirect: "manual" })
      const ticket = new URL(answer.headers.get("location") ?? "", test.url).searchParams.get("ticket")
      if (!ticket) throw new Error(`/connect was answered ${answer.status}.`)
      const socket = new WebSocket(`wss://127.0.0.1:${nginx.port}/vnc`, "binary", {
        headers: { host, origin: `https://${host}`, cookie: `__Host-foozol=${await enter(ticket)}` },
        rejectUnauthorized: false,
        perMessageDeflate: false,
      })
      let last = 0
      socket.on("message", () => {
        last = Date.now()
      })
      const ended = new Promise<number>(resolve => socket.on("close", () => resolve(Math.max(Date.now(), last))))
      await once(socket, "message")
      socket.on("error", () => {})
      return { ended, isOpen: () => socket.readyState === socket.OPEN, close: () => socket.terminate() }
    },
    async close() {
      await nginx.close()
      await agent.close()
      desktop.close()
    },
  }
}
