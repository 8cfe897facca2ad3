/**
 * What a first certificate costs a new workspace: how long it takes from the wish until it is ready, with Pebble as the
 * certificate authority and with the machine's own certificate, by turns, so that whatever else this computer does
 * weighs on both. With the CPU time its (emulated) machine has used until then. Machines begin as those of `npm start`
 * do: as copies of one that has booted.
 */
import { existsSync, readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import { goldenDirectory } from "../cli/golden-images.ts"
import { buildImage } from "../image-builder/build-local.ts"
import { scaledSize } from "../local-cloud/sizes.ts"
import { USUAL_CLASS } from "../service/workspaces/sizes.ts"
import { CreateWorkspace } from "../service/workspaces/wishes.ts"
import { type GoldenWorld, startGoldenWorld } from "../test/support/golden-world.ts"
import { startPebbleFor } from "../test/support/pebble-for-machines.ts"
import { waitUntil } from "../test/support/wait-until.ts"
import { cpuSeconds } from "./cpu.ts"
import type { Measurement } from "./measurement.ts"

const LIMIT = 600_000
const USER = "gh-1001"

/**
 * @param options.rounds pairs of machines (3); options.boot `cold`: they boot; options.image folder of an image other
 *   than this checkout's
 */
export async function bench(options: Record<string, string>): Promise<Measurement[]> {
  const directory =
    options.image ?? (await buildImage({ profile: "browser", cacheDirectory: goldenDirectory(), log: () => {} }))
  const boot = options.boot === "cold" ? "cold" : "template"
  const world = await startGoldenWorld(directory, {}, boot)
  const authority = await startPebbleFor(world)
  const samples = new Map<string, Measurement>()
  const record = (metric: string, unit: string, value: number) => {
    const known = samples.get(metric) ?? { metric, unit, samples: [] }
    samples.set(metric, known)
    known.samples.push(value)
  }
  const without = Object.fromEntries(Object.keys(authority.settings).map(name => [name, ""]))
  try {
    await world.service().services.users.signIn({ id: USER, login: "newcomer", name: "", avatarUrl: null }, Date.now())
    if (boot === "template") await prepare(world)
    for (let round = 0; round < Number(options.rounds ?? 3); round++) {
      const taken: Record<string, number> = {}
      // The first one of a pair may find the computer cold: each goes first as often as the other.
      const turns = [["own", without] as const, ["issued", authority.settings] as const]
      for (const [kind, settings] of round % 2 === 0 ? turns : turns.reverse()) {
        await world.restart(settings)
        console.error(`Load: ${loadavg()[0]?.toFixed(2)}`)
        const { seconds, cpu, state } = await create(world)
        if (state !== (kind === "own" ? "self-signed" : "issued")) throw new Error(`The certificate is ${state}.`)
        taken[kind] = seconds
        record(`${kind}_s`, "s", seconds)
        record(`${kind}_cpu_s`, "CPU s", cpu)
      }
      record("more_s", "s", (taken.issued ?? 0) - (taken.own ?? 0))
    }
  } finally {
    await authority.close()
    await world.close()
  }
  return [...samples.values()]
}

/** The template of the size that `create` gets. */
async function prepare({ cloud, image, service }: GoldenWorld): Promise<void> {
  const { sizes } = service().services
  const usual = (await (await sizes.offerTo(USER)).sizes("hetzner")).find(one => one.class === USUAL_CLASS.hetzner)
  if (!usual) throw new Error("The usual size is not offered.")
  const { config, machines } = cloud.cloud.context
  const { name, diskGb } = usual.size
  if (!(await machines.prepare(image, scaledSize(config, name, diskGb)))) throw new Error("No template was made.")
}

/** One new workspace, ready and gone again. */
async function create(world: GoldenWorld): Promise<{ seconds: number; cpu: number; state: string | undefined }> {
  const { workspaces, store } = world.service().services
  const began = performance.now()
  const wish = CreateWorkspace.parse({ profile: "browser" })
  const { workspace, operation } = await workspaces.create(USER, wish, null)
  let said = ""
  const look = async () => {
    const certificate = (await workspaces.get(USER, workspace.id)).certificate
    const now = certificate && JSON.stringify([certificate.state, certificate.asking, certificate.problem])
    if (now && now !== said) console.error(`${((performance.now() - began) / 1000).toFixed(1)} s: ${now}`)
    said = now ?? said
    return (await store.operation(operation))?.finishedAt ?? null
  }
  const end = await waitUntil("it is ready", look, LIMIT)
  const seconds = (performance.now() - began - (Date.now() - Number(end))) / 1000
  const now = await workspaces.get(USER, workspace.id)
  if (now.state !== "RUNNING") throw new Error(`It is ${now.state}: ${JSON.stringify(now.failure)}`)
  const pidFile = join(world.cloud.directory, "m", "machines", String(now.machineId), "qemu.pid")
  const cpu = existsSync(pidFile) ? cpuSeconds(Number(readFileSync(pidFile, "utf8"))) : Number.NaN
  // The report that says it is ready may be older than what is known of its certificate.
  const certificate = await waitUntil(
    "its certificate is known",
    async () => (await workspaces.get(USER, workspace.id)).certificate,
    LIMIT,
  )
  await workspaces.destroy(USER, workspace.id)
  await waitUntil("it is gone", async () => (await workspaces.listOf(USER)).length === 0, LIMIT)
  return { seconds, cpu, state: certificate.state }
}
