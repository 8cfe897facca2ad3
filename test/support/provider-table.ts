import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { UnderTest } from "./conformance.ts"

/** How one case of the conformance suite ended for one provider. */
export interface CaseResult {
  provider: UnderTest
  /** What the case is of, such as `power`. */
  group: string
  title: string
  isPassed: boolean
}

const TITLES: Record<UnderTest, string> = {
  hetzner: "Hetzner",
  "hetzner-qemu": "Hetzner, machines that boot",
  gcp: "Google Cloud",
  scaleway: "Scaleway",
}

const PAGE = join(import.meta.dirname, "..", "..", "docs", "providers", "README.md")
const [BEGIN, END] = ["<!-- made by test/support/write-provider-table.ts -->", "<!-- up to here -->"]

/** The results as a table of Markdown: a line for each case, a column for each provider. Pure. */
export function providerTable(results: readonly CaseResult[]): string {
  const providers = [...new Set(results.map(one => one.provider))]
  const groups = [...new Set(results.map(one => one.group))]
  const of = (group: string, title: string, provider: UnderTest) =>
    results.find(one => one.group === group && one.title === title && one.provider === provider)
  // No result is a case that was not run.
  const cell = (result: CaseResult | undefined) => (result === undefined ? "–" : result.isPassed ? "✓" : "✗")
  const row = (cells: string[]) => `| ${cells.join(" | ")} |`
  const lines = groups.flatMap(group => {
    const titles = [...new Set(results.filter(one => one.group === group).map(one => one.title))]
    return titles.map(title => row([group, title, ...providers.map(name => cell(of(group, title, name)))]))
  })
  const passed = (name: UnderTest) => {
    const own = results.filter(one => one.provider === name)
    return `${own.filter(one => one.isPassed).length} of ${own.length}`
  }
  return [
    row(["of", "case", ...providers.map(name => TITLES[name])]),
    row(["---", "---", ...providers.map(() => "---")]),
    ...lines,
    row(["", "**passed**", ...providers.map(name => `**${passed(name)}**`)]),
  ].join("\n")
}

/** The table that the documentation has. */
export async function tableInDocs(): Promise<string> {
  return parts(await readFile(PAGE, "utf8")).table
}

/** Puts a table into the documentation. */
export async function writeTableInDocs(table: string): Promise<void> {
  const { before, after } = parts(await readFile(PAGE, "utf8"))
  await writeFile(PAGE, `${before}${BEGIN}\n${table}\n${END}${after}`)
}

function parts(page: string): { before: string; table: string; after: string } {
  const [before, rest, ...more] = page.split(BEGIN)
  const [table, after, ...others] = (rest ?? "").split(END)
  if (before === undefined || table === undefined || after === undefined || more.length + others.length > 0)
    throw new Error(`${PAGE} must have "${BEGIN}" and "${END}" once each`)
  return { before, table: table.trim(), after }
}
