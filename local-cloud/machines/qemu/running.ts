import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { MachineConfig } from "../contract.ts"
import { boundLog } from "./bounded-log.ts"
import { type Forward, forwardChanges, forwardRule, forwardSource, parseForwards } from "./forwards.ts"
import { serveMetadata } from "./metadata-server.ts"
import { isAlive, isGoneWithin, kill, type ProcessIdentity } from "./processes.ts"
import { machineFiles } from "./qemu-arguments.ts"
import { connectQmp, type Qmp, type QmpEvent } from "./qmp.ts"
import { nobody, somebody } from "./standby.ts"

/** A machine that is on: its process, the connection to it and the metadata service for it. */
export interface RunningMachine {
  /** What it was given; replaced when ports or metadata change. */
  config: MachineConfig
  readonly process: ProcessIdentity
  /** What it asks. */
  readonly metadata: MetadataService
  qmp(): Qmp
  /** Makes exactly these forwards exist. */
  setForwards(wanted: Forward[]): Promise<void>
  /** Lets go of the machine without stopping it. */
  release(): Promise<void>
  /** Turns it off and returns when its process is gone. */
  stop(): Promise<void>
}

/** A metadata service that answers from the machine's current configuration; started before the machine. */
export interface MetadataService {
  config: MachineConfig
  /** Puts the machine to sleep with its memory; null where that cannot be. */
  sleep: (() => void) | null
  /** It is told to wait when it asks who it is: its memory is being kept. */
  waits: boolean
  /** Resolves when it asks that the next time. */
  asked(): Promise<void>
  close(): Promise<void>
}

const logBytes = 1024 * 1024
const logInterval = 5_000
const quitLimit = 10_000
const fullDiskPause = 10_000

/** Starts the metadata service of a machine. */
export async function startMetadata(directory: string, config: MachineConfig): Promise<MetadataService> {
  let question = Promise.withResolvers<void>()
  const service: MetadataService = {
    ...{ config, sleep: null, waits: false },
    asked: () => question.promise,
    close: async () => {},
  }
  const server = await serveMetadata(
    join(directory, machineFiles.metadata),
    () => service.config.metadata,
    () => {
      question.resolve()
      question = Promise.withResolvers()
      return service.waits ? nobody : somebody(service.config.id)
    },
    {
      can: () => service.sleep !== null && !service.waits && (service.config.volumes ?? []).length === 0,
      begin: () => service.sleep?.(),
    },
  )
  service.close = server.close
  return service
}

/**
 * Takes charge of a living QEMU process, new or found again. `onGone` is called once when it ends by itself, and not
 * after `stop` or `release`. Throws when the process ends or does not answer; then nothing is held.
 */
export async function attach(options: {
  directory: string
  process: ProcessIdentity
  metadata: MetadataService
  onGone: () => void
}): Promise<RunningMachine> {
  const { directory, process, metadata } = options
  const isRunning = () => isAlive(process)
  const connectAgain = async (): Promise<Qmp> => {
    const connection = await connectQmp(join(directory, machineFiles.qmp), isRunning)
    connection.onEvent(event => continueLater(event, connection))
    return connection
  }
  let qmp = await connectAgain()
  let isHeld = true
  const logTimer = setInterval(() => {
    // A log that cannot be shortened now is shortened next time.
    for (const name of [machineFiles.console, machineFiles.errors])
      boundLog(join(directory, name), logBytes).catch(() => {})
  }, logInterval).unref()

  const release = async (): Promise<void> => {
    isHeld = false
    clearInterval(logTimer)
    qmp.close()
    await metadata.close()
  }
  const watch = async (): Promise<void> => {
    for (;;) {
      await qmp.closed
      if (!isHeld) return
      // The connection ends with the process. If the process goes on without it, it is wanted back.
      if (await isGoneWithin(process, 2000)) break
      try {
        qmp = await connectAgain()
      } catch {
        await kill(process)
        break
      }
    }
    if (!isHeld) return
    await release()
    options.onGone()
  }
  watch()

  return {
    ...{ process, metadata },
    get config() {
      return metadata.config
    },
    set config(config) {
      metadata.config = config
    },
    qmp: () => qmp,
    setForwards: wanted => setForwards(qmp, wanted),
    release,
    stop: async () => {
      isHeld = false
      // QEMU closes the connection before it answers, or hangs: either way the process tells.
      qmp.execute("quit").catch(() => {})
      if (!(await isGoneWithin(process, quitLimit))) await kill(process)
      await release()
    },
  }
}

async function setForwards(qmp: Qmp, wanted: Forward[]): Promise<void> {
  const existing = parseForwards(await qmp.human("info usernet"))
  const { remove, add } = forwardChanges(existing, wanted)
  for (const forward of remove) await qmp.human(`hostfwd_remove net ${forwardSource(forward)}`)
  for (const forward of add) {
    const words = await qmp.human(`hostfwd_add net ${forwardRule(forward)}`)
    if (words !== "") throw new Error(`Port ${forward.hostPort} of ${forward.address} cannot be opened: ${words}`)
  }
}

/** QEMU pauses a guest whose write does not fit on this host's disk; it goes on when there is room again. */
async function continueLater(event: QmpEvent, qmp: Qmp): Promise<void> {
  if (event.event !== "BLOCK_IO_ERROR" || event.data?.action !== "stop") return
  await sleep(fullDiskPause, undefined, { ref: false })
  await qmp.execute("cont").catch(() => {})
}
