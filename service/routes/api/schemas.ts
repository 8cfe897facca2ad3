import { z } from "zod"
import type { ImageId } from "../../../infra/image-id.ts"
import { SCOPES } from "../../api-tokens/api-tokens.ts"
import { SCHEDULE } from "../../backups/words.ts"
import type { Config } from "../../config.ts"
import { IDLENESS } from "../../idleness/words.ts"
import { choicesOf } from "../../machines/fetch.ts"
import type { Operation } from "../../operations/operation.ts"
import { RECONCILER } from "../../reconcile/words.ts"
import { ROLL_OUT } from "../../roll-outs/plan.ts"
import { usualSeconds } from "../../traces/rows.ts"
import { SPAN_NAMES, type Span } from "../../traces/span.ts"
import { spanLabel } from "../../traces/words.ts"
import { KINDS, KINDS_BESIDE, STATES } from "../../workspaces/transitions.ts"
import { addressOf, type BackupSummary, PROFILES, SIZE_CLASSES, type Workspace } from "../../workspaces/workspace.ts"

const time = (description: string) => z.iso.datetime().meta({ description })

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "what is wrong, and what to do" }),
    id: z.string().meta({ description: "stable name of the error, for programs" }),
    next: z.enum(["retry", "fail", "investigate"]),
    requestId: z.string(),
  })
  .meta({ id: "Problem", description: "An error (RFC 9457)" })

/** Of an image at a provider: a number at Hetzner, a name at Google. */
export const ImageIdSchema = z.union([z.int(), z.string()])

const FailureSchema = z
  .object({ id: z.string(), message: z.string(), next: z.enum(["retry", "fail", "investigate"]) })
  .meta({ id: "Failure" })

export const PriceSchema = z
  .object({
    ...{ currency: z.string(), hourly: z.number(), monthly: z.number() },
    offHourly: z
      .number()
      .optional()
      .meta({ description: "what of it goes on while the machine is off; all of it if missing" }),
  })
  .meta({ id: "Price", description: "Before tax" })

const BackupSummarySchema = z
  .object({
    last: time("when the newest backup was made").nullable(),
    next: time("when the next one is due, if nothing changes; null while its disk is as it was last time").nullable(),
    lastProven: time("when a backup was last restored on trial with success").nullable(),
  })
  .nullable()
  .meta({ id: "BackupSummary", description: "As they were when they were looked at last; null: not yet" })

const CertificateSchema = z
  .object({
    state: z.enum(["self-signed", "issued", "expired"]),
    issuer: z.string(),
    expiresAt: time("until when it is good"),
    problem: z.string().nullable().meta({ description: "why the last try for another one failed; null: it did not" }),
    nextAt: time("when one is asked for next").nullable(),
    waitsUntil: time("about when its authority grants another new name: until then it waits").nullable(),
  })
  .nullable()
  .meta({ id: "Certificate", description: "That of its machine, as it was reported last; null: not yet" })

const RepositorySchema = z
  .object({
    url: z.string(),
    branch: z.string().nullable(),
    folder: z.string().nullable().meta({ description: "of it, in which terminals begin" }),
    devcontainer: z
      .string()
      .nullable()
      .meta({ description: "the devcontainer.json that was asked for when it was created" }),
    state: z.enum(["waiting", "fetching", "fetched", "failed"]).meta({
      description: "waiting: its machine has not said anything of it yet",
    }),
    percent: z.int().nullable().meta({ description: "how much of it has been fetched; null: not known" }),
    into: z.string().nullable().meta({ description: "the folder of the home that it was fetched into" }),
    reason: z.string().nullable().meta({ description: "why it could not be fetched, and what to do" }),
    container: z
      .object({
        state: z.enum(["starting", "building", "running", "failed", "ended", "stopped", "choose"]).meta({
          description: "choose: it has several, or not the one that was asked for",
        }),
        config: z.string().nullable().meta({ description: "its devcontainer.json" }),
        reason: z.string().nullable().meta({ description: "why there is none" }),
        line: z.string().nullable().meta({ description: "while it is made: what was said of it last" }),
        log: z
          .string()
          .nullable()
          .meta({ description: "while it is made, and of one that failed: the last lines that were said of it" }),
        choices: z.array(z.string()).meta({ description: "where there are several: all of them" }),
      })
      .nullable()
      .meta({ description: "its dev container, in which terminals begin; null: it has none, or not yet" }),
  })
  .nullable()
  .meta({ id: "Repository", description: "What its machine fetches when it is new; null: nothing" })

export const WorkspaceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    profile: z.enum(PROFILES),
    provider: z.string(),
    region: z.string(),
    size: z.string().meta({ description: "machine type at the provider" }),
    sizeClass: z.enum(SIZE_CLASSES).nullable(),
    price: PriceSchema.nullable(),
    state: z.enum(STATES),
    image: z
      .object({
        current: ImageIdSchema.meta({ description: "id of the golden image it is of, at the provider" }),
        newest: ImageIdSchema.nullable().meta({ description: "id of the newest one; null: none, or not known now" }),
        outdated: z.boolean(),
      })
      .nullable(),
    asleep: z.boolean().meta({ description: "its machine is put away into a snapshot, and made again when it starts" }),
    keepsPrograms: z.boolean().meta({ description: "putting it to sleep (`hibernate`) keeps its programs" }),
    programsKept: z.boolean().meta({
      description: "it is asleep with all that ran: programs go on where they were when it starts in the same size",
    }),
    since: time("since when it is in this state").nullable(),
    createdAt: time("when it was asked for"),
    address: z.string().meta({ description: "of its desktop, in a browser" }),
    operation: z.string().nullable().meta({ description: "id of the newest operation" }),
    failure: FailureSchema.nullable(),
    autoStop: z
      .boolean()
      .nullable()
      .meta({ description: "is it stopped by itself when idle? null: as the service does" }),
    keepOnUntil: time("it is kept on until then, used or not").nullable(),
    backups: BackupSummarySchema,
    certificate: CertificateSchema,
    repository: RepositorySchema,
    recorded: z.boolean().meta({
      description: "false where only the provider's labels told of it, because the service's store was lost",
    }),
  })
  .meta({ id: "Workspace" })

export const OperationSchema = z
  .object({
    id: z.string(),
    workspace: z.string(),
    kind: z.enum([...KINDS, ...KINDS_BESIDE]),
    requestedBy: z.enum(["owner", "idleness", "schedule", "operator", "reconciler"]).meta({
      description:
        "idleness: nobody had used it for a while; schedule: daily backups and their trials; operator: an operator, or a roll-out of a newer image; reconciler: its machine was found off, or gone",
    }),
    state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
    createdAt: time("when it was asked for"),
    startedAt: time("when work on it began").nullable(),
    finishedAt: time("when it ended").nullable(),
    estimateSeconds: z.number().nullable().meta({ description: "median of earlier ones" }),
    failure: FailureSchema.nullable(),
  })
  .meta({ id: "Operation" })

const SpanSchema = z
  .object({
    id: z.string().meta({ description: "16 hex digits, as in the trace" }),
    parent: z.string().nullable().meta({ description: "id of the one it is a part of; null: the operation itself" }),
    name: z.enum(SPAN_NAMES),
    of: z.string().nullable().meta({ description: "which step, resource or check" }),
    label: z.string().meta({ description: "in words" }),
    startedAt: time("when it began, by the service's clock"),
    endedAt: time("when it was over"),
    seconds: z.number(),
    usualSeconds: z.number().nullable().meta({ description: "median of earlier ones; null: there were none" }),
    failed: z.boolean(),
  })
  .meta({ id: "Span", description: "What time was spent on" })

export const TimedOperationSchema = OperationSchema.extend({
  trace: z.string().nullable().meta({ description: "id of its trace: 32 hex digits" }),
  spans: z.array(SpanSchema).meta({ description: "those that are over, in the order in which they began" }),
}).meta({ id: "TimedOperation" })

export const TokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scope: z.enum(SCOPES),
    createdAt: time("when it was made"),
    expiresAt: time("when it ends"),
    lastUsedAt: time("when it was used last, to the minute").nullable(),
  })
  .meta({ id: "ApiToken" })

const iso = (ms: number) => new Date(ms).toISOString()
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms))

/** A workspace as the API shows it. @param newest id of the newest image of its profile, where it is known */
export function presentWorkspace(
  workspace: Workspace,
  config: Config,
  newest: ImageId | null,
): z.input<typeof WorkspaceSchema> {
  const { id, name, profile, provider, region, size, sizeClass, price, state, operation, failure } = workspace
  return {
    ...{ id, name, profile, provider, region, size, sizeClass, price, state, operation, failure },
    image: { current: workspace.image, newest, outdated: newest !== null && newest !== workspace.image },
    asleep: workspace.snapshot !== null,
    keepsPrograms: workspace.keepsMemory,
    programsKept: workspace.memory,
    since: iso(workspace.since),
    createdAt: iso(workspace.createdAt),
    address: addressOf({ id, provider }, config),
    autoStop: workspace.settings.autoStop ?? null,
    keepOnUntil: isoOrNull(workspace.settings.keepOnUntil ?? null),
    backups: presentBackups(workspace.backups),
    certificate: presentCertificate(workspace),
    repository: presentRepository(workspace),
    recorded: true,
  }
}

function presentBackups(summary: BackupSummary | null): z.input<typeof BackupSummarySchema> {
  if (!summary) return null
  const { last, next, lastProven } = summary
  return { last: isoOrNull(last), next: isoOrNull(next), lastProven: isoOrNull(lastProven) }
}

function presentCertificate({
  certificate,
  certificateWait,
}: Pick<Workspace, "certificate" | "certificateWait">): z.input<typeof CertificateSchema> {
  if (!certificate) return null
  const { state, issuer, expiresAt, nextAt, problem } = certificate
  return {
    state,
    issuer,
    expiresAt,
    nextAt,
    problem: problem?.reason ?? null,
    waitsUntil: isoOrNull(certificateWait?.about ?? null),
  }
}

function presentRepository({
  repository,
  fetch,
}: Pick<Workspace, "repository" | "fetch">): z.input<typeof RepositorySchema> {
  if (!repository) return null
  const { url, branch, folder, devcontainer } = repository
  const { state = "waiting", percent = null, folder: into = null, reason = null, container } = fetch ?? {}
  return {
    ...{ url, branch, folder, devcontainer, state, percent, into, reason },
    container: container
      ? {
          state: container.state,
          config: container.config ?? null,
          reason: container.reason ?? null,
          line: container.line ?? null,
          log: container.log ?? null,
          choices: choicesOf(container),
        }
      : null,
  }
}

/** An operation as the API shows it. */
export function presentOperation(operation: Operation): z.input<typeof OperationSchema> {
  const { id, workspace, kind, state, failure } = operation
  return {
    ...{ id, workspace, kind, state, failure },
    requestedBy: requesterOf(operation),
    createdAt: iso(operation.createdAt),
    startedAt: isoOrNull(operation.startedAt),
    finishedAt: isoOrNull(operation.finishedAt),
    estimateSeconds: operation.estimate.seconds,
  }
}

/** An operation with what its time was spent on. */
export function presentTimes(operation: Operation, spans: Span[]): z.input<typeof TimedOperationSchema> {
  const { kind, estimate, trace } = operation
  return {
    ...presentOperation(operation),
    trace: trace?.id ?? null,
    spans: spans.map(span => ({
      ...{ id: span.id, parent: span.parent, name: span.name, of: span.of ?? null, label: spanLabel(kind, span) },
      ...{ startedAt: iso(span.at), endedAt: iso(span.until), seconds: (span.until - span.at) / 1000 },
      ...{ usualSeconds: usualSeconds(estimate, span), failed: span.failed ?? false },
    })),
  }
}

const REQUESTERS: Record<string, "idleness" | "schedule" | "operator" | "reconciler"> = {
  [IDLENESS]: "idleness",
  [SCHEDULE]: "schedule",
  [ROLL_OUT]: "operator",
  [RECONCILER]: "reconciler",
}

function requesterOf({ requestedBy, owner }: Operation) {
  if (requestedBy === owner) return "owner"
  // Who is a user and not the owner is an operator.
  return REQUESTERS[requestedBy] ?? (requestedBy.startsWith("gh-") ? "operator" : "owner")
}

export function presentToken(token: {
  id: string
  name: string
  scope: (typeof SCOPES)[number]
  createdAt: number
  expiresAt: number
  lastUsedAt: number | null
}): z.input<typeof TokenSchema> {
  const { id, name, scope, createdAt, expiresAt, lastUsedAt } = token
  return { id, name, scope, createdAt: iso(createdAt), expiresAt: iso(expiresAt), lastUsedAt: isoOrNull(lastUsedAt) }
}
