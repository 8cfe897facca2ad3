import type { Command } from "commander"
import { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import type { AuditEntry } from "../../service/audit/entry.ts"
import { auditCsv, auditNdjson, presentEntry } from "../../service/audit/export.ts"
import { SERIES } from "../../service/audit/files.ts"
import { AuditEntrySchema, AuditVerdictSchema } from "../../service/routes/api/audit.ts"
import { openApi } from "../api-client.ts"
import { auditFiles } from "../audit-direct.ts"
import { printTable } from "../print-table.ts"
import { viaService, type WayOptions, withWay } from "../stack/verbs.ts"

interface AuditOptions extends WayOptions {
  since?: string
  until?: string
  user?: string
  workspace?: string
  limit: string
  json?: boolean
  csv?: boolean
}

const SPANS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time, or a span back from now, as the API takes it. @throws InfraError `bad-time` */
function timeOf(text: string | undefined, now = Date.now()): string | undefined {
  if (text === undefined) return undefined
  const [, amount, unit = ""] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const at = amount === undefined ? Date.parse(text) : now - Number(amount) * (SPANS[unit] ?? 0)
  if (!Number.isNaN(at)) return new Date(at).toISOString()
  throw new InfraError(
    "bad-time",
    "fail",
    `"${text}" is no time: give 2026-11-21, 2026-11-21T08:00Z, or a span back such as 8h.`,
  )
}

/** `foozol-cloud audit`: who did what, for operators. */
export function addAudit(program: Command): void {
  const audit = withWay(program.command("audit").description("who did what, for operators"))
    .option("--since <time>", "from this time on, or a span back such as 8h or 7d")
    .option("--until <time>", "before this time")
    .option("--user <user>", "what this user did, by id or login name, or what was done to theirs")
    .option("--workspace <workspace>", "what was done to this workspace")
    .option("--limit <number>", "entries at most; not with --json and --csv", "100")
    .option("--json", "all of them, a line of JSON each, oldest first")
    .option("--csv", "all of them as CSV, oldest first")
    .action(show)
  withWay(audit.command("verify").description("check that no line was changed or taken out"))
    .option("--contains <hash>", "is the line there whose hash this is?")
    .option("--json", "print JSON, and nothing else")
    .action((_: object, command: Command) => verify(command.optsWithGlobals()))
}

async function show({ limit, json, csv, ...options }: AuditOptions): Promise<void> {
  const { user, workspace } = options
  const [since, until] = [timeOf(options.since), timeOf(options.until)]
  const given = Object.entries({ since, until, user, workspace }).flatMap(([name, value]) =>
    value ? [[name, value]] : [],
  )
  const query = new URLSearchParams(given as [string, string][])
  if (!viaService(options)) {
    const range = {
      ...{ user, workspace },
      ...(since ? { since: Date.parse(since) } : {}),
      ...(until ? { until: Date.parse(until) } : {}),
    }
    const files = auditFiles()
    if (json || csv) return write(csv ? auditCsv(files.oldestFirst(range)) : auditNdjson(files.oldestFirst(range)))
    const found: AuditEntry[] = []
    for await (const entry of files.newestFirst(range)) if (found.push(entry) >= Number(limit)) break
    return print(found.map(presentEntry))
  }
  const api = openApi(options)
  if (json || csv) {
    const answer = await api.raw("GET", `/audit.${csv ? "csv" : "ndjson"}?${query}`)
    return write(answer.body?.pipeThrough(new TextDecoderStream()) ?? [])
  }
  const Page = z.object({ entries: z.array(AuditEntrySchema), more: z.boolean() })
  query.set("limit", limit)
  print((await api.call("GET", `/audit?${query}`, Page)).entries)
}

async function write(texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  for await (const text of texts) {
    if (!process.stdout.write(text)) await new Promise(resolve => process.stdout.once("drain", resolve))
  }
}

function print(entries: z.input<typeof AuditEntrySchema>[]): void {
  printTable(
    ["time", "who", "how", "from", "what", "whose", "workspace", "result"],
    entries.map(one => [
      ...[one.time, one.as === "user" ? one.login : `${one.login} (${one.as})`, one.by, one.from ?? "", one.action],
      ...[one.user ?? "", one.workspace ?? "", one.ok ? "ok" : `FAILED: ${one.error ?? one.status}`],
    ]),
  )
}

async function verify(options: WayOptions & { contains?: string; json?: boolean }): Promise<void> {
  const { contains, json } = options
  const query = contains ? `?${new URLSearchParams({ contains })}` : ""
  const found = viaService(options)
    ? await openApi(options).call("GET", `/audit/verify${query}`, AuditVerdictSchema)
    : await verifyFiles(contains)
  if (!found.whole || !found.contains) process.exitCode = 1
  if (json) return console.log(JSON.stringify(found, null, 2))
  for (const { file, line, what } of found.faults) console.log(`${file}:${line}  ${what}`)
  if (!found.contains) console.log(`no line has the hash ${contains}`)
  console.log(found.whole ? `whole: ${found.lines} lines` : `${found.faults.length} faults in ${found.lines} lines`)
  for (const series of SERIES) console.log(`${series.padEnd(12)}  ${found.heads[series].hash || "nothing yet"}`)
}

async function verifyFiles(contains: string | undefined): Promise<z.output<typeof AuditVerdictSchema>> {
  const files = auditFiles()
  const [ours, theirs] = await Promise.all([files.verify("audit", contains), files.verify("command-line", contains)])
  const faults = [...ours.faults, ...theirs.faults]
  return {
    ...{ whole: faults.length === 0, lines: ours.lines + theirs.lines, faults },
    heads: { audit: ours.head, "command-line": theirs.head },
    contains: ours.contains || theirs.contains,
  }
}
