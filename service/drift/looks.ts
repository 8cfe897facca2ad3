import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { z } from "zod"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import { Difference } from "../../infra/drift/difference.ts"
import type { Drift } from "../../infra/drift/look.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import { InfraError } from "../../infra/errors.ts"
import { loadScript } from "../redis/scripts.ts"
import { KEY, type WorkspaceStore } from "../workspaces/store.ts"
import type { Workspace } from "../workspaces/workspace.ts"

const keepScript = loadScript(new URL("lua/keep.lua", import.meta.url))

/** The newest look at a workspace. Times are milliseconds since 1970. */
export const Look = z.object({
  /** When it was looked at last with success; null: never yet. */
  at: z.number().nullable(),
  /** What was found then. */
  differences: z.array(Difference),
  /** When it was tried last. */
  triedAt: z.number(),
  /** Why the last try failed; null: it did not. */
  failure: z.object({ id: z.string(), message: z.string() }).nullable(),
})
export type Look = z.output<typeof Look>

/** Looks at what workspaces really have, and what was found last. A look changes nothing at the provider. */
export interface Looks {
  /**
   * Looks, and keeps what it finds.
   * @param options.yields it gives way to whoever needs the engine
   * @returns null where something was begun meanwhile: then nothing is kept
   * @throws InfraError
   */
  look(workspace: Workspace, options?: { signal?: AbortSignal; yields?: boolean }): Promise<Look | null>
  newest(id: string): Promise<Look | null>
  /** In the order of the ids. */
  newestOf(ids: string[]): Promise<(Look | null)[]>
  forget(id: string): Promise<void>
}

export function createLooks(means: {
  redis: Redis
  store: Pick<WorkspaceStore, "get">
  pool: Pick<EnginePool, "run">
  cloud: CloudConfig
  log: Logger
  now: () => number
}): Looks {
  const { redis, pool, cloud, log, now } = means

  async function keep({ id, epoch }: Workspace, look: Look): Promise<Look | null> {
    const keys = [KEY.workspace(id), KEY.drift(id)]
    return (await keepScript.run(redis, keys, [epoch, JSON.stringify(look)])) === 1 ? look : null
  }

  const looks: Looks = {
    async look(workspace, options = {}) {
      const { id, accepted } = workspace
      const began = now()
      try {
        const { differences } = await pool.run<Drift>(
          cloud,
          { action: "drift", workspace: id, power: powerOf(workspace), accepted },
          options,
        )
        const kept = await keep(workspace, { at: began, differences, triedAt: began, failure: null })
        if (kept && differences.length > 0)
          log.warn(
            { workspace: id, differences: differences.map(one => one.words) },
            "a workspace is not as it shall be",
          )
        return kept
      } catch (error) {
        // Somebody else had the engine, or this process stops: it has not been tried.
        if (options.signal?.aborted || (error instanceof InfraError && error.id === "engine-wanted")) throw error
        const before = await looks.newest(id)
        const failure =
          error instanceof InfraError
            ? { id: error.id, message: error.message }
            : { id: "internal", message: "Something unexpected went wrong; the log has the details." }
        await keep(workspace, {
          ...{ at: before?.at ?? null, differences: before?.differences ?? [], triedAt: began, failure },
        })
        throw error
      }
    },
    newest: async id => parseLook(await redis.get(KEY.drift(id))),
    async newestOf(ids) {
      return ids.length === 0 ? [] : (await redis.mget(ids.map(KEY.drift))).map(parseLook)
    },
    async forget(id) {
      await redis.del(KEY.drift(id))
    },
  }
  return looks
}

/** Null too for one that an older service has written in another way: the next look replaces it. */
function parseLook(text: string | null): Look | null {
  if (text === null) return null
  return Look.safeParse(JSON.parse(text)).data ?? null
}

/** Shall its machine be on? Null: it has none, or nobody can tell. */
export function powerOf({ state, snapshot }: Pick<Workspace, "state" | "snapshot">): "on" | "off" | null {
  if (state === "RUNNING" || state === "IDLE") return "on"
  return state === "STOPPED" && snapshot === null ? "off" : null
}
