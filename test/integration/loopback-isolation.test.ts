import assert from "node:assert/strict"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { MachineConfig, Machines } from "../../local-cloud/machines/contract.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"
import { COMMAND_PORT, COMMANDS } from "../support/network-world.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testImage } from "../support/test-image.ts"
import { connection, machineState, testMachine } from "../support/test-machine.ts"
import { waitUntil } from "../support/wait-until.ts"

// What ARCHITECTURE.md and qemu-arguments.ts say of machines on loopback addresses, no more and no less: should a limit
// that is known today fall, or another one come, it is told here.
describe("machines on loopback addresses", function () {
  this.timeout(300_000)
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let machines: Machines
  const listeners: Server[] = []

  const machine = (id: number): MachineConfig => {
    const config = testMachine(id)
    const ports = [443, COMMAND_PORT].map(port => ({ protocol: "tcp" as const, port }))
    return { ...config, ports, metadata: { ...config.metadata, userData: COMMANDS } }
  }
  const [first, second] = [machine(1), machine(2)]

  before(async () => {
    directory = await temporaryDirectory()
    machines = createQemuMachines({ directory: directory.path })
    await machines.open()
    await machines.importImage(1, await testImage())
    for (const config of [first, second]) {
      await machines.createDisk(config.id, 1, config.diskBytes)
      await machines.start(config)
    }
    for (const config of [first, second]) await machineState(config)
  })
  after(async () => {
    for (const server of listeners) server.close()
    for (const { id } of [first, second]) await machines?.remove(id)
    await machines?.close()
    await directory?.remove()
  })

  const onMachine = (config: MachineConfig, command: string) =>
    waitUntil(`${config.name} takes commands`, async () => {
      const url = `http://${config.ipv4}:${hostPort(COMMAND_PORT)}/cgi-bin/run`
      const answer = await fetch(url, { method: "POST", body: command, headers: { connection: "close" } })
      return answer.ok && (await answer.text())
    })
  /** Which of these (`ADDRESS PORT`) a machine can connect to. */
  const reached = async (from: MachineConfig, targets: string[]) => {
    const tries = targets.map(target => `(timeout 20 nc ${target} < /dev/null > /dev/null 2>&1 && echo "${target}") &`)
    const said = await onMachine(from, [...tries, "wait"].join("\n"))
    return said.split("\n").filter(line => line !== "")
  }
  const listen = async (address: string) => {
    const server = createServer((_, answer) => answer.end("here")).listen(0, address)
    listeners.push(server)
    await new Promise(resolve => server.once("listening", resolve))
    return (server.address() as AddressInfo).port
  }

  it("reach what listens on the host's loopback, by the gateway's address: the known limit", async () => {
    const target = `169.254.0.2 ${await listen("127.0.0.1")}`
    assert.deepEqual(await reached(first, [target]), [target])
  })

  it("reach each other at no address, whatever their firewalls open", async () => {
    assert.equal(await connection(second, 443), "open", "the host does")
    const port = COMMAND_PORT
    // On the machine, addresses of the loopback network are its own; nothing of the host's is behind the gateway but 127.0.0.1.
    const unlike = await listen("127.77.250.9")
    assert.deepEqual(
      await reached(first, [`169.254.0.2 ${unlike}`, `169.254.0.2 ${port}`, `169.254.0.15 ${unlike}`]),
      [],
    )
    await onMachine(first, "echo only-here > /tmp/commands/which")
    const read = await onMachine(first, `wget -q -O - http://${second.ipv4}:${port}/which`)
    assert.equal(read, "only-here\n", "at the other's address it finds itself")
  })

  it("read their own metadata alone", async () => {
    for (const config of [first, second]) {
      const url = "http://169.254.169.254/hetzner/v1/metadata/instance-id"
      assert.equal(await onMachine(config, `wget -q -O - ${url}`), String(config.id))
    }
  })
})
