import { readFile } from "node:fs/promises"

const [ESTABLISHED, LISTENING] = ["01", "0A"]
/** An IPv4 address as a socket of IPv6 shows it. */
const MAPPED = /^0000000000000000FFFF0000(?=[0-9A-F]{8}$)/
const LOOPBACK = /^(.{6}7F|0{24}01000000)$/

/** A line of /proc/net/tcp or tcp6. */
export interface SocketRow {
  /** ADDRESS:PORT in hexadecimal, IPv4 in its short form. */
  local: string
  remote: string
  state: string
  uid: number
  inode: string
}

const plain = (address: string) => {
  const [host = "", port = ""] = address.split(":")
  return `${host.replace(MAPPED, "")}:${port}`
}

/** @param text of /proc/net/tcp or tcp6 */
export function socketRows(text: string): SocketRow[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap(line => {
      const [, local = "", remote = "", state = "", , , , uid = "", , inode = ""] = line.trim().split(/\s+/)
      return uid === "" ? [] : [{ local: plain(local), remote: plain(remote), state, uid: Number(uid), inode }]
    })
}

/**
 * How many connections somebody from outside has to servers of the workspace's user on loopback: those whose other
 * end belongs to NGINX or the agent. What the user's own programs have among themselves says nothing.
 * @param texts of /proc/net/tcp and tcp6
 * @param except ports that are no web pages, such as the one of the VNC server
 */
export function countWebUis(texts: string[], user: number, except: number[]): number {
  const all = texts.flatMap(socketRows)
  const portOf = (address: string) => Number.parseInt(address.split(":")[1] ?? "", 16)
  const served = new Set(all.filter(one => one.state === LISTENING && one.uid === user).map(one => portOf(one.local)))
  const owners = new Map(
    all.filter(one => one.state === ESTABLISHED).map(one => [`${one.local} ${one.remote}`, one.uid]),
  )
  return all.filter(({ local, remote, state, uid }) => {
    if (state !== ESTABLISHED || uid !== user || !LOOPBACK.test(local.split(":")[0] ?? "")) return false
    if (!served.has(portOf(local)) || except.includes(portOf(local))) return false
    const other = owners.get(`${remote} ${local}`)
    return other !== undefined && other !== user
  }).length
}

export async function webUis(user: number | undefined, except: number[], proc = "/proc"): Promise<number> {
  if (user === undefined) return 0
  const texts = await Promise.all(["tcp", "tcp6"].map(name => readFile(`${proc}/net/${name}`, "utf8").catch(() => "")))
  return countWebUis(texts, user, except)
}
