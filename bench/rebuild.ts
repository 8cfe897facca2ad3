/**
 * Redis is emptied while there are 1,000 workspaces, three of four awake, the others asleep: how long until the service
 * knows all of them again, out of stacks in a folder, machines and snapshots of the local cloud. The stacks and the
 * provider's records are copies of two that were really made; service/sweeps/rebuild.ts and the engine child run as ever.
 */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type RebuildMeans, rebuildRecords } from "../service/sweeps/rebuild.ts"
import { startTestService, type TestService } from "../test/support/service.ts"
import { testEngineConfig } from "../test/support/workspace.ts"
import { newWorkspace } from "../test/support/workspace-life.ts"
import type { Measurement } from "./measurement.ts"

/** One of so many sleeps. */
const ASLEEP_OF = 4

/** @param options.count workspaces (1,000); options.rounds how often all is lost (3) */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const count = Number(options.count ?? 1_000)
  const test = await startTestService({}, { heartbeatMs: 3_600_000 })
  try {
    const token = await test.token(await test.signIn("ada"))
    const [awake, asleep] = [await newWorkspace(test, token), await newWorkspace(test, token)]
    await asleep.does("stop?mode=hibernate")
    for (let at = 2; at < count; at++) await copy(test, at % ASLEEP_OF === 0 ? asleep.id : awake.id, at)
    const { redis, machines, images, backups, sizes, pool, log, now } = test.service.services
    const parts: Omit<RebuildMeans, "cloud"> = {
      redis,
      machines,
      images,
      backups,
      sizes,
      pool,
      log,
      now,
      machineUrl: test.url,
    }
    const means = { ...parts, cloud: testEngineConfig(test.directory, test.cloud) }
    const seconds: number[] = []
    for (let round = 0; round < Number(options.rounds ?? 3); round++) {
      await redis.flushall()
      const began = performance.now()
      const made = await rebuildRecords(means)
      seconds.push((performance.now() - began) / 1_000)
      const states = (await Promise.all(made.map(id => test.service.services.store.get(id)))).map(one => one?.state)
      const stopped = states.filter(state => state === "STOPPED").length
      const running = states.filter(state => state === "RUNNING").length
      if (made.length !== count || stopped + running !== count || stopped < Math.floor(count / ASLEEP_OF) - 1)
        throw new Error(`${made.length} of ${count} were made again: ${running} running, ${stopped} stopped.`)
    }
    return [{ metric: `rebuild_${count}_s`, unit: "s", samples: seconds }]
  } finally {
    await test.close()
  }
}

/** Another workspace like one that is there: its stack, and its machine or the snapshot it sleeps in. */
async function copy(test: TestService, from: string, number: number): Promise<void> {
  const name = `${from}-${number}`
  const { store } = test.cloud.cloud.context
  const renamed = (text: string) => text.replaceAll(from, name)
  const stacks = join(fileURLToPath(String(test.env.FOOZOL_BACKEND_URL)), ".pulumi", "stacks", "foozol-cloud")
  await writeFile(join(stacks, `${name}.json`), renamed(await readFile(join(stacks, `${from}.json`), "utf8")))
  const isOf = (one: { labels: Record<string, string> }) => one.labels["foozol-workspace"] === from
  for (const kind of ["server", "image"] as const) {
    for (const found of (store.all(kind) as { id: number; labels: Record<string, string> }[]).filter(isOf))
      store.put(kind, { ...JSON.parse(renamed(JSON.stringify(found))), id: store.nextId() })
  }
}
