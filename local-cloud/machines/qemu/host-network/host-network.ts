import { spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { once } from "node:events"
import { accessSync, constants, readFileSync } from "node:fs"
import { type AddressInfo, connect, createServer, type Server } from "node:net"
import { pipeline } from "node:stream"
import { StartError } from "../../../errors.ts"
import { isOwn, type OwnAddresses } from "../../../own-addresses.ts"
import type { MachineConfig } from "../../contract.ts"
import { createInTurn } from "../in-turn.ts"
import { macAddress } from "../qemu-arguments.ts"
import { run } from "../run.ts"
import { dhcpAnswer } from "./dhcp.ts"
import { GATEWAY, GATEWAY_V6, type Guest, hostOf, interfaceOf } from "./plan.ts"
import { ruleset, tableOf } from "./ruleset.ts"

/** The host's network, where machines have addresses of their own: an interface, routes and rules for each that is on. */
export interface HostNetwork {
  /** Finds out whether all this can be done here. Throws StartError that says what to do. */
  open(): Promise<void>
  /** Connects a machine that is about to start or runs already, or applies its changed firewalls. */
  attach(config: MachineConfig, metadataSocket: string): Promise<void>
  /** Takes a machine that is off away. No-op when it is not there. */
  detach(id: number): Promise<void>
  /** Removes the interfaces of all but these machines: what an earlier process has left. */
  keepOnly(ids: number[]): Promise<void>
  interfaceOf(id: number): string
  /** Ends DHCP and metadata; interfaces and rules stay, for machines that go on running. */
  close(): Promise<void>
}

/** Connections to its metadata that a machine may have at a time. */
const MOST_CONNECTIONS = 32

/** Makes it; nothing is touched before `open`. */
export function createHostNetwork(own: OwnAddresses): HostNetwork {
  const guests = new Map<number, Guest & { metadata: Server }>()
  const inTurn = createInTurn()
  const udp = createSocket("udp4")
  const tap = (id: number) => interfaceOf(own.interfaces, id)
  const rules = () =>
    feed(
      "nft",
      ["-f", "-"],
      ruleset(
        [...guests.values()].sort((a, b) => a.id - b.id),
        own,
      ),
    )

  const answerOn = async (verb: "replace" | "del", guest: Guest) => {
    if (own.answerOn === null) return
    const addresses = [guest.ipv4, guest.ipv6 && hostOf(guest.ipv6)].filter(address => address !== null)
    for (const address of addresses) {
      const done = run("ip", ["neighbor", verb, "proxy", address, "dev", own.answerOn])
      await (verb === "del" ? done.catch(() => {}) : done)
    }
  }

  /** Interface, addresses and routes; each command may be repeated. */
  const plugIn = async (guest: Guest): Promise<void> => {
    const name = tap(guest.id)
    const isThere = await run("ip", ["link", "show", name]).then(
      () => true,
      () => false,
    )
    if (!isThere) {
      const user = String(process.getuid?.() ?? 0)
      await run("ip", ["tuntap", "add", "dev", name, "mode", "tap", "user", user])
    }
    await run("ip", ["link", "set", name, "mtu", String(own.mtu), "up"])
    if (guest.ipv4 !== null) {
      await run("ip", ["route", "replace", `${guest.ipv4}/32`, "dev", name, "src", GATEWAY])
      // Known beforehand: so answers reach it before it has its address, and nobody can claim it.
      await run("ip", ["neighbor", "replace", guest.ipv4, "lladdr", guest.mac, "nud", "permanent", "dev", name])
    }
    if (guest.ipv6 !== null) {
      await run("ip", ["-6", "address", "replace", `${GATEWAY_V6}/64`, "dev", name, "nodad"])
      await run("ip", ["-6", "route", "replace", guest.ipv6, "dev", name])
    }
    await answerOn("replace", guest)
  }

  return {
    interfaceOf: tap,
    open: async () => {
      for (const program of ["ip", "nft"]) {
        await run(program, ["-V"]).catch(() => {
          throw new StartError(
            `Machines with addresses of their own need the program ${program}: install iproute2 and nftables.`,
          )
        })
      }
      forwards("net/ipv4/ip_forward", "net.ipv4.ip_forward")
      if (own.ipv6 !== null) forwards("net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding")
      if (own.ipv6 !== null && own.answerOn !== null)
        forwards(`net/ipv6/conf/${own.answerOn}/proxy_ndp`, `net.ipv6.conf.${own.answerOn}.proxy_ndp`)
      try {
        accessSync("/dev/net/tun", constants.R_OK | constants.W_OK)
        await run("ip", ["address", "replace", `${GATEWAY}/32`, "dev", "lo"])
        await run("nft", ["list", "tables"])
      } catch (error) {
        throw new StartError(
          `Machines cannot have addresses of their own here: ${(error as Error).message} The local cloud needs /dev/net/tun and the right to change the network (CAP_NET_ADMIN, or root).`,
        )
      }
      udp.on("message", (message, sender) => {
        const answer = dhcpAnswer(message, mac => {
          const guest = [...guests.values()].find(one => one.mac === mac)
          return guest === undefined || guest.ipv4 === null ? null : { ipv4: guest.ipv4, dns: own.dns, mtu: own.mtu }
        })
        if (answer !== null && sender.port === 68) udp.send(answer.answer, 68, answer.to, () => {})
      })
      udp.bind(67)
      await once(udp, "listening").catch(error => {
        throw new StartError(`DHCP for machines cannot start (UDP port 67): ${error.message}.`)
      })
      udp.on("error", () => {})
    },
    attach: (config, metadataSocket) =>
      inTurn("rules", async () => {
        const { id, ipv4, ipv6 = null, rules: firewall = null } = config
        if (ipv4 !== null && !isOwn(own, ipv4))
          throw new Error(
            `Machine ${id} has the address ${ipv4}, which is none of ${own.ipv4.join(", ")}: give it another primary IP.`,
          )
        const known = guests.get(id)
        const metadata = known?.metadata ?? (await relay(metadataSocket, () => guests.get(id)?.ipv4 ?? null))
        const metadataPort = (metadata.address() as AddressInfo).port
        const mine = own.ipv6 === null ? null : ipv6
        const guest = { id, mac: macAddress(id), ipv4, ipv6: mine, rules: firewall, metadataPort, metadata }
        guests.set(id, guest)
        try {
          // Rules first: the interface is never there without them.
          await rules()
          await plugIn(guest)
        } catch (error) {
          if (known === undefined) {
            guests.delete(id)
            metadata.close()
          }
          throw error
        }
      }),
    detach: id =>
      inTurn("rules", async () => {
        const guest = guests.get(id)
        await run("ip", ["link", "del", tap(id)]).catch(() => {})
        if (guest === undefined) return
        guests.delete(id)
        guest.metadata.close()
        await answerOn("del", guest)
        await rules()
      }),
    keepOnly: ids =>
      inTurn("rules", async () => {
        const kept = new Set(ids.map(tap))
        const { stdout } = await run("ip", ["-o", "link", "show", "type", "tun"])
        const names = [...stdout.matchAll(/^\d+: ([^:@]+)[:@]/gm)].map(([, name = ""]) => name)
        const ours = new RegExp(`^${own.interfaces}[0-9a-z]+$`)
        for (const name of names.filter(name => ours.test(name) && !kept.has(name)))
          await run("ip", ["link", "del", name]).catch(() => {})
        // With no machine left nothing shall remind of them.
        if (guests.size === 0) await run("nft", ["delete", "table", "inet", tableOf(own.interfaces)]).catch(() => {})
      }),
    close: async () => {
      for (const { metadata } of guests.values()) metadata.close()
      guests.clear()
      await new Promise<void>(resolve => {
        try {
          udp.close(() => resolve())
        } catch {
          // It was never opened.
          resolve()
        }
      })
    },
  }
}

/**
 * Leads connections at a port of the gateway's address to a machine's metadata.
 * @param guest its address: others reach that port too, from this host and its network, and are not heard. No machine can
 *   send with another's address (ruleset.ts)
 */
export async function relay(socket: string, guest: () => string | null, address: string = GATEWAY): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, client => {
    client.on("error", () => {})
    if (client.remoteAddress === undefined || client.remoteAddress !== guest()) return void client.destroy()
    const upstream = connect({ path: socket, allowHalfOpen: true })
    pipeline(client, upstream, () => {})
    pipeline(upstream, client, () => {})
  })
  server.maxConnections = MOST_CONNECTIONS
  server.listen(0, address)
  await once(server, "listening")
  return server
}

/** Whether the kernel is set so; changing it is the operator's, since it concerns the whole host. */
function forwards(path: string, name: string): void {
  let value = ""
  try {
    value = readFileSync(`/proc/sys/${path}`, "utf8").trim()
  } catch {
    // Named below: there is no such interface, or no IPv6.
  }
  if (value !== "1")
    throw new StartError(
      `Machines with addresses of their own need ${name} = 1: put it into /etc/sysctl.d/foozol.conf and run \`sysctl --system\`.`,
    )
}

/** Runs a program with something on its standard input. */
async function feed(program: string, args: string[], input: string): Promise<void> {
  const child = spawn(program, args, { stdio: ["pipe", "ignore", "pipe"] })
  const words: Buffer[] = []
  child.stderr.on("data", chunk => words.push(chunk))
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const [code] = (await once(child, "close")) as [number | null]
  if (code !== 0) throw new Error(`${program} refused the rules: ${Buffer.concat(words).toString().trim()}`)
}
