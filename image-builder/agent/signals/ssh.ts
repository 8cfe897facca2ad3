import { readFile } from "node:fs/promises"

const ESTABLISHED = "01"

/** Established connections to a local port in the text of /proc/net/tcp or tcp6. */
export function countConnections(text: string, port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0")
  return text
    .split("\n")
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields[3] === ESTABLISHED && fields[1]?.endsWith(`:${wanted}`)).length
}

/** How many people are on this machine over SSH now. */
export async function sshConnections(proc = "/proc", port = 22): Promise<number> {
  const texts = await Promise.all(["tcp", "tcp6"].map(name => readFile(`${proc}/net/${name}`, "utf8").catch(() => "")))
  return texts.reduce((sum, text) => sum + countConnections(text, port), 0)
}
