import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Machines } from "./contract.ts"

/** Size a pretended image has: plausible, and the same each time. Bytes. */
const IMAGE_BYTES = 400_000_000
const DISK_BYTES = 5_000_000_000

/** Pretend machines: everything succeeds at once and nothing boots. Which ones are on survives a killed process. */
export function createNoMachines(directory: string): Machines {
  const file = join(directory, "pretended.log")
  const on = new Set<number>()
  const apply = (line: string) => {
    const id = Number(line.slice(1))
    line.startsWith("+") ? on.add(id) : on.delete(id)
  }
  /** Written before it counts, by a call that returns when the system has it. */
  const set = async (id: number, running: boolean) => {
    if (on.has(id) === running) return
    const line = `${running ? "+" : "-"}${id}`
    appendFileSync(file, `${line}\n`)
    apply(line)
  }
  return {
    kind: "none",
    async open() {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      // A line cut short names no machine or one that is not there: neither does harm.
      if (existsSync(file)) for (const line of readFileSync(file, "utf8").split("\n")) if (line) apply(line)
      writeFileSync(`${file}.new`, [...on].map(id => `+${id}\n`).join(""), { mode: 0o600 })
      renameSync(`${file}.new`, file)
    },
    close: async () => {},
    admit: async () => {},
    createDisk: async () => {},
    resizeDisk: async () => {},
    prepare: async () => false,
    settled: async () => {},
    ahead: () => 0,
    start: config => set(config.id, true),
    pressPowerButton: id => set(id, false),
    powerOff: id => set(id, false),
    reset: async () => {},
    isRunning: async id => on.has(id),
    // Nothing goes off by itself: a pressed button is told of by the next `isRunning`.
    onStopped: () => {},
    update: async () => {},
    createImage: async () => ({ bytes: IMAGE_BYTES }),
    remove: id => set(id, false),
    dropMemory: async () => {},
    removeImage: async () => {},
    makeVolume: async () => {},
    removeVolume: async () => {},
    importImage: async () => ({ bytes: IMAGE_BYTES, diskBytes: DISK_BYTES }),
    consoleLog: () => null,
  }
}
