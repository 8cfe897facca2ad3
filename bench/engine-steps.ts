/**
 * What each step away from the Automation API as it comes has gained: the same create of one workspace, measured in
 * one run with the steps added one after the other. CPU is of the whole process tree.
 */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createEnginePool } from "../infra/engine-pool.ts"
import { startTestCloud, type TestCloud } from "../test/support/local-cloud.ts"
import { testEngineConfig, testSecrets, testSpec } from "../test/support/workspace.ts"
import { cpuSeconds } from "./cpu.ts"
import type { Measurement } from "./measurement.ts"

/** Steps of bench/engine-plain.ts, then the engine as it is, in a fresh child and in a warm one. */
const PLAIN_STEPS = ["plain", "no-queries", "no-select"]

export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const count = Number(options.count ?? 5)
  const directory = await mkdtemp(join(tmpdir(), "foozol-bench-"))
  const cloud = await startTestCloud({ machines: "none" })
  const wall: Record<string, number[]> = {}
  const cpu: Record<string, number[]> = {}
  const note = (step: string, seconds: number, cpuSeconds: number) => {
    wall[step] = [...(wall[step] ?? []), seconds]
    cpu[step] = [...(cpu[step] ?? []), cpuSeconds]
  }
  let serial = 0
  const next = () => testSpec({ workspace: `step-${++serial}`, image: cloud.imageId })
  try {
    const config = testEngineConfig(directory, cloud)
    const warm = createEnginePool({ size: 1, compileCache: join(directory, "compile-cache") })
    await warm.run(config, { action: "apply", spec: next(), secrets: testSecrets })
    // In turn, so that a machine that grows slower or faster touches every step alike.
    for (let round = 0; round < count; round++) {
      for (const step of PLAIN_STEPS) await plain(step, cloud, directory, next(), note)
      const fresh = createEnginePool({ size: 1, compileCache: join(directory, "compile-cache") })
      await timed(
        "fresh-child",
        note,
        () => fresh.run(config, { action: "apply", spec: next(), secrets: testSecrets }),
        () => fresh.pids()[0],
      )
      await fresh.close()
      await timed(
        "warm-child",
        note,
        () => warm.run(config, { action: "apply", spec: next(), secrets: testSecrets }),
        () => warm.pids()[0],
      )
    }
    await warm.close()
    return Object.keys(wall).flatMap(step => [
      { metric: `${step}_s`, unit: "s", samples: wall[step] ?? [] },
      { metric: `${step}_cpu_s`, unit: "CPU s", samples: cpu[step] ?? [] },
    ])
  } finally {
    await cloud.close()
    await rm(directory, { recursive: true, force: true })
  }
}

type Note = (step: string, seconds: number, cpuSeconds: number) => void

async function timed(
  step: string,
  note: Note,
  work: () => Promise<unknown>,
  pid: () => number | undefined,
): Promise<void> {
  const known = pid()
  const [before, began] = [known ? cpuSeconds(known) : 0, performance.now()]
  await work()
  note(step, (performance.now() - began) / 1_000, cpuSeconds(pid() ?? process.pid) - before)
}

/** A create in a process of its own that loads the SDK and uses the API as it comes, less what the step leaves out. */
async function plain(step: string, cloud: TestCloud, directory: string, spec: object, note: Note): Promise<void> {
  const [before, began] = [cpuSeconds(process.pid), performance.now()]
  const child = spawn(process.execPath, [join(import.meta.dirname, "engine-plain.ts")], {
    stdio: ["pipe", "inherit", "inherit"],
  })
  child.stdin.end(JSON.stringify({ step, spec, directory, config: testEngineConfig(join(directory, "plain"), cloud) }))
  const code = await new Promise(resolve => child.on("exit", resolve))
  if (code !== 0) throw new Error(`engine-plain ${step} ended with ${code}`)
  note(step, (performance.now() - began) / 1_000, cpuSeconds(process.pid) - before)
}
