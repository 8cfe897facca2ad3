import { z } from "zod"

/** In what part somebody did something. */
export const ROLES = ["user", "operator", "command-line"] as const

const Entry = z.object({
  /** Names it once and for all: a copy that a repeated step has written counts as one. */
  id: z.string().min(1).max(80),
  /** Milliseconds since 1970. */
  at: z.number(),
  /** User id; of the command line, the name of the system's user. */
  who: z.string(),
  /** Login name, as it was then. */
  login: z.string(),
  as: z.enum(ROLES),
  /** How they proved who they are: `login`, `token NAME`, or the host of a command line. */
  by: z.string(),
  /** Address the request came from; null on the machine itself. */
  from: z.string().nullable(),
  /** Id of the API's route, method and path of a page's form, or the command. */
  action: z.string(),
  /** User id of whose thing it was; null: their own, or nobody's. */
  user: z.string().nullable(),
  workspace: z.string().nullable(),
  operation: z.string().nullable(),
  /** What was sent, without anything secret. */
  input: z.record(z.string(), z.unknown()),
  ok: z.boolean(),
  /** HTTP status; null of a command. */
  status: z.number().nullable(),
  /** Id of the error. */
  error: z.string().nullable(),
  /** Id of the request, as in the service's log. */
  request: z.string().nullable(),
})

/** Who did what to whom, and what came of it. */
export type AuditEntry = z.output<typeof Entry>

/** An entry out of a stream or a file; null for what is none. */
export function parseEntry(given: unknown): AuditEntry | null {
  const parsed = Entry.safeParse(given)
  return parsed.success ? parsed.data : null
}

/** Which entries are wanted. What is left out selects nothing. Times are milliseconds since 1970. */
export interface AuditQuery {
  since?: number | undefined
  until?: number | undefined
  /** Id or login name of who did it, or id of whose thing it was. */
  user?: string | undefined
  workspace?: string | undefined
  action?: string | undefined
}

export function isWanted(entry: AuditEntry, { since, until, user, workspace, action }: AuditQuery): boolean {
  if (since !== undefined && entry.at < since) return false
  if (until !== undefined && entry.at >= until) return false
  if (workspace !== undefined && entry.workspace !== workspace) return false
  if (action !== undefined && entry.action !== action) return false
  if (user === undefined) return true
  // GitHub's login names know no capitals.
  return entry.who === user || entry.user === user || entry.login.toLowerCase() === user.toLowerCase()
}

/** Longest text of an input that is kept. */
const TEXT_LENGTH = 200
/** Most fields and list members of an input that are kept. */
const MANY = 30

/** An input as it is kept: texts cut short, lists and records too. */
export function shortened(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.length > TEXT_LENGTH ? `${value.slice(0, TEXT_LENGTH)}…` : value
  if (value === null || typeof value !== "object") return value
  if (depth >= 3) return "…"
  if (Array.isArray(value)) return value.slice(0, MANY).map(one => shortened(one, depth + 1))
  const fields = Object.entries(value).filter(([, one]) => one !== undefined)
  return Object.fromEntries(fields.slice(0, MANY).map(([name, one]) => [name.slice(0, 60), shortened(one, depth + 1)]))
}
