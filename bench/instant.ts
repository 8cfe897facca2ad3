/**
 * Machines of the local cloud that begin as copies of one that has booted, made ahead of them or (`--ahead no`) when they are wanted: how long from the server's making until its
 * door answers, until a viewer sees a picture through NGINX and the relay and until it is the whole desktop, and how
 * many that are idle fit into 8 GB. And of machines that slept with all that runs: how long from then on until they are seen.
 */
import { existsSync, readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type GoldenCloud, type GoldenMachine, startGoldenCloud } from "../test/support/golden-machine.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import { doorAnswers, isComplete, isSeen, LIMIT } from "./first-picture.ts"
import type { Measurement } from "./measurement.ts"
import { treeMemoryBy } from "./process-tree.ts"
import { bench as signUps } from "./sign-up.ts"

/** More copies than the memory that they were given; what they take of it is what is looked at. */
const OVERCOMMIT = 8
/** So long a machine is left alone before its memory is looked at: its programs have started, and nobody is there. */
const IDLE_MS = 60_000

/**
 * @param options.wakes times that one is put to sleep and made again (10); options.rounds machines one after the other (20); options.copies machines at once, for their memory (6;
 *   0: none); options.signups new users, from their click to the picture (5); options.ahead `no`: each copy is made when its server is
 */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  console.error(`Load before: ${loadavg()[0]?.toFixed(2)}`)
  const ahead = options.ahead !== "no"
  const golden = await startGoldenCloud("browser", "template", ahead ? 1 : 0, OVERCOMMIT)
  const template: number[] = []
  const times = noTimes()
  const wake = { ...noTimes(), asleep: [] as number[] }
  const memory: { all: number; own: number }[] = []
  const crowd = noTimes()
  const made: number[] = []
  /** Waits for the next copy, which nobody waits for otherwise. */
  const making = async () => {
    const begun = performance.now()
    await golden.prepare()
    if (ahead) made.push((performance.now() - begun) / 1_000)
  }
  try {
    const begun = performance.now()
    await golden.prepare("template")
    template.push((performance.now() - begun) / 1_000)
    for (let round = 0; round < Number(options.rounds ?? 20); round++) {
      await making()
      const machine = await measured(golden, round, times)
      await golden.cloud.api("DELETE", `/servers/${machine.id}`)
      await waitUntil("the machine is gone", () => !existsSync(pidFile(golden, machine)), LIMIT)
    }
    await waking(golden, Number(options.wakes ?? 10), wake)
    const copies = Number(options.copies ?? 6)
    const together: GoldenMachine[] = []
    for (let copy = 0; copy < copies; copy++) {
      await making()
      together.push(await measured(golden, 1_000 + copy, crowd))
    }
    await sleep(copies === 0 ? 0 : IDLE_MS)
    for (const machine of together) memory.push(treeMemoryBy(Number(readFileSync(pidFile(golden, machine), "utf8"))))
  } finally {
    await golden.close()
  }
  const total = (of: (one: { all: number; own: number }) => number) => memory.reduce((sum, one) => sum + of(one), 0)
  // What copies share is there once, however many there are.
  const [shared, own] = [total(one => one.all - one.own), total(one => one.own) / memory.length]
  // In what `npm start` brings up, which is a world of its own.
  const signups = options.signups === "0" ? [] : await signUps({ count: options.signups ?? "5" })
  return [
    ...signups.filter(({ metric }) => metric === "signup_s"),
    { metric: "template_s", unit: "s", samples: template },
    ...(ahead ? [{ metric: "ahead_s", unit: "s", samples: made }] : []),
    { metric: "server_to_https_s", unit: "s", samples: times.https },
    { metric: "server_to_vnc_s", unit: "s", samples: times.vnc },
    { metric: "server_to_desktop_s", unit: "s", samples: times.desktop },
    ...(wake.vnc.length === 0
      ? []
      : [
          { metric: "asleep_s", unit: "s", samples: wake.asleep },
          { metric: "wake_to_https_s", unit: "s", samples: wake.https },
          { metric: "wake_s", unit: "s", samples: wake.vnc },
          { metric: "wake_to_desktop_s", unit: "s", samples: wake.desktop },
        ]),
    ...(memory.length === 0
      ? []
      : [
          { metric: "copy_mb", unit: "MB", samples: memory.map(one => one.all) },
          { metric: "copy_own_mb", unit: "MB", samples: memory.map(one => one.own) },
          { metric: "copies_shared_mb", unit: "MB", samples: [shared] },
          { metric: "clones_in_8gb", unit: "machines", samples: [Math.floor((8_192 - shared) / own)] },
          // The first one has the computer for itself; the last one shares it with all the others.
          { metric: "first_of_all_s", unit: "s", samples: crowd.vnc.slice(0, 1) },
          { metric: "last_of_all_s", unit: "s", samples: crowd.vnc.slice(-1) },
        ]),
  ]
}

/** Seconds since a server was asked for. */
type Times = Record<"https" | "vnc" | "desktop", number[]>
const noTimes = (): Times => ({ https: [], vnc: [], desktop: [] })

const pidFile = ({ cloud }: GoldenCloud, { id }: GoldenMachine) =>
  join(cloud.directory, "m", "machines", String(id), "qemu.pid")

/** Puts one machine to sleep and makes it again from what is kept, again and again. */
async function waking(golden: GoldenCloud, rounds: number, times: Times & { asleep: number[] }): Promise<void> {
  const number = 500
  let machine = await measured(golden, number, noTimes())
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now()
    const image = await golden.hibernate(machine)
    times.asleep.push((performance.now() - begun) / 1_000)
    machine = await measured(golden, number, times, image)
    await golden.cloud.api("DELETE", `/images/${image}`)
    if (golden.logged().length > 0) throw new Error(golden.logged().join("\n"))
  }
  await golden.cloud.api("DELETE", `/servers/${machine.id}`)
}

/** @param image what it is made of, where that is not the golden image */
async function measured(
  golden: GoldenCloud,
  number: number,
  { https, vnc, desktop }: Times,
  image = golden.imageId,
): Promise<GoldenMachine> {
  const begun = performance.now()
  const passed = () => (performance.now() - begun) / 1_000
  const machine = await golden.create({ workspace: `copy-${number}`, image })
  await doorAnswers(machine)
  https.push(passed())
  const viewer = await waitUntil("a viewer is let in", () => machine.viewer(), LIMIT)
  await isSeen("a picture", viewer, () => viewer.pixels.some(pixel => pixel !== 0))
  vnc.push(passed())
  await isSeen("terminal and browser", viewer, () => isComplete(viewer))
  desktop.push(passed())
  viewer.close()
  return machine
}
