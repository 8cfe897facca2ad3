/**
 * How long a fresh machine of the golden image takes until its door answers, until a viewer sees a picture through
 * NGINX and the relay, and until the desktop is complete; with the CPU time its (emulated) machine has used until then,
 * which hardly depends on what else this computer does. Machines begin as those of `npm start` do, as copies of one that
 * has booted, or boot.
 */
import { existsSync, readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import type { ProfileName } from "../image-builder/definition.ts"
import { type GoldenCloud, openShell, startGoldenCloud } from "../test/support/golden-machine.ts"
import type { RfbClient } from "../test/support/rfb-client.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import { cpuSeconds } from "./cpu.ts"
import { doorAnswers, isComplete, isSeen, LIMIT } from "./first-picture.ts"
import type { Measurement } from "./measurement.ts"

/** What stands when in a machine that boots: in the table with the second after the kernel's start at which it was active. */
const UNITS = [
  "foozol-network",
  "foozol-xvfb",
  "foozol-boot",
  "nginx",
  "foozol-x11vnc",
  "foozol-agent",
  "foozol-browser",
]

/**
 * @param options.profile which image (browser); options.rounds machines one after the other (5); options.boot `cold`:
 *   they boot
 */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const profile = (options.profile ?? "browser") as ProfileName
  console.error(`Load before: ${loadavg()[0]?.toFixed(2)}`)
  const boot = options.boot === "cold" ? "cold" : "template"
  const golden = await startGoldenCloud(profile, boot)
  const metrics = new Map<string, Measurement>()
  const record = (metric: string, unit: string, value: number) => {
    const known = metrics.get(metric) ?? { metric, unit, samples: [] }
    metrics.set(metric, known)
    known.samples.push(value)
  }
  try {
    for (let round = 0; round < Number(options.rounds ?? 5); round++) {
      // The next one is made ahead when nobody has asked for one in a while.
      if (boot === "template") await golden.prepare()
      await measure(golden, round, boot === "cold", record)
    }
  } finally {
    await golden.close()
  }
  return [...metrics.values()]
}

type Recorder = (metric: string, unit: string, value: number) => void

async function measure(golden: GoldenCloud, round: number, boots: boolean, record: Recorder): Promise<void> {
  const began = performance.now()
  const machine = await golden.create({ workspace: `boot-${round}` })
  const pidFile = join(golden.cloud.directory, "m", "machines", String(machine.id), "qemu.pid")
  // One that was made ahead has practised on its own time.
  let before: number | null = null
  const used = () => (existsSync(pidFile) ? cpuSeconds(Number(readFileSync(pidFile, "utf8"))) : 0)
  const begins = setInterval(() => {
    if (existsSync(pidFile)) before ??= used()
    if (before !== null) clearInterval(begins)
  }, 20)
  const reached = (name: string) => {
    const cpu = used() - (before ?? 0)
    record(`${name}_s`, "s", (performance.now() - began) / 1_000)
    record(`${name}_cpu_s`, "CPU s", cpu)
  }
  await doorAnswers(machine)
  reached("https")
  const viewer = await waitUntil("a viewer is let in", () => machine.viewer(), LIMIT)
  await isSeen("a picture", viewer, () => viewer.pixels.some(pixel => pixel !== 0))
  reached("vnc")
  await isSeen("terminal and browser", viewer, () => isComplete(viewer))
  reached("desktop")
  if (boots) await unitTimes(viewer, record)
  viewer.close()
  await golden.cloud.api("DELETE", `/servers/${machine.id}`)
  await waitUntil("the machine is gone", () => !existsSync(pidFile), LIMIT)
}

async function unitTimes(viewer: RfbClient, record: Recorder): Promise<void> {
  const shell = await openShell(viewer)
  const names = UNITS.map(unit => `${unit}.service`).join(" ")
  const times = await shell.run(`systemctl show --property ActiveEnterTimestampMonotonic --value ${names} | grep .`)
  for (const [index, time] of times.trim().split("\n").entries())
    if (time !== "0") record(`at_${(UNITS[index] ?? "").replace("foozol-", "")}`, "s", Number(time) / 1e6)
  shell.close()
}
