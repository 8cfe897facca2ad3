import { mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Machines } from "./contract.ts"

/** Size a pretended image has: plausible, and the same each time. Bytes. */
const IMAGE_BYTES = 400_000_000
const DISK_BYTES = 5_000_000_000

/** Pretend machines: everything succeeds at once and nothing boots. Which ones are on survives a restart. */
export function createNoMachines(directory: string): Machines {
  const file = join(directory, "pretended.json")
  const on = new Set<number>()
  let written = Promise.resolve()
  // Writes follow each other; a burst of changes ends in one or two.
  let stale = false
  const save = () => {
    if (stale) return
    stale = true
    written = written.then(async () => {
      stale = false
      await writeFile(`${file}.new`, JSON.stringify([...on]), { mode: 0o600 })
      await rename(`${file}.new`, file)
    })
  }
  const set = async (id: number, running: boolean) => {
    running ? on.add(id) : on.delete(id)
    save()
  }
  return {
    kind: "none",
    async open() {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const text = await readFile(file, "utf8").catch(() => "[]")
      for (const id of JSON.parse(text) as number[]) on.add(id)
    },
    close: () => written,
    admit: async () => {},
    createDisk: async () => {},
    resizeDisk: async () => {},
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
    removeImage: async () => {},
    importImage: async () => ({ bytes: IMAGE_BYTES, diskBytes: DISK_BYTES }),
    consoleLog: () => null,
  }
}
