import { existsSync } from "node:fs"
import { mkdir, realpath } from "node:fs/promises"
import { join } from "node:path"
import type { Machines } from "../contract.ts"
import { NoRoomError } from "../contract.ts"
import { detectAcceleration } from "./acceleration.ts"
import { findConnector } from "./connector.ts"
import { createContext, type QemuOptions } from "./context.ts"
import { lockDirectory } from "./directory-lock.ts"
import { createDisks } from "./disks.ts"
import { applyNetwork } from "./host-network/machine-network.ts"
import type { ImageRecord } from "./images.ts"
import { openKeeping } from "./keeping.ts"
import { createPower, type HostFindings } from "./power.ts"
import { findQemu, isAlive } from "./processes.ts"
import { checkDisk, freeDisk, needingDisk } from "./room.ts"
import { run } from "./run.ts"
import { dropStanding, lastWanted, makeStanding, noteWanted, openStanding, standingBytes } from "./standing.ts"
import { findTemplate, kindOf, makeTemplate, openTemplates, type TemplateKind } from "./templates.ts"
import { setVolumes } from "./volumes.ts"

export type { QemuOptions } from "./context.ts"

const longestDirectory = 80
/** So long after a machine of a new kind has begun to boot, its template is made: the person who waits comes first. */
const templateDelay = 60_000

/** Makes the driver that boots real machines with QEMU. Nothing is touched before `open`. */
export function createQemuMachines(options: QemuOptions): Machines {
  const context = createContext(options)
  const { directory, machines, running, alone } = context
  const listeners = new Set<(id: number) => void>()
  const findings = (): HostFindings => {
    if (host === null) throw new Error("The machines are not opened yet.")
    return host
  }
  const power = createPower(
    context,
    id => {
      for (const listener of listeners) listener(id)
    },
    findings,
  )
  const { collectImages, ...disks } = createDisks(context)
  let settled = Promise.resolve()
  /** Ends the making of copies ahead. */
  let making = new AbortController()
  let host: (HostFindings & { unlock: () => Promise<void> }) | null = null

  const findMachinesAgain = async (): Promise<void> => {
    await machines.open()
    const { records, unfinished } = await machines.list()
    for (const id of unfinished) await machines.remove(id)
    const processes = findQemu()
    const root = join(await realpath(directory), "machines")
    await Promise.all(
      records.map(record => power.findAgain(record, processes.get(join(root, String(record.id))) ?? [])),
    )
  }

  const prepare: Machines["prepare"] = async (imageId, size) => {
    // One after the other: each boots a machine.
    return context.inTurn("templates", async () => {
      const kind = host && (await kindOf(context, imageId, size, host))
      if (kind === null) return false
      if ((await findTemplate(context.images, kind)) === null)
        await needingDisk("no template was made", () => makeTemplate(context, kind, power.checkMemoryFor))
      await noteWanted(context, { imageId, size: kind.size })
      await standIfLacking(kind)
      return true
    })
  }

  const standIfLacking = async (kind: TemplateKind): Promise<void> => {
    const template = await findTemplate(context.images, kind)
    // One that has died is none.
    const lacking = context.standing.filter(({ process }) => isAlive(process)).length < context.standingWanted
    if (template !== null && kind.image.practises && lacking) standLater(kind, template)
  }

  /** What an earlier process had made ahead went with it. */
  const standAgain = async (): Promise<void> => {
    const wanted = await lastWanted(context)
    const kind = host && wanted && (await kindOf(context, wanted.imageId, wanted.size, host))
    if (kind) await standIfLacking(kind)
  }

  /** Where there is no room to spare, or it goes wrong, the next machine is a copy that is made when it is wanted. */
  const standLater = (...wanted: [kind: TemplateKind, template: ImageRecord]): void => {
    const { signal } = making
    settled = context.inTurn("standing", () =>
      makeStanding(context, ...wanted, power.checkMemoryFor, signal).catch(error => {
        if (!(error instanceof NoRoomError || signal.aborted)) context.log(`No copy was made ahead: ${error}`)
      }),
    )
  }

  /** The next machine of this kind shall be a copy; found to be there already, nothing is done. */
  const prepareLater = (...kind: Parameters<typeof prepare>): void => {
    if (context.boot === "cold") return
    setTimeout(() => {
      prepare(...kind).catch(error => context.log(`No template was made, so machines like this one boot: ${error}`))
    }, templateDelay).unref()
  }

  return {
    ...disks,
    kind: "qemu",
    open: async () => {
      if (Buffer.byteLength(directory) > longestDirectory) {
        throw new Error(`The directory ${directory} has too long a name; at most ${longestDirectory} bytes work.`)
      }
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const unlock = await lockDirectory(directory)
      try {
        making = new AbortController()
        await context.images.open()
        const accel = await detectAcceleration({ directory, program: context.program, wanted: context.accel })
        const qemu = (await run(context.program, ["--version"])).stdout.split("\n")[0] ?? ""
        host = { accel, metadataConnector: await findConnector(), qemu, unlock }
        await openStanding(context)
        await openKeeping(context)
        await openTemplates(context, qemu)
        await context.network?.open()
        await findMachinesAgain()
        await context.network?.keepOnly([...running.keys()])
        await collectImages()
        await standAgain()
      } catch (error) {
        await power.releaseAll()
        await context.network?.close()
        await unlock()
        throw error
      }
    },
    close: async () => {
      making.abort()
      await settled
      await dropStanding(context)
      await power.releaseAll()
      await context.network?.close()
      await host?.unlock()
      host = null
    },
    admit: async ({ memoryBytes }) => {
      power.checkMemoryFor(memoryBytes, standingBytes(context))
      checkDisk(0, await freeDisk(directory), context.reserve.diskBytes)
    },
    start: config =>
      alone(config.id, async () => {
        if (context.isOn(config.id)) return
        // Whoever waits comes first: what is half made ahead would be in this one's way.
        making.abort()
        making = new AbortController()
        // It may have ended this moment: then its remains are put away first.
        await power.stop(config.id)
        const { fresh, imageId, diskBytes } = await context.recordOf(config.id)
        await needingDisk(`machine ${config.id} was not started`, () => power.start(config, findings()))
        if (fresh) prepareLater(imageId, { ...config, diskBytes })
      }),
    prepare,
    settled: () => settled,
    ahead: () => context.standing.length,
    pressPowerButton: async id => {
      await running.get(id)?.qmp().execute("system_powerdown")
    },
    powerOff: id => alone(id, () => power.stop(id)),
    reset: async id => {
      await running.get(id)?.qmp().execute("system_reset")
    },
    isRunning: async id => context.isOn(id),
    onStopped: listener => {
      listeners.add(listener)
    },
    update: config =>
      alone(config.id, async () => {
        const machine = running.get(config.id)
        if (machine === undefined) return
        machine.config = config
        await machines.put({ ...(await context.recordOf(config.id)), config, process: machine.process })
        await applyNetwork(context, machine, config)
        await setVolumes(machine.qmp(), config.volumes ?? [])
      }),
    makeVolume: context.volumes.make,
    removeVolume: context.volumes.remove,
    remove: id =>
      alone(id, async () => {
        await power.stop(id)
        await machines.remove(id)
        await collectImages()
      }),
    consoleLog: id => (existsSync(context.fileOf(id, "console")) ? context.fileOf(id, "console") : null),
  }
}
