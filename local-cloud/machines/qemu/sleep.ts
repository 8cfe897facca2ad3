import { setTimeout as sleep } from "node:timers/promises"
import { type MachineConfig, NoRoomError } from "../contract.ts"
import type { QemuContext } from "./context.ts"
import { bootOf } from "./images.ts"
import { keepMemory } from "./keeping.ts"
import { dropKept, fittingHardware, KEPT, keptFiles, moveKept, sizeOf, spendKept } from "./kept.ts"
import { load } from "./migration.ts"
import type { HostFindings } from "./power.ts"
import type { Hardware, MemoryFile } from "./qemu-arguments.ts"
import type { MachineRecord } from "./records.ts"
import type { RunningMachine } from "./running.ts"
import { STANDBY_PAUSE_MS } from "./standby.ts"

/** What the driver's power does for machines that sleep. */
interface Means {
  stop(id: number): Promise<void>
  startWith(
    record: MachineRecord,
    config: MachineConfig,
    host: HostFindings,
    memory?: MemoryFile,
  ): Promise<RunningMachine>
  /** A machine went off by itself. */
  stopped(id: number): void
  /** @throws before there are any */
  findings(): HostFindings
}

/** The part of the driver that lets machines sleep with their memory, and go on with it. */
export interface Sleeping {
  /** Lets the machine wish to fall asleep, where it can. */
  offer(record: MachineRecord, machine: RunningMachine): void
  /**
   * Starts a machine with the memory that was kept of it; that memory is gone then, whatever comes of it. One that does
   * not come to itself is booted by and by.
   * @returns false where there is none that fits: then it is to be booted
   * @throws NoRoomError: the memory waits
   */
  wake(record: MachineRecord, config: MachineConfig, host: HostFindings): Promise<boolean>
}

export function createSleeping(context: QemuContext, { stop, startWith, stopped, findings }: Means): Sleeping {
  const { images, machines, running, alone, inTurn, log } = context

  /** The machine is off then, with its memory in its folder. One that cannot be kept goes on. */
  const fallAsleep = (record: MachineRecord & { hardware: Hardware }, machine: RunningMachine): void => {
    const { id } = record
    const { metadata } = machine
    metadata.waits = true
    // Halfway to its next question, so that none is under way in its memory.
    const still = async () => {
      await Promise.race([metadata.asked(), sleep(10 * STANDBY_PAUSE_MS)])
      await sleep(STANDBY_PAUSE_MS / 2)
    }
    alone(id, async () => {
      if (running.get(id) !== machine) return false
      await keepMemory(context, machine, record, findings(), still)
      await stop(id)
      return true
    })
      .finally(() => {
        metadata.waits = false
      })
      .then(
        isAsleep => isAsleep && stopped(id),
        error => log(`Machine ${id} could not be put to sleep with its memory, and goes on: ${error}`),
      )
  }

  /** The hardware that its memory wants; null, with the memory gone, where it cannot go on with it. */
  const wanted = async (record: MachineRecord, config: MachineConfig, host: HostFindings): Promise<Hardware | null> => {
    const folder = machines.directoryOf(record.id)
    if (record.wakes) await inTurn("images", () => moveKept(images.directoryOf(record.imageId), folder))
    const boot = await bootOf(images.directoryOf(record.imageId), "")
    try {
      const size = sizeOf(record, config)
      const found = await fittingHardware(folder, hardware => ({ size, hardware, host, qemu: host.qemu, boot }))
      if (found !== null && (context.network || (config.volumes ?? []).length > 0))
        throw new Error("it has another network by now, or volumes")
      return found
    } catch (error) {
      log(`Machine ${record.id} cannot go on where it fell asleep, and boots: ${error}`)
      await dropKept(folder)
      return null
    }
  }

  /** Boots a machine that has its memory again and is not itself. */
  const watch = async (
    machine: RunningMachine,
    asked: Promise<void>,
    record: MachineRecord,
    host: HostFindings,
  ): Promise<void> => {
    const { id } = record
    const isItself = await Promise.race([asked.then(() => true), sleep(context.wokenLimitMs, false, { ref: false })])
    if (isItself) return
    await alone(id, async () => {
      if (running.get(id) !== machine) return
      log(`Machine ${id} did not come to itself where it fell asleep, and boots.`)
      await stop(id)
      await startWith(record, machine.config, host).catch(error => {
        stopped(id)
        throw error
      })
    })
  }

  return {
    offer: (record, machine) => {
      const { hardware } = record
      // Without it an earlier version has started the machine. The network of one with addresses of its own is another.
      if (hardware && !context.network) machine.metadata.sleep = () => fallAsleep({ ...record, hardware }, machine)
    },
    wake: async (known, config, host) => {
      const hardware = await wanted(known, config, host)
      if (hardware === null) return false
      // Once it runs, its disk is its own.
      const { wakes: _, fresh: __, ...record } = known
      const folder = machines.directoryOf(record.id)
      const memory = { path: `${KEPT}/${keptFiles.memory}`, role: "kept" } as const
      try {
        const machine = await startWith({ ...record, hardware }, config, host, memory)
        await load(machine.qmp(), `${KEPT}/${keptFiles.state}`)
        // Before anything runs: nobody ever goes on with it a second time.
        await spendKept(folder)
        const asked = machine.metadata.asked()
        await machine.qmp().execute("cont")
        watch(machine, asked, record, host).catch(error => log(`Machine ${record.id} went off: ${error}`))
      } catch (error) {
        if (error instanceof NoRoomError) throw error
        log(`Machine ${record.id} could not go on where it fell asleep, and boots: ${error}`)
        await stop(record.id)
        await dropKept(folder)
        return false
      }
      await dropKept(folder)
      return true
    },
  }
}
