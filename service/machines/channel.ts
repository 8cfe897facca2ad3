import type { Redis } from "ioredis"
import type { Repository } from "../../infra/repositories/repository.ts"
import type { Prompt } from "../conversations/report.ts"
import { PREFIX } from "../redis/connect.ts"
import type { Subscriber } from "../redis/subscriber.ts"
import type { Revoked } from "../vnc-tokens/vnc-tokens.ts"

/** What a machine may be told; see the agent's `service/orders.ts`. Secrets never go this way: machines fetch them. */
export type Order =
  | { type: "revoke"; data: { tokenHash: string } }
  | { type: "revoke-all"; data: Record<string, never> }
  /** `inMs` from now is the same as `at`, for a machine whose clock is wrong. */
  | { type: "stopping"; data: { reason: string; at: string | null; inMs?: number } }
  /** A stop that was announced does not come. */
  | { type: "stay"; data: Record<string, never> }
  /** Bring what the user has made onto a volume, or from it. */
  | { type: "carry"; data: { direction: "out" | "in"; operation: string; volume: string } }
  /** Report now. */
  | { type: "report"; data: Record<string, never> }
  /**
   * Write a manifest, flush the filesystem, hold writes back for so many seconds at most, and answer with
   * `POST /machine/frozen`; `thaw` ends that earlier.
   */
  | { type: "freeze"; data: { id: string; seconds: number } }
  | { type: "thaw"; data: { id: string } }
  /**
   * Fall asleep with all that runs, where the provider can keep a machine's memory: the machine goes off. One that does
   * not answers with `POST /machine/awake`.
   */
  | { type: "sleep"; data: { id: string } }
  /**
   * Fetch this repository, once; said at every connection. While it is held, something else is at work on the home:
   * nothing is begun then.
   */
  | { type: "repository"; data: Repository & { isHeld: boolean } }
  /** Have the repository's dev container made anew, the one of `config` if there is such; `POST /machine/dev-container` answers. */
  | { type: "dev-container"; data: { id: string; config: string | null } }
  /** Type this for a coding agent; `POST /machine/prompted` answers. It passes through Redis, and stays nowhere. */
  | { type: "prompt"; data: { id: string } & Prompt }
  /** Back the home up, or bring it back; `POST /machine/home-backup` tells how far it is. Said until it is answered. */
  | {
      type: "home-backup"
      data: { id: string; do: "backup" | "restore"; prove: boolean; keepDays: number | null; backup: string | null }
    }
  /** Its settings have changed: the process it listens at sends them. */
  | { type: "settings"; data: Record<string, never> }

const orders = (workspace: string) => `${PREFIX}machine:${workspace}`
const news = (workspace: string) => `${PREFIX}machine-news:${workspace}`

/**
 * News of a machine for whoever waits for it: `frozen`, `awake`, `prompted`, `dev-container` and `home` with what it
 * answered, `proof` of one that tries a backup out.
 */
export type News = "connected" | "reported" | `${"frozen" | "awake" | "home" | Answer} ${string}` | "proof"
/** Of orders that somebody waits for. */
export type Answer = "prompted" | "dev-container"

export interface MachineChannel {
  /**
   * Tells a machine something, at whichever process it listens. What it misses, its own re-check finds.
   * @returns how many processes it listens at
   */
  order(workspace: string, order: Order): Promise<number>
  /** Tells the machines of revoked tokens, so that open streams close at once. */
  revoke(revoked: Revoked[]): Promise<void>
  listen(workspace: string, hear: (order: Order) => void): Promise<() => void>
  /** Of a machine that tries a backup out, `workspace` is its operation. */
  announce(workspace: string, what: News): Promise<void>
  waitFor(workspace: string, hear: (what: News) => void): Promise<() => void>
}

export function createMachineChannel(redis: Redis, subscriber: Subscriber): MachineChannel {
  const order = (workspace: string, given: Order) => redis.publish(orders(workspace), JSON.stringify(given))
  return {
    order,
    async revoke(revoked) {
      await Promise.all(
        revoked.map(({ workspace, tokenHash }) => order(workspace, { type: "revoke", data: { tokenHash } })),
      )
    },
    listen: (workspace, hear) => subscriber.listen(orders(workspace), text => hear(JSON.parse(text) as Order)),
    announce: async (workspace, what) => {
      await redis.publish(news(workspace), what)
    },
    waitFor: (workspace, hear) => subscriber.listen(news(workspace), text => hear(text as News)),
  }
}
