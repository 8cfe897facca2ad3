import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Run } from "../run.ts"
import { moveOver } from "./move-over.ts"
import type { HomeDone, HomeOrder } from "./order.ts"
import { lastLine, proveBackup } from "./prove.ts"
import { startRestServer } from "./rest-server.ts"
import { openRestic, type Restic } from "./restic.ts"
import { createStorage, type HomeChannel, inWords, Refused } from "./storage.ts"

export interface HomeMeans {
  workspace: string
  home: string
  /** The program; and a folder of root's alone for its cache. */
  program: string
  folder: string
  runtimeDirectory: string
  channel: HomeChannel
  run: Run
}

/** Left out: what can be had again, and what is good on the machine it was made on alone. */
const LEFT_OUT = [".cache", ".foozol-fetching", ".foozol-restoring", ".local/share/Trash"]
/** In the home, so that it is on the same disk: files are brought back there, and moved when they are whole. */
const WORKSHOP = ".foozol-restoring"
const LEFT_OUT_ANYWHERE = ["SingletonLock", "SingletonCookie", "SingletonSocket"]
/** What has files of the home open while it is restored. */
const AT_WORK = ["foozol-browser.service", "foozol-app.service"]
/** Backups that the service is told of, the newest: a machine may say only so much. */
const MOST_TOLD = 200
/** Some files could not be read; the others are in the backup. */
const INCOMPLETE = 3

/**
 * Does what was ordered, from the first request to the last.
 * @param told hears how far it is, in percent
 * @throws with words for the workspace's owner
 */
export async function workOnHome(
  means: HomeMeans,
  order: HomeOrder,
  told: (percent: number) => void,
  signal: AbortSignal,
): Promise<HomeDone> {
  const ending = new AbortController()
  const both = AbortSignal.any([signal, ending.signal])
  let fault: unknown
  const storage = createStorage(means.channel, order.id, both)
  const password = await means.channel.password(order.id).catch(refuse)
  const server = await startRestServer(storage, {
    mayRemove: order.keepDays !== null,
    faulty(error) {
      fault = error
      // Restic would go on trying for a quarter of an hour.
      if (error instanceof Refused) ending.abort()
    },
  })
  const cache = join(means.folder, "cache")
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const { repository } = server
  const { program, runtimeDirectory } = means
  const opened = await openRestic({ program, repository, password, runtimeDirectory, cache, signal: both })
  try {
    if (order.do === "restore") return await restore(means, opened.restic, order)
    if ((await storage.size("config").catch(refuse)) === null) await begin(opened.restic, storage)
    return await backUp(means, opened.restic, order, told)
  } catch (error) {
    throw fault === undefined || signal.aborted ? error : new Error(inWords(fault))
  } finally {
    server.close()
    await opened.close()
  }
}

function refuse(error: unknown): never {
  throw new Error(inWords(error))
}

/** A repository that was cut off while it was made has a key that opens nothing, and would be taken for the right one. */
async function begin(restic: Restic, storage: ReturnType<typeof createStorage>): Promise<void> {
  for (const { name } of await storage.list("keys")) await storage.remove(`keys/${name}`)
  demand(await restic(["init"]))
}

async function backUp(
  means: HomeMeans,
  restic: Restic,
  order: HomeOrder,
  told: (percent: number) => void,
): Promise<HomeDone> {
  const { home } = means
  // Nobody else works on it: what holds it was cut off.
  demand(await restic(["unlock", "--remove-all"]))
  let made: HomeDone["made"]
  const hear = (line: string) => {
    const said = line.startsWith("{") ? (JSON.parse(line) as Record<string, unknown>) : {}
    if (said.message_type === "status") told(Math.floor(Number(said.percent_done) * 100))
    if (said.message_type === "summary") {
      const [backup, files] = [String(said.snapshot_id), Number(said.total_files_processed)]
      made = { backup, files, bytes: Number(said.total_bytes_processed) }
    }
  }
  const leaves = [...LEFT_OUT.map(name => join(home, name)), ...LEFT_OUT_ANYWHERE]
  const args = ["--json", "--host", means.workspace, "--one-file-system", "--exclude-caches"]
  const result = await restic(["backup", ...args, ...leaves.flatMap(one => ["--exclude", one]), "."], {
    hear,
    folder: home,
  })
  if (result.code !== INCOMPLETE) demand(result)
  if (made === undefined) throw new Error("restic made no backup, and did not say why.")
  const proof = order.prove
    ? await proveBackup(restic, {
        ...{ backup: made.backup, home, folder: join(means.folder, "trial"), random: Math.random },
      })
    : undefined
  // What does not come back is no reason to let go of what is older.
  const prunes = order.keepDays !== null && proof?.passed !== false
  if (prunes) {
    const kept = ["--keep-last", "2", "--keep-daily", String(order.keepDays), "--group-by", ""]
    demand(await restic(["forget", "--prune", ...kept]))
  }
  const backups = await listed(restic)
  const whole = backups.find(({ id }) => id.startsWith(made?.backup ?? "-"))?.id ?? made.backup
  return { made: { ...made, backup: whole }, backups, ...(proof ? { proof } : {}), ...(prunes ? { pruned: true } : {}) }
}

/** Puts the files of a backup over those that are there; what else is there stays. */
async function restore({ home, run }: HomeMeans, restic: Restic, { backup }: HomeOrder): Promise<HomeDone> {
  const workshop = join(home, WORKSHOP)
  await rm(workshop, { recursive: true, force: true })
  await mkdir(workshop, { mode: 0o700 })
  try {
    demand(await restic(["restore", backup ?? "latest", "--no-lock", "--target", workshop]))
    await whileAtRest(run, () => moveOver(workshop, home))
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
  return {}
}

/** Does something while nothing has files of the home open that would be written over. */
async function whileAtRest(run: Run, work: () => Promise<void>): Promise<void> {
  const active: string[] = []
  for (const unit of AT_WORK) {
    if ((await run("systemctl", ["is-active", "--quiet", unit])).code === 0) active.push(unit)
  }
  if (active.length > 0) await run("systemctl", ["stop", ...active])
  try {
    await work()
  } finally {
    if (active.length > 0) await run("systemctl", ["start", "--no-block", ...active])
  }
}

async function listed(restic: Restic): Promise<{ id: string; at: string }[]> {
  const { lines } = demand(await restic(["snapshots", "--json"]))
  const found = JSON.parse(lines.join("\n")) as { id: string; time: string }[]
  const backups = found.map(({ id, time }) => ({ id, at: new Date(time).toISOString() }))
  return backups.sort((a, b) => b.at.localeCompare(a.at)).slice(0, MOST_TOLD)
}

/** @throws with its last words, where it has failed */
function demand<T extends { code: number; said: string }>(result: T): T {
  if (result.code === 0) return result
  if (/ENOENT/.test(result.said)) {
    throw new Error("This machine's image has no program for it: bring the workspace to the newest image.")
  }
  if (/no space left on device/i.test(result.said)) throw new Error("The machine's disk is full: make room on it.")
  throw new Error(`restic has failed: ${lastLine(result.said)}`)
}
