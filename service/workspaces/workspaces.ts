import { randomUUID } from "node:crypto"
import { z } from "zod"
import type { Config } from "../config.ts"
import { notFound, ServiceError } from "../errors.ts"
import type { Keys } from "../keys.ts"
import type { Estimates } from "../operations/estimates.ts"
import type { OperationEvents } from "../operations/events.ts"
import type { OperationInfo } from "../operations/operation.ts"
import type { OperationQueue } from "../operations/queue.ts"
import { ProxyUrl, SecretName, type Secrets, SecretValue } from "../secrets/secrets.ts"
import type { Budgets } from "../usage/budgets.ts"
import type { Images } from "./images.ts"
import { newWorkspaceId } from "./names.ts"
import type { SizeCatalog } from "./sizes.ts"
import type { WorkspaceStore } from "./store.ts"
import type { Kind } from "./transitions.ts"
import { PROFILES, type Profile, SIZE_CLASSES, type Workspace } from "./workspace.ts"

const ONE_LINE = "must be one line of visible characters"

/** What a person or a program asks for. */
export const CreateWorkspace = z.strictObject({
  profile: z.enum(PROFILES).default("browser"),
  // The machine the requirements name for a desktop (A4).
  sizeClass: z.enum(SIZE_CLASSES).default("large"),
  region: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a region, such as fsn1")
    .optional(),
  provider: z.enum(["hetzner"]).default("hetzner"),
  name: z
    .string()
    .trim()
    .min(1, "must not be empty")
    .max(60, "must have at most 60 characters")
    // In the description of the API stands only this pattern: programs that read it know no classes of Unicode.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, ONE_LINE)
    .refine(text => !/[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text), { error: ONE_LINE })
    .optional(),
  proxy: ProxyUrl.optional(),
  secrets: z
    .record(SecretName, SecretValue)
    .refine(all => Object.keys(all).length <= 50, { error: "must be at most 50" })
    .default({}),
})
export type CreateWorkspace = z.output<typeof CreateWorkspace>

export interface Workspaces {
  /**
   * Creates a workspace, once for one wish: while one of the same profile is being created, or for the same key,
   * that one is answered.
   * @throws ServiceError `quota-reached`, `sold-out`, `unknown-region`, `no-image`, `idempotency-key-reused` or
   *   `budget-reached`
   */
  create(
    user: string,
    wish: CreateWorkspace,
    idempotencyKey: string | null,
  ): Promise<{ created: boolean; workspace: Workspace; operation: string }>
  /** @throws ServiceError `not-found` when it is not the user's */
  get(user: string, id: string): Promise<Workspace>
  listOf(user: string): Promise<Workspace[]>
  /** Begins an operation and returns its id. @throws ServiceError `not-found`, `illegal-transition` or `budget-reached` */
  begin(user: string, id: string, kind: Exclude<Kind, "create">): Promise<string>
  /**
   * Begins an operation that the service itself has decided on.
   * @param requestedBy what part of the service has
   * @throws ServiceError as `begin`
   */
  beginAs(requestedBy: string, id: string, kind: "stop"): Promise<string>
  /** Does again what failed. @throws ServiceError `not-failed` or `budget-reached` */
  retry(user: string, workspace: string): Promise<string>
}

export interface WorkspacesMeans {
  config: Config
  keys: Keys
  store: WorkspaceStore
  queue: OperationQueue
  events: OperationEvents
  estimates: Estimates
  secrets: Secrets
  sizes: SizeCatalog
  images: Images
  budgets: Pick<Budgets, "refuse">
  now: () => number
}

export function createWorkspaces(means: WorkspacesMeans): Workspaces {
  const { config, keys, store, queue, events, estimates, secrets, sizes, images, budgets, now } = means

  async function get(user: string, id: string): Promise<Workspace> {
    const workspace = await store.get(id)
    if (!workspace || workspace.owner !== user) throw notFound("workspace")
    return workspace
  }

  async function asked(
    { id, owner, profile }: { id: string; owner: string; profile: Profile },
    kind: Kind,
    requestedBy = owner,
  ): Promise<OperationInfo> {
    const estimate = await estimates.estimate(kind, profile)
    return { id: randomUUID(), workspace: id, owner, kind, requestedBy, createdAt: now(), estimate }
  }

  async function begin(
    workspace: Workspace,
    kind: Kind,
    options: { retry?: boolean } = {},
    requestedBy = workspace.owner,
  ): Promise<string> {
    if (kind === "start" || kind === "create") await budgets.refuse(workspace.owner)
    const { operation, overtaken } = await store.begin(await asked(workspace, kind, requestedBy), options)
    // Whoever watches it hears at once; if this is lost, the stream finds its end in the record.
    if (overtaken) await events.tell(overtaken, { type: "state", state: "cancelled", at: now() }).catch(() => {})
    await hint(operation)
    return operation
  }

  /** The operation is recorded; where the queue cannot be told, the next comparison finds it. */
  const hint = (operation: string) => queue.add(operation).catch(() => {})

  return {
    get,
    listOf: store.listOf,
    async create(user, wish, idempotencyKey) {
      const { profile, sizeClass, provider } = wish
      const request = { key: idempotencyKey, digest: keys.mac("idempotency", JSON.stringify(wish)) }
      // Before the provider is asked: the first wish may have taken the last machine, and a repeated one is no new one.
      const known = await store.find(user, { ...request, profile })
      if (known) {
        await hint(known.operation)
        return { created: false, workspace: await get(user, known.workspace), operation: known.operation }
      }
      await budgets.refuse(user)
      const region = wish.region ?? (await sizes.regions())[0] ?? "fsn1"
      const [size, image] = await Promise.all([sizes.choose({ sizeClass, region }), images.require(profile)])
      const id = newWorkspaceId()
      const info = {
        ...{ id, owner: user, name: wish.name ?? id, profile, provider, region, size: size.name, sizeClass, image },
        price: size.regions[region]?.price ?? null,
        createdAt: now(),
      }
      await secrets.putForWorkspace(id, { proxy: wish.proxy ?? null, secrets: wish.secrets })
      const answer = await store.create(info, await asked(info, "create"), {
        ...request,
        quota: {
          profile: profile === "desktop" ? config.quota.desktop : config.quota.total,
          total: config.quota.total,
        },
      })
      await hint(answer.operation)
      if (!answer.created) await secrets.forgetWorkspace(id)
      return { created: answer.created, workspace: await get(user, answer.workspace), operation: answer.operation }
    },
    async begin(user, id, kind) {
      return begin(await get(user, id), kind)
    },
    async beginAs(requestedBy, id, kind) {
      const workspace = await store.get(id)
      if (!workspace) throw notFound("workspace")
      return begin(workspace, kind, {}, requestedBy)
    },
    async retry(user, id) {
      const workspace = await get(user, id)
      const last = workspace.operation ? await store.operation(workspace.operation) : null
      if (workspace.state !== "FAILED" || !last) {
        throw new ServiceError("not-failed", 409, "Nothing has failed here that could be tried again.")
      }
      return begin(workspace, last.kind, { retry: true })
    },
  }
}
