import { connect } from "node:net"
import { connect as connectTls } from "node:tls"
import type { Display } from "./display.ts"
import type { Run } from "./run.ts"

export interface Check {
  name: string
  ok: boolean
  detail: string
}

export interface CheckOptions {
  run: Run
  display: Display
  vnc: { host: string; port: number }
  https: { host: string; port: number } | null
  tmuxSocket: string
  /** Units of systemd that must be active; empty where there is no systemd. */
  units: string[]
  /** Whether the terminal's window is on the display; asked where there are units that make it. */
  terminalShown(): boolean
}

/** Units of a profile that must run before its workspace is of use. */
export const unitsOf = (profile: string) => [
  "foozol-wm.service",
  ...(profile === "browser" ? ["foozol-browser.service", "foozol-terminal.service"] : ["foozol-app.service"]),
]

/**
 * Asks every part of the desktop whether it answers; not whether it was started. The later questions start processes,
 * so they wait until the earlier ones are answered: a machine that is starting has better things to do.
 */
export async function runChecks(options: CheckOptions): Promise<Check[]> {
  const quick = [checkDisplay(options), checkVnc(options), ...checkWindow(options)]
  if (options.https) quick.push(checkHttps(options.https))
  const first = await Promise.all(quick)
  const units = options.units.map(nameOf)
  if (first.some(check => !check.ok))
    return [...first, ...["terminals", ...units].map(name => ({ name, ok: false, detail: "not asked yet" }))]
  const [terminals, ...others] = await Promise.all([checkTerminals(options), checkUnits(options)])
  return [...first, terminals, ...others.flat()]
}

/** How a unit is called in a report. */
const nameOf = (unit: string) => unit.replace(/^foozol-|\.service$/g, "")

export async function checkDisplay({ display }: Pick<CheckOptions, "display">): Promise<Check> {
  const size = await display.size()
  return { name: "display", ok: size !== null, detail: size ? `${size.width}x${size.height}` : "does not answer" }
}

/** Whoever is led to the desktop now finds something to work with; the browser takes its time. */
function checkWindow({ units, terminalShown }: CheckOptions): Promise<Check>[] {
  if (units.length === 0) return []
  const ok = terminalShown()
  return [Promise.resolve({ name: "window", ok, detail: ok ? "terminal" : "no terminal on the display" })]
}

async function checkTerminals({ run, tmuxSocket }: CheckOptions): Promise<Check> {
  const result = await run("tmux", ["-S", tmuxSocket, "list-sessions", "-F", "#{session_name}"])
  const sessions = result.stdout.trim().split("\n").join(", ")
  return { name: "terminals", ok: result.code === 0, detail: result.code === 0 ? sessions : result.stderr.trim() }
}

export function checkVnc({ vnc }: Pick<CheckOptions, "vnc">): Promise<Check> {
  return new Promise(resolve => {
    const socket = connect(vnc)
    const end = (ok: boolean, detail: string) => {
      socket.destroy()
      resolve({ name: "vnc", ok, detail })
    }
    socket.setTimeout(3_000, () => end(false, "does not answer"))
    socket.once("data", bytes => end(bytes.subarray(0, 4).toString() === "RFB ", bytes.toString("latin1", 0, 11)))
    socket.once("error", error => end(false, error.message))
    socket.once("close", () => end(false, "closed"))
  })
}

export function checkHttps(where: { host: string; port: number }): Promise<Check> {
  return new Promise(resolve => {
    // Whether the certificate is good is the browser's question; here it counts that something answers.
    const socket = connectTls({ ...where, rejectUnauthorized: false })
    const end = (ok: boolean, detail: string) => {
      socket.destroy()
      resolve({ name: "https", ok, detail })
    }
    socket.setTimeout(3_000, () => end(false, "does not answer"))
    socket.once("secureConnect", () => end(true, socket.getProtocol() ?? "TLS"))
    socket.once("error", error => end(false, error.message))
    socket.once("close", () => end(false, "closed"))
  })
}

export async function checkUnits({ run, units }: Pick<CheckOptions, "run" | "units">): Promise<Check[]> {
  if (units.length === 0) return []
  const result = await run("systemctl", ["is-active", ...units])
  const states = result.stdout.split("\n")
  return units.map((unit, index) => {
    const detail = states[index] || "unknown"
    return { name: nameOf(unit), ok: detail === "active", detail }
  })
}
