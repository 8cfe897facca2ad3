/**
 * What an engine run costs: workspaces created, left alone, refreshed and destroyed one after the other, then created
 * several at once, with the real engine and provider plugin against the local cloud without machines.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { CloudConfig } from "../infra/cloud-config.ts"
import { createEnginePool, type EnginePool } from "../infra/engine-pool.ts"
import { startTestCloud } from "../test/support/local-cloud.ts"
import { testEngineConfig, testSecrets, testSpec } from "../test/support/workspace.ts"
import { cpuSeconds } from "./cpu.ts"
import type { Measurement } from "./measurement.ts"

/** @param options.count workspaces one after the other (20); options.parallel how many at once afterwards (8) */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const count = Number(options.count ?? 20)
  const parallel = Number(options.parallel ?? 8)
  const directory = await mkdtemp(join(tmpdir(), "foozol-bench-"))
  const cloud = await startTestCloud({ machines: "none" })
  const pools: EnginePool[] = []
  try {
    const config = testEngineConfig(directory, cloud)
    const one = createEnginePool({ size: 1, compileCache: join(directory, "compile-cache") })
    pools.push(one)
    await one.warm()
    const samples = await oneAfterTheOther(one, config, cloud.imageId, count)
    const many = createEnginePool({ size: 2, compileCache: join(directory, "compile-cache") })
    pools.push(many)
    await many.warm()
    return [...samples, await together(many, config, cloud.imageId, parallel)]
  } finally {
    await Promise.all(pools.map(pool => pool.close()))
    await cloud.close()
    await rm(directory, { recursive: true, force: true })
  }
}

async function oneAfterTheOther(
  pool: EnginePool,
  config: CloudConfig,
  image: number,
  count: number,
): Promise<Measurement[]> {
  const metrics: Measurement[] = []
  const record = (metric: string, unit: string, value: number) => {
    const known = metrics.find(one => one.metric === metric)
    if (known) known.samples.push(value)
    else metrics.push({ metric, unit, samples: [value] })
  }
  const measure = async (what: string, work: () => Promise<unknown>) => {
    const pid = pool.pids()[0] ?? 0
    const [cpu, began] = [cpuSeconds(pid), performance.now()]
    await work()
    record(`${what}_s`, "s", (performance.now() - began) / 1_000)
    record(`${what}_cpu_s`, "CPU s", cpuSeconds(pid) - cpu)
  }
  // The first create makes the template of an empty stack; users meet it once in the life of a backend.
  const first = testSpec({ workspace: "warm-up", image })
  await pool.run(config, { action: "apply", spec: first, secrets: testSecrets })
  for (let i = 0; i < count; i++) {
    const spec = testSpec({ workspace: `bench-${i}`, image })
    const apply = () => pool.run(config, { action: "apply", spec, secrets: testSecrets })
    await measure("create", apply)
    await measure("noop", apply)
    await measure("refresh", () => pool.run(config, { action: "refresh", workspace: spec.workspace }))
    await measure("destroy", () => pool.run(config, { action: "destroy", workspace: spec.workspace }))
  }
  return metrics
}

async function together(pool: EnginePool, config: CloudConfig, image: number, count: number): Promise<Measurement> {
  const samples: number[] = []
  for (let round = 0; round < 3; round++) {
    const began = performance.now()
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        pool.run(config, {
          action: "apply",
          spec: testSpec({ workspace: `many-${round}-${i}`, image }),
          secrets: testSecrets,
        }),
      ),
    )
    samples.push(count / ((performance.now() - began) / 1_000))
  }
  return { metric: "creates_per_s", unit: "1/s", samples }
}
