import { Readable } from "node:stream"
import { z } from "zod"
import { type AuditQuery, ROLES } from "../../audit/entry.ts"
import { auditCsv, auditNdjson, presentEntry } from "../../audit/export.ts"
import type { Services } from "../../services.ts"
import { type ApiRoute, route } from "./define.ts"

/** Entries of a page unless asked otherwise, and at most. */
const [PAGE, LARGEST_PAGE] = [100, 1000]

export const AuditEntrySchema = z
  .object({
    id: z.string(),
    time: z.iso.datetime(),
    who: z.string().meta({ description: "user id; of a command line without the service, the system's user" }),
    login: z.string(),
    as: z.enum(ROLES),
    by: z.string().meta({ description: "`login`, `token NAME`, or the host of a command line" }),
    from: z.string().nullable().meta({ description: "address the request came from" }),
    action: z.string().meta({ description: "id of the API's operation, method and path of a page's form, or command" }),
    user: z.string().nullable().meta({ description: "whose thing it was; null: their own, or nobody's" }),
    workspace: z.string().nullable(),
    operation: z.string().nullable(),
    input: z.record(z.string(), z.unknown()).meta({ description: "what was sent, without secrets" }),
    ok: z.boolean(),
    status: z.int().nullable(),
    error: z.string().nullable(),
    request: z.string().nullable(),
  })
  .meta({ id: "AuditEntry" })

const Head = z.object({ seq: z.int(), hash: z.string() })
export const AuditVerdictSchema = z
  .object({
    whole: z.boolean(),
    lines: z.int(),
    faults: z.array(
      z.object({
        file: z.string(),
        line: z.int(),
        what: z.enum(["unreadable", "changed", "missing-before", "older-files-gone", "end-missing"]),
      }),
    ),
    heads: z.object({ audit: Head, "command-line": Head }).meta({
      description: "the last hash of each chain: noted elsewhere, it tells later that no line up to it has changed",
    }),
    contains: z.boolean(),
  })
  .meta({ id: "AuditVerdict" })

const text = z.string().min(1).max(100)
const Range = z.object({
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  user: text.optional().meta({ description: "id or login name of who did it, or id of whose thing it was" }),
  workspace: text.optional(),
  action: text.optional(),
})

/** What a request asks for, as the log takes it. */
const queryOf = ({ since, until, ...rest }: z.output<typeof Range>): AuditQuery => ({
  ...rest,
  ...(since === undefined ? {} : { since: Date.parse(since) }),
  ...(until === undefined ? {} : { until: Date.parse(until) }),
})

/** `/audit`, for operators. */
export function auditRoutes({ audit }: Services): ApiRoute[] {
  const about = {
    method: "get",
    tag: "Operators",
    forOperators: true,
    scope: "read",
    errors: [403] as number[],
  } as const
  return [
    route({
      ...{ ...about, id: "listAudit", path: "/audit", summary: "Read who did what, newest first" },
      query: Range.extend({
        limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(PAGE),
        after: text.optional().meta({ description: "id of the last entry of the page before" }),
      }),
      replies: {
        200: {
          description: "A page of entries",
          schema: z.object({ entries: z.array(AuditEntrySchema), more: z.boolean() }),
        },
      },
      async handle({ query: { limit, after, ...range } }) {
        const { entries, more } = await audit.page(queryOf(range), limit, after)
        return { status: 200, body: { entries: entries.map(presentEntry), more } }
      },
    }),
    route({
      ...{
        ...about,
        id: "exportAudit",
        path: "/audit.ndjson",
        summary: "Export it: a line of JSON each, oldest first",
      },
      query: Range,
      replies: { 200: { description: "All of them", type: "application/x-ndjson" } },
      async handle({ query }) {
        const body = Readable.from(auditNdjson(audit.all(queryOf(query))))
        return { status: 200, type: "application/x-ndjson", body }
      },
    }),
    route({
      ...{ ...about, id: "exportAuditCsv", path: "/audit.csv", summary: "Export it as CSV, oldest first" },
      query: Range,
      replies: { 200: { description: "All of them", type: "text/csv" } },
      async handle({ query }) {
        const headers = { "Content-Disposition": 'attachment; filename="audit.csv"' }
        return { status: 200, type: "text/csv", headers, body: Readable.from(auditCsv(audit.all(queryOf(query)))) }
      },
    }),
    route({
      ...{ ...about, id: "verifyAudit", path: "/audit/verify", summary: "Check that no line was changed or taken out" },
      query: z.object({
        contains: z
          .string()
          .regex(/^[0-9a-f]{64}$/, "must be a hash of 64 digits")
          .optional()
          .meta({ description: "a hash that was noted before: is its line still there?" }),
      }),
      replies: { 200: { description: "How it was found", schema: AuditVerdictSchema } },
      async handle({ query: { contains } }) {
        return { status: 200, body: await audit.verify(contains) }
      },
    }),
  ]
}
