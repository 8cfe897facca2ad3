import { readFileSync } from "node:fs"
import type { MachineConfig } from "../contract.ts"

/** One port of this host that leads into a machine. */
export interface Forward {
  protocol: "tcp" | "udp"
  address: string
  hostPort: number
  guestPort: number
}

const bindServiceCapability = 10n
const shift = 10_000

/** The lowest port that this process, and so each machine it starts, may listen on. */
export function lowestBindablePort(): number {
  try {
    const capabilities = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]
    if (((BigInt(`0x${capabilities ?? "0"}`) >> bindServiceCapability) & 1n) === 1n) return 0
    return Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"))
  } catch {
    return 1024
  }
}

/**
 * The port of this host, at the machine's address, behind which the machine's `port` is found.
 * They are the same unless this process may not listen on low ports: then 443 is found at 10443.
 */
export function hostPort(port: number, lowest: number = lowestBindablePort()): number {
  return port < lowest ? port + shift : port
}

/** All forwards a machine should have; none without an address. */
export function wantedForwards(config: Pick<MachineConfig, "ipv4" | "ports">, lowest: number): Forward[] {
  const address = config.ipv4
  if (address === null) return []
  return config.ports.map(({ protocol, port }) => ({
    protocol,
    address,
    hostPort: hostPort(port, lowest),
    guestPort: port,
  }))
}

/** The forward in QEMU's notation, for the command line and for `hostfwd_add`. */
export function forwardRule(forward: Forward): string {
  return `${forward.protocol}:${forward.address}:${forward.hostPort}-:${forward.guestPort}`
}

/** The forward as `hostfwd_remove` wants it: only the side of this host. */
export function forwardSource(forward: Forward): string {
  return `${forward.protocol}:${forward.address}:${forward.hostPort}`
}

/** Reads the forwards that exist out of what QEMU's `info usernet` prints. */
export function parseForwards(usernet: string): Forward[] {
  const line = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)/gm
  return Array.from(usernet.matchAll(line), ([, protocol, address = "", from, to]) => ({
    protocol: protocol === "UDP" ? "udp" : "tcp",
    address,
    hostPort: Number(from),
    guestPort: Number(to),
  }))
}

/** What to remove and what to add so that exactly the wanted forwards exist. */
export function forwardChanges(existing: Forward[], wanted: Forward[]): { remove: Forward[]; add: Forward[] } {
  const has = (list: Forward[], forward: Forward) => list.some(other => forwardRule(other) === forwardRule(forward))
  return {
    remove: existing.filter(forward => !has(wanted, forward)),
    add: wanted.filter(forward => !has(existing, forward)),
  }
}
