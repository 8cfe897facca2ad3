import { readFile } from "node:fs/promises"
import { type SocketRow, socketRows } from "../signals/web-uis.ts"

/** A server of the workspace's user that this machine's own programs can reach. */
export interface Listener {
  port: number
  /** The loopback address it answers at. */
  host: "127.0.0.1" | "::1"
  /** Number of its socket: another one, another server. */
  inode: string
}

/** Below it, servers are the system's. */
export const LEAST_PORT = 1024
/** VNC and its WebSocket, the forwarding proxy, and where programs are debugged: whoever reaches those has the desktop. */
const NEVER = new Set([5900, 6080, 3128, 9222, 9229])
const LISTENING = "0A"
const HOSTS: Record<string, Listener["host"]> = {
  "0100007F": "127.0.0.1",
  "00000000": "127.0.0.1",
  [`${"0".repeat(24)}01000000`]: "::1",
  ["0".repeat(32)]: "::1",
}

/** May a port be shown at all, whoever listens there? */
export const isPort = (port: number): boolean =>
  Number.isInteger(port) && port >= LEAST_PORT && port <= 65_535 && !NEVER.has(port)

/**
 * The servers of a user that listen on loopback or everywhere, by port; IPv4 before IPv6.
 * @param texts of /proc/net/tcp and tcp6
 * @param except further ports that are none of the user's
 */
export function listenersIn(texts: string[], user: number, except: readonly number[] = []): Listener[] {
  const found = new Map<number, Listener>()
  for (const { local, state, uid, inode } of texts.flatMap<SocketRow>(socketRows)) {
    if (state !== LISTENING || uid !== user) continue
    const [address = "", hex = ""] = local.split(":")
    const [host, port] = [HOSTS[address], Number.parseInt(hex, 16)]
    if (host === undefined || !isPort(port) || except.includes(port)) continue
    if (found.get(port)?.host !== "127.0.0.1") found.set(port, { port, host, inode })
  }
  return [...found.values()].sort((one, other) => one.port - other.port)
}

/** Those that listen now; none where nobody is the user. */
export async function readListeners(
  user: number | undefined,
  except: readonly number[],
  proc = "/proc",
): Promise<Listener[]> {
  if (user === undefined) return []
  const texts = await Promise.all(["tcp", "tcp6"].map(name => readFile(`${proc}/net/${name}`, "utf8").catch(() => "")))
  return listenersIn(texts, user, except)
}
