import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { QemuContext } from "./context.ts"
import { readJson, writeAtomically } from "./files.ts"
import { bootOf, type ImageRecord, layDisk } from "./images.ts"
import { launch, launchError } from "./launch.ts"
import { serveMetadata } from "./metadata-server.ts"
import { resume } from "./migration.ts"
import { isAlive, kill, killQemuBelow, type ProcessIdentity, privateBytes } from "./processes.ts"
import { machineFiles, qemuArguments } from "./qemu-arguments.ts"
import { connectQmp } from "./qmp.ts"
import { checkDisk, freeDisk } from "./room.ts"
import { nobody, PRACTICE_USER_DATA, practise, STANDBY_PAUSE_MS } from "./standby.ts"
import { nobodysMachine, type TemplateKind, templateFiles } from "./templates.ts"

/** From its start until it has practised, emulated on a busy computer. */
const PRACTICE_LIMIT_MS = 600_000

/** A copy of a template that was made ahead: it is unlike every other one, has practised, and waits, paused. */
export interface Standing {
  readonly templateId: number
  /** Its directory, where nobody listens or is connected by now. */
  readonly folder: string
  readonly process: ProcessIdentity
}

/** The image and the size of a machine. */
export interface Wanted {
  imageId: number
  size: TemplateKind["size"]
}
const WANTED = "wanted.json"

/**
 * Makes copies of this kind's template until as many stand as are wanted.
 * @param admit throws when this host has no room for a machine with so much memory
 * @param signal ends it; what is half made is removed
 * @throws NoRoomError; Error with QEMU's words, or when the machine does not come to an end with its practice
 */
export async function makeStanding(
  context: QemuContext,
  kind: TemplateKind,
  template: ImageRecord,
  admit: (memoryBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await dropStanding(context, ({ process, templateId }) => !isAlive(process) || templateId !== template.id)
  while (context.standing.length < context.standingWanted && !signal.aborted) {
    // One that stands must never be the reason why the next machine does not fit.
    admit(2 * kind.size.memoryBytes)
    checkDisk(kind.size.memoryBytes, await freeDisk(context.directory), context.reserve.diskBytes)
    context.standing.push(await makeOne(context, kind, template, signal))
  }
}

/** Takes one of the template's out of those that stand: from now on it is the caller's. Null where there is none. */
export function takeStanding(context: QemuContext, templateId: number): Standing | null {
  const at = context.standing.findIndex(one => one.templateId === templateId && isAlive(one.process))
  return at < 0 ? null : (context.standing.splice(at, 1)[0] ?? null)
}

/** Ends those that stand, or those of them that `which` picks, and removes their directories. */
export async function dropStanding(
  context: QemuContext,
  which: (one: Standing) => boolean = () => true,
): Promise<void> {
  const doomed = context.standing.filter(which)
  context.standing = context.standing.filter(one => !doomed.includes(one))
  await Promise.all(doomed.map(end))
}

/** Memory of this host, in bytes, that comes free when those that stand are ended. */
export function standingBytes({ standing }: Pick<QemuContext, "standing">): number {
  return standing.reduce((sum, { process }) => sum + privateBytes(process.pid), 0)
}

/** Of which kind machines were wanted last; null where none was yet, or its note cannot be read: the next one writes it. */
export function lastWanted({ directory }: QemuContext): Promise<Wanted | null> {
  return readJson<Wanted>(join(directory, WANTED)).catch(() => null)
}

/** Notes it, so that one can be made ahead again when this program has started anew. */
export function noteWanted({ directory }: QemuContext, wanted: Wanted): Promise<void> {
  return writeAtomically(join(directory, WANTED), JSON.stringify(wanted))
}

/** Ends what an earlier process has left standing. */
export async function openStanding({ directory }: QemuContext): Promise<void> {
  await killQemuBelow(workDirectory(directory))
  await rm(workDirectory(directory), { recursive: true, force: true })
}

async function end({ process, folder }: Pick<Standing, "process" | "folder">): Promise<void> {
  await kill(process)
  await rm(folder, { recursive: true, force: true })
}

async function makeOne(
  context: QemuContext,
  kind: TemplateKind,
  template: ImageRecord,
  signal: AbortSignal,
): Promise<Standing> {
  const { images, program, directory } = context
  const folder = join(workDirectory(directory), String(++made))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { promise: hasPractised, resolve, reject } = Promise.withResolvers<void>()
  // Its end is looked at further down, maybe after it has come.
  hasPractised.catch(() => {})
  const config = nobodysMachine(kind.size, PRACTICE_USER_DATA)
  let questions = 0
  const metadata = await serveMetadata(
    join(folder, machineFiles.metadata),
    () => config.metadata,
    () => {
      if (questions++ === 0) return practise()
      resolve()
      return nobody
    },
  )
  let process: ProcessIdentity | null = null
  try {
    await layDisk(join(folder, machineFiles.disk), template.id, kind.size.diskBytes)
    const from = `../../images/${template.id}`
    const boot = await bootOf(images.directoryOf(template.id), from)
    const memory = { path: `${from}/${templateFiles.memory}`, role: "copy" } as const
    process = await launch(program, qemuArguments(config, { ...kind.host, forwards: [], boot, memory }), folder)
    const begun = process
    const qmp = await connectQmp(join(folder, machineFiles.qmp), () => isAlive(begun))
    try {
      qmp.onEvent(({ event }) => event === "RESET" && reject(new Error("it started anew")))
      await resume(qmp, `${from}/${templateFiles.state}`)
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
      signal.throwIfAborted()
      qmp.closed.then(async () => reject(await launchError(folder)))
      const limit = setTimeout(() => reject(new Error("its practice does not end")), PRACTICE_LIMIT_MS)
      await hasPractised.finally(() => clearTimeout(limit))
      await sleep(STANDBY_PAUSE_MS / 2)
      await qmp.execute("stop")
    } finally {
      qmp.close()
    }
    return { templateId: template.id, folder, process }
  } catch (error) {
    if (process !== null) await kill(process)
    await rm(folder, { recursive: true, force: true })
    throw error
  } finally {
    await metadata.close()
  }
}

let made = 0

/** As deep as the directories of machines, since disks name what lies below them relative to themselves. */
const workDirectory = (directory: string) => join(directory, "standing")
