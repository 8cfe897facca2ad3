import { z } from "zod"
import { faultOf, type Operation } from "../../../operations/operation.ts"
import type { Dossier } from "../../../operators/desk.ts"
import { imageKey, isOutdated, type NewestImages, type Owned } from "../../../operators/fleet.ts"
import type { Person } from "../../../operators/people.ts"
import { STATES } from "../../../workspaces/transitions.ts"
import { ImageIdSchema, OperationSchema, presentOperation } from "../schemas.ts"

const iso = (ms: number) => new Date(ms).toISOString()
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))
const time = z.iso.datetime()

export const FleetMemberSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.string().meta({ description: "user id" }),
    login: z.string().meta({ description: "their login name" }),
    profile: z.string(),
    state: z.enum(STATES),
    asleep: z.boolean(),
    since: time,
    region: z.string(),
    size: z.string(),
    createdAt: time,
    outdated: z.boolean().nullable().meta({ description: "is there a newer image? null: not known now" }),
    failure: z.object({ id: z.string(), message: z.string() }).nullable(),
    lastBackup: time.nullable(),
    lastProven: time.nullable(),
  })
  .meta({ id: "FleetMember", description: "Somebody's workspace, as operators see it in a list" })

export function presentMember({ workspace, login }: Owned, newest: NewestImages): z.input<typeof FleetMemberSchema> {
  const { id, name, owner, profile, state, region, size, failure, backups } = workspace
  return {
    ...{ id, name, owner, login, profile, state, region, size },
    asleep: workspace.snapshot !== null,
    since: iso(workspace.since),
    createdAt: iso(workspace.createdAt),
    outdated: newest[imageKey(workspace)] == null ? null : isOutdated(workspace, newest),
    failure: failure && { id: failure.id, message: failure.message },
    lastBackup: isoOrNull(backups?.last ?? null),
    lastProven: isoOrNull(backups?.lastProven ?? null),
  }
}

export const OperatorsOperationSchema = OperationSchema.extend({
  requester: z.string().meta({ description: "user id, or part of the service" }),
  request: z.string().nullable().meta({ description: "id of the request it was asked for in" }),
  epoch: z.int(),
  attempts: z.int(),
  fault: z
    .object({ id: z.string(), message: z.string(), detail: z.string().nullable() })
    .nullable()
    .meta({ description: "why it failed, in the words for operators" }),
}).meta({ id: "OperatorsOperation" })

export const presentForOperators = (operation: Operation): z.input<typeof OperatorsOperationSchema> => ({
  ...presentOperation(operation),
  requester: operation.requestedBy,
  request: operation.request ?? null,
  epoch: operation.epoch,
  attempts: operation.attempts,
  fault: faultOf(operation),
})

export const PersonSchema = z
  .object({
    id: z.string(),
    login: z.string(),
    name: z.string(),
    createdAt: time,
    lastSignInAt: time.nullable(),
    workspaces: z.int(),
    ending: z.boolean().meta({ description: "their account is being deleted" }),
    suspended: z.object({ at: time, by: z.string(), why: z.string(), keepRunning: z.boolean() }).nullable(),
  })
  .meta({ id: "Person", description: "A user, as operators see one" })

export const presentPerson = ({
  createdAt,
  lastSignInAt,
  suspended,
  ...rest
}: Person): z.input<typeof PersonSchema> => ({
  ...rest,
  createdAt: iso(createdAt),
  lastSignInAt: isoOrNull(lastSignInAt),
  suspended: suspended && { ...suspended, at: iso(suspended.at) },
})

export const DossierSchema = FleetMemberSchema.extend({
  epoch: z.int(),
  image: ImageIdSchema,
  machineId: z.string().nullable(),
  ipv4: z.string().nullable(),
  reportedAt: time.nullable().meta({ description: "when its machine was last heard of" }),
  snapshot: z.string().nullable().meta({ description: "that it sleeps in" }),
  unsavedSince: time.nullable(),
  person: PersonSchema.nullable(),
  operations: z.array(OperatorsOperationSchema),
  machines: z
    .array(
      z.object({
        id: z.string(),
        state: z.string(),
        size: z.string(),
        region: z.string(),
        ipv4: z.string().nullable(),
        epoch: z.string().nullable(),
      }),
    )
    .nullable()
    .meta({ description: "what the provider has under its label; null: it does not answer" }),
  locks: z.array(z.object({ pid: z.int(), hostname: z.string(), takenAt: time })).nullable(),
  leased: z.boolean().meta({ description: "is a worker at it?" }),
}).meta({ id: "Dossier", description: "Everything about one workspace" })

export function presentDossier(found: Dossier, newest: NewestImages): z.input<typeof DossierSchema> {
  const { workspace, owner, operations, machines, locks, leased } = found
  const { epoch, image, machineId, ipv4, snapshot } = workspace
  return {
    ...presentMember({ workspace, login: owner?.login ?? workspace.owner }, newest),
    ...{ epoch, image, machineId, ipv4, snapshot, leased },
    reportedAt: isoOrNull(workspace.reportedAt),
    unsavedSince: isoOrNull(workspace.unsavedSince),
    person: owner && presentPerson(owner),
    operations: operations.map(presentForOperators),
    machines:
      machines?.map(({ id, state, size, region, ipv4, labels }) => ({
        ...{ id, state, size, region, ipv4, epoch: labels["foozol-epoch"] ?? null },
      })) ?? null,
    locks: locks?.map(({ pid, hostname, takenAt }) => ({ pid, hostname, takenAt: iso(takenAt) })) ?? null,
  }
}
