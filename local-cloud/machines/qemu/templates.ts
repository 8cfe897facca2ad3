import { createHash } from "node:crypto"
import { mkdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { MachineConfig } from "../contract.ts"
import type { QemuContext } from "./context.ts"
import { bootOf, type ImageRecord, type Images, layDisk, placeBootFiles } from "./images.ts"
import { launch, launchError } from "./launch.ts"
import { serveMetadata } from "./metadata-server.ts"
import { migrate } from "./migration.ts"
import { isAlive, isGoneWithin, kill, killQemuBelow, type ProcessIdentity } from "./processes.ts"
import { machineFiles, type QemuHost, qemuArguments } from "./qemu-arguments.ts"
import { connectQmp } from "./qmp.ts"
import { checkDisk, freeDisk } from "./room.ts"
import { nobody, STANDBY_PAUSE_MS, STANDBY_USER_DATA } from "./standby.ts"

/** Image ids from here on are those of templates; the API counts its own from 1. */
const FIRST_ID = 2 ** 40
/** Each takes as much disk as its machine has touched of its memory, a gigabyte or so. */
const MOST_TEMPLATES = 4
/** From power on until it stands by, emulated on a busy computer. */
const BOOT_LIMIT_MS = 600_000

/** Files of a template beside its disk. */
export const templateFiles = { memory: "memory", state: "state" } as const

/** What a template is made for: machines of one image and one size on one version of QEMU. */
export interface TemplateKind {
  image: ImageRecord
  size: Pick<MachineConfig, "cores" | "memoryBytes" | "diskBytes">
  host: Pick<QemuHost, "accel" | "metadataConnector">
  /** What QEMU says that it is. */
  qemu: string
}

/**
 * The id of the image that is this kind's template. It names all that must be the same for a copy's memory to fit its
 * machine: the whole command line but what may differ.
 */
export function templateId({ image, size, host, qemu }: TemplateKind): number {
  const memory = { path: templateFiles.memory, role: "copy" } as const
  const args = qemuArguments(nobodysMachine(size), { ...host, forwards: [], boot: null, memory })
  const digest = createHash("sha256")
    .update(JSON.stringify([image.id, size.diskBytes, qemu, args]))
    .digest("hex")
  return FIRST_ID + Number.parseInt(digest.slice(0, 10), 16)
}

/** The kind of a machine that begins with this image's disk; null where such machines boot. */
export async function kindOf(
  { images, boot }: Pick<QemuContext, "images" | "boot">,
  imageId: number,
  { cores, memoryBytes, diskBytes }: TemplateKind["size"],
  host: TemplateKind["host"] & Pick<TemplateKind, "qemu">,
): Promise<TemplateKind | null> {
  if (boot === "cold") return null
  const image = await images.get(imageId)
  if (image?.standby !== true || image.removed) return null
  return { image, size: { cores, memoryBytes, diskBytes }, host, qemu: host.qemu }
}

/** The template of this kind; null where there is none. */
export async function findTemplate(images: Images, kind: TemplateKind): Promise<ImageRecord | null> {
  const template = await images.get(templateId(kind))
  return template === null || template.removed ? null : template
}

/**
 * Boots a machine that is nobody's until it stands by, and keeps its memory, its devices' state and its disk as an image.
 * @param admit throws when this host has no room for such a machine
 * @throws NoRoomError; Error with QEMU's words, or when the machine does not come to stand by
 */
export async function makeTemplate(
  context: QemuContext,
  kind: TemplateKind,
  admit: (memoryBytes: number) => void,
): Promise<void> {
  const { images, inTurn, directory, program, reserve } = context
  const { image, size, host } = kind
  const id = templateId(kind)
  admit(size.memoryBytes)
  checkDisk(size.memoryBytes, await freeDisk(directory), reserve.diskBytes)
  const folder = join(workDirectory(directory), String(id))
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const standsBy = Promise.withResolvers<void>()
  const config = nobodysMachine(size)
  const metadata = await serveMetadata(
    join(folder, machineFiles.metadata),
    () => config.metadata,
    () => {
      standsBy.resolve()
      return nobody
    },
  )
  let machine: ProcessIdentity | null = null
  try {
    await layDisk(join(folder, machineFiles.disk), image.id, size.diskBytes)
    const boot = await bootOf(images.directoryOf(image.id), `../../images/${image.id}`)
    const memory = { path: templateFiles.memory, role: "template" } as const
    machine = await launch(program, qemuArguments(config, { ...host, forwards: [], boot, memory }), folder)
    const begun = machine
    const qmp = await connectQmp(join(folder, machineFiles.qmp), () => isAlive(begun))
    try {
      await Promise.race([
        standsBy.promise,
        qmp.closed.then(async () => Promise.reject(await launchError(folder))),
        sleep(BOOT_LIMIT_MS, undefined, { ref: false }).then(() =>
          Promise.reject(new Error("it does not come to stand by")),
        ),
      ])
      await sleep(STANDBY_PAUSE_MS / 2)
      await qmp.execute("stop")
      await migrate(qmp, templateFiles.state)
      qmp.execute("quit").catch(() => {})
      if (!(await isGoneWithin(machine, 10_000))) await kill(machine)
    } finally {
      qmp.close()
    }
    await inTurn("images", async () => {
      // Its image may have gone meanwhile.
      if ((await images.get(image.id))?.removed !== false) throw new Error("its image was removed meanwhile")
      await images.add(id, async target => {
        for (const name of [machineFiles.disk, templateFiles.memory, templateFiles.state])
          await rename(join(folder, name), join(target, name))
        await placeBootFiles(images.directoryOf(image.id), target)
        const template = { qemu: kind.qemu, madeAt: new Date().toISOString() }
        return { backing: image.id, diskBytes: size.diskBytes, template }
      })
      await removeOldest(images)
    })
  } finally {
    if (machine !== null && isAlive(machine)) await kill(machine)
    await metadata.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Ends what an earlier process was making, and gives up templates that another version of QEMU made. */
export async function openTemplates({ directory, images }: QemuContext, qemu: string): Promise<void> {
  await killQemuBelow(workDirectory(directory))
  await rm(workDirectory(directory), { recursive: true, force: true })
  for (const { id, template } of await images.list())
    if (template !== undefined && template.qemu !== qemu) await remove(images, id)
}

/** No new machine begins as a copy of this image's templates; their disks stay as long as machines lie over them. */
export async function removeTemplatesOf(images: Images, imageId: number): Promise<void> {
  for (const { id, backing, template } of await images.list())
    if (template !== undefined && backing === imageId) await remove(images, id)
}

async function removeOldest(images: Images): Promise<void> {
  const inUse = (await images.list()).filter(({ template, removed }) => template !== undefined && !removed)
  inUse.sort((a, b) => (b.template?.madeAt ?? "").localeCompare(a.template?.madeAt ?? ""))
  for (const { id } of inUse.slice(MOST_TEMPLATES)) await remove(images, id)
}

/** A copy that runs has its memory's file open, and goes on. */
async function remove(images: Images, id: number): Promise<void> {
  await images.markRemoved(id)
  for (const name of Object.values(templateFiles)) await rm(join(images.directoryOf(id), name), { force: true })
}

/** As deep as the directories of machines, since disks name what lies below them relative to themselves. */
const workDirectory = (directory: string) => join(directory, "templates")

/** A machine that is no server's. */
export function nobodysMachine(size: TemplateKind["size"], userData: string = STANDBY_USER_DATA): MachineConfig {
  return {
    ...{ id: 0, name: "template", ...size, ipv4: null, ports: [] },
    metadata: {
      ...{ instanceId: 0, hostname: "template", publicIpv4: null, publicKeys: [], userData },
      ...{ region: "eu-central", availabilityZone: "fsn1-local" },
    },
  }
}
