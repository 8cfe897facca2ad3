import { z } from "zod"

/** What people are told, and the facts each kind is told with. Nothing secret has a place in them. */
export const FACTS = {
  "about-to-stop": z.strictObject({ ...named(), stopsAt: z.number(), reason: z.string() }),
  stopped: z.strictObject({ ...named(), by: z.enum(["owner", "idleness", "budget", "service"]) }),
  woke: z.strictObject(named()),
  "backup-failed": z.strictObject({ ...named(), message: z.string() }),
  "restore-unproven": z.strictObject({ ...named(), backup: z.string(), message: z.string() }),
  "provisioning-failed": z.strictObject({ ...named(), message: z.string() }),
  /** A coding agent has worked, and waits now. `asks`: for something that is answered in its terminal. */
  "agent-waits": z.strictObject({ ...named(), agent: z.string(), asks: z.boolean() }),
  "budget-near": z.strictObject({
    month: z.string(),
    /** How much of the budget is used: 80 or 100. */
    percent: z.number(),
    amount: z.number(),
    currency: z.string(),
    spent: z.number(),
    /** Are running workspaces stopped now? */
    stops: z.boolean(),
  }),
  /** A person tries out where messages go. */
  test: z.strictObject({}),
  /** Goes to an address that nobody has confirmed yet, and only there. */
  "confirm-address": z.strictObject({ address: z.string(), login: z.string(), link: z.string() }),
} as const

function named() {
  return { workspace: z.string(), name: z.string() }
}

export type NotificationKind = keyof typeof FACTS
export type Facts<K extends NotificationKind> = z.output<(typeof FACTS)[K]>

/** Kinds a user may send where they like. */
export const CHOOSABLE = [
  "about-to-stop",
  "stopped",
  "woke",
  "backup-failed",
  "restore-unproven",
  "provisioning-failed",
  "agent-waits",
  "budget-near",
] as const satisfies NotificationKind[]
export type ChoosableKind = (typeof CHOOSABLE)[number]

/** Something that people are told. */
export type Notification = {
  [K in NotificationKind]: {
    /** The same however often it is told: whoever receives it twice can see that. */
    id: string
    user: string
    kind: K
    facts: Facts<K>
    /** Milliseconds since 1970. */
    at: number
  }
}[NotificationKind]

/** A notification of what was stored; null when it makes no sense. */
export function parseNotification(given: {
  id: string
  user: string
  kind: string
  facts: string
  at: number
}): Notification | null {
  if (!Object.hasOwn(FACTS, given.kind)) return null
  const kind = given.kind as NotificationKind
  try {
    const facts = FACTS[kind].safeParse(JSON.parse(given.facts))
    return facts.success ? ({ ...given, kind, facts: facts.data } as Notification) : null
  } catch {
    return null
  }
}
