import { connect } from "node:net"
import type { MachineConfig } from "../../local-cloud/machines/contract.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { waitUntil } from "./wait-until.ts"

/** What a machine of the test image tells about itself. */
export interface MachineState {
  hostname: string
  userDataSha256: string
  bootId: string
  /** How often its disk has been booted. */
  boots: number
}

/** A small machine of the test image with only port 443 open; `change` replaces what differs. */
export function testMachine(id: number, change: Partial<MachineConfig> = {}): MachineConfig {
  const ipv4 = `127.77.${process.pid % 200}.${id}`
  return {
    id,
    name: `machine-${id}`,
    cores: 1,
    memoryBytes: 192 * 1024 ** 2,
    diskBytes: 256 * 1024 ** 2,
    ipv4,
    ports: [{ protocol: "tcp", port: 443 }],
    metadata: {
      instanceId: id,
      hostname: `machine-${id}`,
      publicIpv4: ipv4,
      region: "eu-central",
      availabilityZone: "fsn1-dc14",
      publicKeys: ["ssh-ed25519 AAAA test"],
      userData: `user-data of ${id}\n`,
    },
    ...change,
  }
}

/** Waits until the machine has booted and answers at a port; returns what it tells. */
export function machineState(config: MachineConfig, port = 443): Promise<MachineState> {
  // A connection made before the guest is up is answered only after 6 s, when its SYN is repeated: ask anew instead.
  return waitUntil(`${config.name} answers at port ${port}`, async () => {
    const answer = await ask(config, "/state.json", port, 5_000)
    return JSON.parse(answer) as MachineState
  })
}

/** What the machine itself reads from its metadata service now; `name` as in `metadata/hostname`. */
export function metadataSeenBy(config: MachineConfig, name: string): Promise<string> {
  return ask(config, `/cgi-bin/metadata?${name}`, 443)
}

/** Whether something listens at the machine's port; `refused` is what a firewall makes of it. */
export function connection(config: MachineConfig, port: number): Promise<"open" | "refused"> {
  return new Promise((resolve, reject) => {
    const socket = connect(hostPort(port), config.ipv4 ?? "")
    socket.once("connect", () => {
      socket.destroy()
      resolve("open")
    })
    socket.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNREFUSED" ? resolve("refused") : reject(error),
    )
  })
}

async function ask(config: MachineConfig, path: string, port: number, limit = 30_000): Promise<string> {
  const url = `http://${config.ipv4}:${hostPort(port)}${path}`
  const response = await fetch(url, { signal: AbortSignal.timeout(limit), headers: { connection: "close" } })
  if (!response.ok) throw new Error(`${url} answers ${response.status}.`)
  return await response.text()
}
