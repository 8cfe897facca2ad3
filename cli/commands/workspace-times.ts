import type { Command } from "commander"
import { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import { OperationSchema, TimedOperationSchema } from "../../service/routes/api/schemas.ts"
import { openApi } from "../api-client.ts"
import { findWorkspace } from "../find-workspace.ts"
import { printTable } from "../print-table.ts"
import { type OutputOptions, printJson } from "../workspace-output.ts"

type Timed = z.output<typeof TimedOperationSchema>

/** `foozol-cloud workspace times`: where the time of an operation went. */
export function addWorkspaceTimes(add: (name: string, about: string) => Command): void {
  add(
    "times <workspace>",
    "show where the time of what was done with it last went, from the click to the first picture",
  )
    .option("--operation <id>", "of an earlier operation")
    .action(async (given: string, options: OutputOptions & { operation?: string }) => {
      const api = openApi(options)
      const { id } = await findWorkspace(api, given)
      const Listed = z.object({ operations: z.array(OperationSchema) })
      const { operations } = await api.call("GET", `/operations?workspace=${id}`, Listed)
      const wanted =
        options.operation === undefined ? operations[0] : operations.find(one => one.id === options.operation)
      if (wanted === undefined) {
        throw new InfraError(
          "not-found",
          "fail",
          `Of ${id} no such operation is known: leave --operation out for the newest.`,
        )
      }
      const found = await api.call("GET", `/operations/${wanted.id}`, TimedOperationSchema)
      if (options.json) return printJson(found)
      console.log(
        [found.kind, found.state, found.id, ...(found.trace === null ? [] : [`trace ${found.trace}`])].join("  "),
      )
      printTable(["what", "seconds", "usually", "began after"], rowsOf(found.spans))
    })
}

/** Each with what it is made of below it. */
function rowsOf(spans: Timed["spans"], parent: string | null = null, depth = 0): string[][] {
  const began = Math.min(...spans.map(one => Date.parse(one.startedAt)))
  return spans
    .filter(one => one.parent === parent)
    .flatMap(one => [
      [
        `${"  ".repeat(depth)}${one.label}${one.failed ? " (failed)" : ""}`,
        one.seconds.toFixed(2),
        one.usualSeconds === null ? "" : one.usualSeconds.toFixed(1),
        ((Date.parse(one.startedAt) - began) / 1000).toFixed(2),
      ],
      ...rowsOf(spans, one.id, depth + 1),
    ])
}
