import { type Backoff, pause } from "../backoff.ts"
import { type Carriage, parseCarriage } from "../carry.ts"
import { type PromptOrder, parsePrompt } from "../conversations/prompt.ts"
import { type HomeOrder, parseHomeOrder } from "../home-backup/order.ts"
import { type Log, reasonOf } from "../log.ts"
import { type DevContainerOrder, parseDevContainer } from "../repository/dev-container.ts"
import { parseRepository, type RepositoryOrder } from "../repository/order.ts"
import { parseSettings, type Settings } from "../settings.ts"
import type { Rest } from "../sleep/rest.ts"
import type { ServiceClient } from "./client.ts"
import { createEventReader, type ServerEvent } from "./sse.ts"

/** What the service may tell a machine. */
export type Order =
  | { type: "revoke"; tokenHash: string }
  | { type: "revoke-all" }
  /** `inMs` from now, where the service says so, is right whatever this machine's clock shows. */
  | { type: "stopping"; reason: string; at: number | null; inMs?: number }
  | { type: "stay" }
  | { type: "report" }
  /** Brings what the user has made onto a volume, or from it; see rootfs/usr/lib/foozol/carry. */
  | ({ type: "carry" } & Carriage)
  /** Hold still for a backup, for so many seconds at most; `thaw` ends it. */
  | { type: "freeze"; id: string; seconds: number }
  | { type: "thaw"; id: string }
  /** Fall asleep with all that runs, where the provider can keep a machine's memory; `POST /machine/awake` says that it did not. */
  | { type: "sleep"; id: string }
  /** What is to be fetched when this machine is new; said at every connection, after the settings. */
  | ({ type: "repository" } & RepositoryOrder)
  /** Has the repository's dev container made anew; `POST /machine/dev-container` answers it. */
  | ({ type: "dev-container" } & DevContainerOrder)
  /** Has something typed for a coding agent; `POST /machine/prompted` answers it. */
  | ({ type: "prompt" } & PromptOrder)
  /** Backs the home up, or brings it back; `POST /machine/home-backup` tells how far that is. Said until it is answered. */
  | { type: "home-backup"; order: HomeOrder }
  | { type: "settings"; settings: Settings }

/** No longer than this are programs kept from writing, whatever the service says. */
const MOST_FROZEN_S = 15

/** Those that carry something. */
const KNOWN = [
  ...["revoke", "stopping", "freeze", "thaw", "sleep", "settings", "carry", "repository", "dev-container", "prompt"],
  "home-backup",
]

/** An event as an order; null for kinds of a newer service. @throws when a known kind is malformed */
export function parseOrder(event: ServerEvent): Order | null {
  if (event.type === "revoke-all" || event.type === "stay" || event.type === "report") return { type: event.type }
  if (!KNOWN.includes(event.type)) return null
  const data = readObject(event)
  if (event.type === "carry") return { type: "carry", ...parseCarriage(data) }
  if (event.type === "repository") return { type: "repository", ...parseRepository(data) }
  if (event.type === "dev-container") return { type: "dev-container", ...parseDevContainer(data) }
  if (event.type === "prompt") return { type: "prompt", ...parsePrompt(data) }
  if (event.type === "home-backup") return { type: "home-backup", order: parseHomeOrder(data) }
  if (event.type === "settings") return { type: "settings", settings: parseSettings(data) }
  if (event.type === "freeze" || event.type === "thaw" || event.type === "sleep") {
    const { id, seconds } = data
    if (typeof id !== "string" || !/^[\w-]{1,64}$/.test(id)) throw new Error(`${event.type} names no operation`)
    if (event.type !== "freeze") return { type: event.type, id }
    return {
      type: "freeze",
      id,
      seconds: Math.min(MOST_FROZEN_S, typeof seconds === "number" && seconds > 0 ? seconds : 5),
    }
  }
  if (event.type === "revoke") {
    const hash = data.tokenHash
    if (typeof hash !== "string" || !/^[0-9a-f]{64}$/i.test(hash)) throw new Error("revoke names no token")
    return { type: "revoke", tokenHash: hash.toLowerCase() }
  }
  const at = typeof data.at === "string" ? Date.parse(data.at) : data.at
  const reason = typeof data.reason === "string" ? data.reason : ""
  const inMs = typeof data.inMs === "number" && data.inMs >= 0 ? { inMs: data.inMs } : {}
  return { type: "stopping", reason, at: typeof at === "number" && Number.isFinite(at) ? at : null, ...inMs }
}

function readObject(event: ServerEvent): Record<string, unknown> {
  let data: unknown
  try {
    data = JSON.parse(event.data)
  } catch {
    // The parser's own message would repeat what may be a secret.
  }
  if (typeof data !== "object" || data === null) throw new Error(`${event.type} carries no object`)
  return data as Record<string, unknown>
}

/** Follows the service's orders until the signal aborts, connecting again and again; nothing it says ends the agent. */
export async function followOrders(options: {
  client: ServiceClient
  backoff: Backoff
  signal: AbortSignal
  log: Log
  /** Called at every new connection: what was said in between is lost. */
  connected(): void
  rest: Rest
  obey(order: Order): Promise<void> | void
}): Promise<void> {
  const { client, backoff, signal, log, rest } = options
  let away = false
  while (!signal.aborted) {
    await rest.over()
    try {
      const stream = await client.events(signal)
      if (away) log.info("the service is back")
      away = false
      options.connected()
      const read = createEventReader()
      for await (const text of stream) {
        // Only a service that says something counts as well: one that hangs up at once is called more and more rarely.
        backoff.reset()
        for (const event of read(text as string)) {
          try {
            const order = parseOrder(event)
            if (order) await options.obey(order)
          } catch (error) {
            log.warn(`an order of the service could not be followed: ${reasonOf(error)}`)
          }
        }
      }
    } catch (error) {
      if (!away && !signal.aborted && !rest.isOn)
        log.warn(`no orders from the service: ${reasonOf(error)}; trying again`)
      away = true
    }
    // Whoever hung up to sleep is on the line again as soon as that is over.
    if (!signal.aborted && !rest.isOn) await pause(backoff.next(), signal)
  }
}
