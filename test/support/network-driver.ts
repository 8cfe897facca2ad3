// A driver of machines with addresses of their own, in whatever network this process is in.
// Arguments: its directory, the addresses as JSON. Each line of standard input is a call: [NAME, ...ARGUMENTS] as JSON.
// It ends with its standard input, and removes all machines of its directory then: one before it may have made them.
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Machines } from "../../local-cloud/machines/contract.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"

const [directory = "", own = ""] = process.argv.slice(2)
const machines = createQemuMachines({ directory, network: JSON.parse(own), accel: "tcg" })
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`)
try {
  await machines.open()
  say({ result: "open" })
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...args] = JSON.parse(line) as [keyof Machines, ...unknown[]]
    const call = machines[name] as (...args: unknown[]) => unknown
    try {
      say({ result: (await call(...args)) ?? null })
    } catch (error) {
      say({ error: (error as Error).message })
    }
  }
  for (const id of await readdir(join(directory, "machines"))) await machines.remove(Number(id))
  await machines.close()
} catch (error) {
  say({ error: (error as Error).message })
  process.exit(1)
}
