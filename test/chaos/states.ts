import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmdirSync } from "node:fs"
import { chmod, mkdir, open, readdir, readFile, rm, statfs, symlink, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { CREATION, deskOf, SCENARIOS } from "../support/scenarios.ts"
import type { Campaign } from "./campaign.ts"
import { pick, rounds } from "./drawn-rounds.ts"
import type { Fleet } from "./fleet.ts"
import type { Blow } from "./rounds.ts"

/** The disk of the engine's state, where it is one of its own. A run asks for 32 MB of room. */
const STATE_DISK = 96 * 1024 ** 2
/** What a full disk may still have: nothing, a block, less than a state, less than a run wants. */
const LEAVES = [0, 4_096, 100_000, 8 * 1024 ** 2]
/** A disk is full for so long, ms, at most. */
const FULL_MS = 12_000

const backend = (fleet: Fleet) => join(fleet.world.directory, "state")
const isRoot = process.getuid?.() === 0

/** What can become of a stack's file. @param earlier states of the same stack */
const DAMAGES: Record<string, (file: string, earlier: string[], random: () => number) => Promise<unknown>> = {
  "cut short": async (file, _, random) => truncate(file, Math.floor(random() * (await readFile(file)).length)),
  zeroed: async file => writeFile(file, Buffer.alloc((await readFile(file)).length)),
  "put back to an older one": async (file, earlier, random) => {
    if (earlier.length > 0) await writeFile(file, await readFile(pick(earlier, random)))
  },
  "a folder in its place": async file => {
    await rm(file)
    await mkdir(file)
  },
  unreadable: async file => {
    if (!isRoot) return chmod(file, 0)
    // Root reads whatever has a reader; a link to itself has none.
    await rm(file)
    await symlink(file, file)
  },
  removed: file => rm(file),
}

const damage =
  (what: string, random: () => number): Blow =>
  async (fleet, actors, isOver) => {
    const stacks = join(backend(fleet), ".pulumi", "stacks", "foozol-cloud")
    let damaged = 0
    const waiting = new Set(actors)
    for (; waiting.size > 0 && !(await isOver()); await sleep(10)) {
      for (const actor of waiting) {
        const { id } = deskOf(actor)
        const file = join(stacks, `${id}.json`)
        if (!existsSync(file)) continue
        waiting.delete(actor)
        const runs = join(backend(fleet), ".pulumi", "backups", "foozol-cloud", id)
        const names = await readdir(runs).catch(() => [])
        const earlier = names.filter(name => name.endsWith(".json")).map(name => join(runs, name))
        // The engine may be at it in the same moment: then it was the engine's turn.
        const done = await DAMAGES[what]?.(file, earlier, random).then(
          () => true,
          () => false,
        )
        if (done) damaged++
      }
    }
    return damaged > 0
  }

/** The disk of all states has no room left, for some seconds. */
const fill =
  (leaves: number, ms: number): Blow =>
  async fleet => {
    const ballast = join(backend(fleet), "ballast")
    const file = await open(ballast, "w")
    const { bavail, bsize } = await statfs(backend(fleet))
    const block = Buffer.alloc(64 * 1024)
    for (let left = bavail * bsize - leaves; left > 0; left -= block.length)
      await file.write(block, 0, Math.min(left, block.length)).catch(() => {})
    await file.close()
    await sleep(ms)
    await rm(ballast)
    return true
  }

/** Can this process mount a disk of its own? */
function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "fc-"))
  mkdirSync(directory, { recursive: true })
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], { stdio: "ignore" })
    execFileSync("umount", [directory])
    return true
  } catch {
    return false
  } finally {
    rmdirSync(directory)
  }
}

export const states: Campaign = {
  about: "state files of stacks are cut, emptied, put back, replaced, removed, or their disk is full",
  count: 200,
  run(plan) {
    const mounts = canMount()
    if (!mounts) plan.note({ skipped: "a full disk", because: "mounting a disk of its own needs root" })
    return rounds(
      plan,
      random => {
        const scenario = pick([CREATION, ...SCENARIOS], random)
        const what = pick([...Object.keys(DAMAGES), ...(mounts ? ["disk full"] : [])], random)
        const before = scenario.asks !== "CREATE" && what !== "disk full" && random() < 0.4
        const [leaves, ms] = [pick(LEAVES, random), random() * FULL_MS]
        const blow = what === "disk full" ? fill(leaves, ms) : damage(what, random)
        return { scenario, blow, what, options: { mayFail: true, before } }
      },
      () => (mounts ? { stateDisk: STATE_DISK } : {}),
    )
  },
}
