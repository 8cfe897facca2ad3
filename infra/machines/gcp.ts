import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { gcpDriftOf } from "../drift/gcp/gcp-drift.ts"
import { InfraError } from "../errors.ts"
import { SNAPSHOT_PREFIX, toGcpLabels } from "../gcp-names.ts"
import { LABELS } from "../workspace-spec.ts"
import type { Machines } from "./contract.ts"
import { bootOf, type Instance, imageToSnapshot, lastOf, placed, toMachine, toSnapshot } from "./gcp-answers.ts"
import { createGcpApart } from "./gcp-apart.ts"
import type { GcpApi } from "./gcp-api.ts"
import { gcpDisks, notThere } from "./gcp-disks.ts"
import { gcpFacts } from "./gcp-facts.ts"
import { ensureNetwork } from "./gcp-network.ts"
import { gcpOffer } from "./gcp-offer.ts"
import { eachPage, everywhere, labelled } from "./gcp-questions.ts"
import { gcpResources } from "./gcp-resources.ts"
import { orNull } from "./or-null.ts"

type Call = { signal?: AbortSignal | undefined }

/** Between two looks at a snapshot that is being made, milliseconds. */
const LOOK_MS = 1_000

/**
 * Google Cloud's machines, of one project. Ids are paths in it, as Pulumi has them; those of snapshots their names.
 * @param main the project that has the zone of names, where that is another one
 */
export function createGcpMachines(api: GcpApi, main: GcpApi = api): Machines {
  const { project } = api.project

  const instanceOf = (id: string, { signal }: Call): Promise<Instance | null> => {
    const { zone, name } = placed(id)
    return orNull(api.ask(({ instances }) => instances.get({ project, zone, instance: name }), signal))
  }
  /** What Google is asked of one machine. */
  const at = (id: string) => {
    const { zone, name } = placed(id)
    return { project, zone, instance: name }
  }
  const stop = (id: string, call: Call, noGracefulShutdown: boolean) =>
    api.change(({ instances }, requestId) => instances.stop({ ...at(id), requestId, noGracefulShutdown }), call)

  const machines: Machines = {
    async list(labels, { signal } = {}) {
      const found = await api.ask(
        ({ instances }) =>
          everywhere(
            instances.aggregatedListAsync({ project, ...labelled(labels) }, eachPage()),
            scope => scope.instances,
          ),
        signal,
      )
      return found.map(toMachine)
    },
    async get(id, call = {}) {
      const instance = await instanceOf(id, call)
      return instance && toMachine(instance)
    },
    powerOn: (id, { signal } = {}) =>
      api.change(({ instances }, requestId) => instances.start({ ...at(id), requestId }), { signal }),
    powerOff: (id, call = {}) => stop(id, call, true),
    async shutDown(id, call = {}) {
      // Google asks the guest, waits 90 seconds (30 for spot), and cuts the power then; it does not say which it was.
      await stop(id, call, false)
      return { forced: false }
    },
    reset: (id, { signal } = {}) =>
      api.change(({ instances }, requestId) => instances.reset({ ...at(id), requestId }), { signal }),

    setDeleteProtection: (id, on, { signal } = {}) => {
      const { zone, name } = placed(id)
      return api.change(
        ({ instances }, requestId) =>
          instances.setDeletionProtection({ project, zone, resource: name, deletionProtection: on, requestId }),
        { signal },
      )
    },
    async remove(id, { signal } = {}) {
      await orNull(api.change(({ instances }, requestId) => instances.delete({ ...at(id), requestId }), { signal }))
    },

    ...gcpDisks(api, () => machines, instanceOf),
    ...gcpResources(api, () => machines, main),
    ...gcpOffer(api, main),
    differences: async (spec, power, { signal } = {}) =>
      gcpDriftOf(spec, await gcpFacts(api, main, machines, spec, signal), power),
    prepare: ({ region }, { signal } = {}) => ensureNetwork(api, region, signal),
    createApart: (wanted, { signal } = {}) => createGcpApart(api, machines, wanted, signal),

    async createSnapshot(machineId, { description, labels }, { signal, begun } = {}) {
      const instance = await instanceOf(machineId, { signal })
      const disk = instance && bootOf(instance)
      if (!instance || !disk) throw notThere()
      const name = `${SNAPSHOT_PREFIX}${(instance.name ?? "").slice(0, 40)}-${randomBytes(5).toString("hex")}`
      const making = api.change(
        ({ disks }, requestId) =>
          disks.createSnapshot({
            ...{ project, zone: placed(machineId).zone, disk: lastOf(disk.source), requestId },
            snapshotResource: { name, description, labels: toGcpLabels(labels) },
          }),
        { signal },
      )
      // Until Google has the disk as it was at one moment it says CREATING, then it copies.
      await Promise.all([making, begun && whenCopied(name, making, begun, { signal })])
      const snapshot = await api.ask(({ snapshots }) => snapshots.get({ project, snapshot: name }), signal)
      if (snapshot.status !== "READY") {
        throw new InfraError(
          "snapshot-unproven",
          "retry",
          `The provider reports the new snapshot as "${snapshot.status}", not as ready; try again.`,
        )
      }
      return toSnapshot(snapshot)
    },
    async listSnapshots(labels, { signal } = {}) {
      const query = { project, ...labelled(labels) }
      // Elsewhere golden images are snapshots. None is a workspace's: who asks for one's need not wait for them.
      const isOfAll = LABELS.managedBy in labels && !(LABELS.workspace in labels) && !(LABELS.owner in labels)
      const [snapshots, images] = await Promise.all([
        api.ask(one => one.snapshots.list(query), signal),
        isOfAll ? api.ask(one => one.images.list(query), signal) : [],
      ])
      // Those of Google's own schedule bear the same labels. Google keeps and removes them.
      return [
        ...snapshots.filter(({ name }) => name?.startsWith(SNAPSHOT_PREFIX)).map(toSnapshot),
        ...images.map(imageToSnapshot),
      ]
    },
    async labelSnapshot(id, labels, { signal } = {}) {
      const { labelFingerprint } = await api.ask(({ snapshots }) => snapshots.get({ project, snapshot: id }), signal)
      await api.change(
        ({ snapshots }) =>
          snapshots.setLabels({
            ...{ project, resource: id },
            globalSetLabelsRequestResource: {
              labels: toGcpLabels(labels),
              ...(labelFingerprint ? { labelFingerprint } : {}),
            },
          }),
        { signal },
      )
    },
    async removeSnapshot(id, { signal } = {}) {
      await orNull(
        api.change(({ snapshots }, requestId) => snapshots.delete({ project, snapshot: id, requestId }), { signal }),
      )
    },
  }
  return machines

  /** Calls `begun` when the disk may change again: at the latest when the snapshot is made. */
  async function whenCopied(name: string, making: Promise<void>, begun: () => void, { signal }: Call): Promise<void> {
    let end: "none" | "made" | "failed" = "none"
    const over = making.then(
      () => {
        end = "made"
      },
      () => {
        end = "failed"
      },
    )
    const isCopied = async () => {
      const seen = await orNull(api.ask(({ snapshots }) => snapshots.get({ project, snapshot: name }), signal))
      return seen !== null && seen.status !== "CREATING"
    }
    while (end === "none" && !(await isCopied()))
      await Promise.race([over, sleep(api.project.pauseMs ?? LOOK_MS, undefined, signal ? { signal } : {})])
    if ((end as string) !== "failed") begun()
  }
}
