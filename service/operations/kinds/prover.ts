import type { CallOptions, Machine, Machines, Size } from "../../../infra/machines/contract.ts"
import { PROVER, PROVER_LABELS, proverLabels } from "../../../infra/machines/provers.ts"
import type { SnapshotFacts } from "../../../infra/machines/snapshots.ts"
import { proofUserData } from "../../../infra/user-data.ts"
import { LABELS, MANAGER } from "../../../infra/workspace-spec.ts"
import { ServiceError } from "../../errors.ts"
import { proofKey } from "../../machines/proof-key.ts"
import type { OperationRun } from "../operation-run.ts"

/** The machine of this trial: an earlier run's if it is at work, else a new one. */
export async function makeProver(run: OperationRun, backup: SnapshotFacts): Promise<Machine> {
  const { means, operation, signal } = run
  const name = `foozol-proof-${short(backup.id)}`
  for (const one of await listProvers(means.machines, { signal })) {
    const isOurs = one.labels[PROVER_LABELS.operation] === operation.id
    if (isOurs && one.state === "running") return one
    // Of a trial that was given up, or of a start that failed: it would be in the way.
    if (isOurs || one.name === name) await means.machines.remove(one.id, { signal })
  }
  const { size, region } = await placeFor(run, backup)
  const key = proofKey(means.keys, operation.id)
  return means.machines.createApart(
    {
      ...{ name, size, region, image: backup.id },
      labels: proverLabels({ operation: operation.id, backup: backup.id }),
      userData: proofUserData({
        name: `proof-${short(backup.id)}`,
        profile: run.workspace.profile,
        ...serviceOf(run),
        key,
      }),
    },
    { signal },
  )
}

/** Names of machines have at most 63 characters; what tells snapshots of a name apart stands at their end. */
const short = (id: string) => id.slice(-40)

const serviceOf = ({ means, workspace }: OperationRun) => ({
  service: means.config.machineUrl,
  zone: means.config.providers[workspace.provider].zone,
})

/** Removes the machines of this operation. */
export async function removeProvers({ means, operation, signal }: OperationRun): Promise<void> {
  for (const one of await listProvers(means.machines, { signal })) {
    if (one.labels[PROVER_LABELS.operation] === operation.id) await means.machines.remove(one.id, { signal })
  }
}

/** All machines that try backups out. */
export function listProvers(machines: Pick<Machines, "list">, options: CallOptions = {}): Promise<Machine[]> {
  return machines.list({ [LABELS.managedBy]: MANAGER, [PROVER_LABELS.role]: PROVER }, options)
}

/**
 * Where to try a backup out: on the type and in the region its workspace has, else the cheapest that is large enough.
 * @throws ServiceError `sold-out`
 */
async function placeFor({ means, workspace, signal }: OperationRun, backup: SnapshotFacts) {
  const offers = offersFor(await means.machines.sizes({ signal }), backup.diskGb)
  const own = offers.find(one => one.size === workspace.size && one.region === workspace.region)
  const place = own ?? offers[0]
  if (place) return place
  throw new ServiceError(
    "sold-out",
    409,
    `No machine with a disk of ${backup.diskGb} GB can be had now; try again later.`,
    {
      next: "retry",
    },
  )
}

/** Types that can be had with such a disk, cheapest first. Pure. */
function offersFor(sizes: Size[], diskGb: number) {
  return sizes
    .filter(size => size.orderable && size.architecture === "x86" && size.diskGb >= diskGb)
    .flatMap(size =>
      Object.entries(size.regions).map(([region, { available, price }]) => ({
        ...{ size: size.name, region, available, price: price.hourly },
      })),
    )
    .filter(one => one.available)
    .sort((a, b) => a.price - b.price)
}
