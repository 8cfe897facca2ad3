import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { InfraError } from "../../../infra/errors.ts"
import type { Machine } from "../../../infra/machines/contract.ts"
import { SNAPSHOT_LABELS } from "../../../infra/machines/snapshots.ts"
import { LABELS, MANAGER } from "../../../infra/workspace-spec.ts"
import { ServiceError } from "../../errors.ts"
import type { OperationRun } from "../operation-run.ts"

/** Between two questions to a machine how far it is. */
const LOOK_MS = 2_000
/** An agent that knows of carrying says so with its next report. */
const FIRST_WORD_MS = 90_000
/** So long nothing may move; installing packages moves nothing, and ends by itself before. */
const STILL_MS = 30 * 60_000

/** How far a machine is, as its agent reports it (`carry` of image-builder/rootfs). */
const Progress = z.object({
  operation: z.string(),
  direction: z.enum(["out", "in"]),
  state: z.enum(["running", "done", "failed"]),
  phase: z.string().max(40),
  bytes: z.number(),
  log: z.array(z.string().max(400)).max(20),
})

/** The volume of this operation, attached to a machine: an earlier run's when it has made one. */
export async function volumeAt(run: OperationRun, machine: Machine): Promise<string> {
  const { means, workspace, operation, signal } = run
  const labels = {
    [LABELS.managedBy]: MANAGER,
    [LABELS.workspace]: workspace.id,
    [SNAPSHOT_LABELS.operation]: operation.id,
  }
  const [known] = await means.machines.listVolumes(labels, { signal })
  if (known) {
    await means.machines.attachVolume(known.id, machine.id, { signal })
    return known.id
  }
  // Whatever a machine's disk holds has room on one as large.
  const size = (await means.machines.sizes({ signal })).find(one => one.name === machine.size)
  const about = { name: `carry-${operation.id}`, gb: size?.diskGb ?? 0, labels }
  return (await means.machines.makeVolume(machine.id, about, { signal })).id
}

/** Removes what upgrades of the workspace have left. */
export async function removeVolumes({ means, workspace, signal }: OperationRun): Promise<void> {
  const found = await means.machines.listVolumes({ [LABELS.workspace]: workspace.id }, { signal })
  for (const { id } of found) await means.machines.removeVolume(id, { signal })
}

/**
 * Has the machine bring what is the user's onto the volume, or from it, and waits until it has.
 * @throws ServiceError `image-too-old`, `carry-failed` or `carry-stuck`
 */
export async function carried(run: OperationRun, direction: "out" | "in", volume: string): Promise<void> {
  const { means, workspace, operation, signal } = run
  const begun = means.now()
  let [moved, seen] = [begun, ""]
  for (;;) {
    signal.throwIfAborted()
    const { report, reportedAt } = await means.reports.last(workspace.id)
    const parsed = reportedAt >= begun ? Progress.safeParse(report?.carry) : null
    const now = parsed?.success && parsed.data.operation === operation.id ? parsed.data : null
    if (now?.direction !== direction) {
      // What the machine sees of an id that is a path is its last part: at Google the name of the device.
      const device = volume.split("/").at(-1) as string
      const data = { direction, operation: operation.id, volume: device }
      await means.channel.order(workspace.id, { type: "carry", data })
      if (means.now() - begun > FIRST_WORD_MS) throw tooOld()
    } else if (now.state === "done") {
      for (const line of now.log) run.say(line)
      return
    } else if (now.state === "failed") {
      throw new InfraError(
        "carry-failed",
        "retry",
        `The machine could not ${direction === "out" ? "put the files aside" : "take the files in"}; try again, or ask the operator.`,
        `phase ${now.phase}: ${now.log.join("; ")}`,
      )
    } else {
      const place = `${now.phase} ${now.bytes}`
      if (place !== seen) [moved, seen] = [means.now(), place]
      if (means.now() - moved > STILL_MS) throw stuck(now.phase)
    }
    await means.channel.order(workspace.id, { type: "report", data: {} })
    await sleep(LOOK_MS, undefined, { signal })
  }
}

const tooOld = () =>
  new ServiceError(
    "image-too-old",
    409,
    "Its machine does not know how to put files aside: it is of an image from before upgrades, or its agent does not run.",
  )

const stuck = (phase: string) =>
  new InfraError(
    "carry-stuck",
    "retry",
    "The machine's files did not move any more; try again, or ask the operator.",
    `in the phase ${phase}`,
  )
