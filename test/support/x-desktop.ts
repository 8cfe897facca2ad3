import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import { waitUntil } from "./wait-until.ts"

const PROGRAMS = ["Xvfb", "x11vnc", "xterm", "xclip"]

/** The programs of a desktop that this system lacks. */
export function missingDesktopPrograms(): string[] {
  return PROGRAMS.filter(name => {
    try {
      execFileSync("which", [name], { stdio: "ignore" })
      return false
    } catch {
      return true
    }
  })
}

/** A real desktop on loopback: an X server on a free display, a terminal that fills it, and x11vnc. */
export async function startXDesktop(directory: string, port: number) {
  const children: ChildProcess[] = []
  const start = (command: string, args: string[], env: NodeJS.ProcessEnv = process.env) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "ignore", "pipe"], cwd: directory, env })
    child.on("error", () => {})
    children.push(child)
    return child
  }
  const stop = () => {
    for (const child of children.reverse()) child.kill("SIGKILL")
  }
  try {
    // The server itself picks the display and writes its number when it is ready.
    const server = start("Xvfb", ["-displayfd", "3", "-screen", "0", "800x600x24", "-nolisten", "tcp"])
    const [number] = await once(server.stdio[3] as NodeJS.ReadableStream, "data", {
      signal: AbortSignal.timeout(180_000),
    })
    const display = `:${String(number).trim()}`
    const env = { ...process.env, DISPLAY: display, PS1: "$ " }
    start("xterm", ["-geometry", "130x45+0+0", "-bg", "#10323a", "-e", "sh"], env)
    const vnc = ["-display", display, "-localhost", "-rfbport", String(port), "-nopw", "-forever", "-shared"]
    start("x11vnc", [...vnc, "-noipv6", "-nolookup", "-quiet"], env)
    await waitUntil("x11vnc listens", () => listens(port))
    return { display, stop }
  } catch (error) {
    stop()
    throw error
  }
}

const listens = (port: number) =>
  new Promise<boolean>(resolve => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })
