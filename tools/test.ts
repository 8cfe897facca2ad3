/**
 * `npm test`: set-up, the static checks, then every test. `--full` adds the long campaigns, `--only PATTERN` takes
 * the test files whose path matches. The last line is `N passed, N failed` (`, N skipped`).
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { globSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { SetupError } from "./setup/errors.ts"
import { PROJECT_ROOT } from "./setup/paths.ts"
import { run } from "./setup/run.ts"
import { setUp } from "./setup/setup.ts"

const { values } = parseArgs({
  options: { full: { type: "boolean" }, only: { type: "string" }, "no-check": { type: "boolean" } },
})

try {
  await setUp({ assumeYes: process.env.CI === "true" })
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.message)
  console.log("0 passed, 1 failed")
  process.exit(1)
}

const bin = (name: string) => join(PROJECT_ROOT, "node_modules", ".bin", name)
const pattern = new RegExp(values.only ?? "")
const files = globSync(["test/**/*.test.ts", ...(values.full ? ["test/**/*.full.ts"] : [])], { cwd: PROJECT_ROOT })
  .filter(file => pattern.test(file))
  // Unit tests first: what is broken at the bottom is said before minutes go by.
  .sort((a, b) => order(a) - order(b) || a.localeCompare(b))

// The static checks take a core of their own beside the tests, which mostly wait.
const checks = values["no-check"] ? Promise.resolve({ code: 0, output: "" }) : runChecks()
const mocha = spawn(
  process.execPath,
  [
    "--disable-warning=ExperimentalWarning",
    bin("mocha"),
    "--no-config",
    "--reporter",
    join(PROJECT_ROOT, "tools", "reporter.cjs"),
    "--timeout",
    "600000",
    ...files,
  ],
  { cwd: PROJECT_ROOT, stdio: ["ignore", "pipe", "inherit"] },
)
// The closing line of the tests is held back until the checks have been counted in.
let lastLine = ""
createInterface({ input: mocha.stdout }).on("line", line => {
  if (/^\d+ passed, \d+ failed/.test(line)) lastLine = line
  else console.log(line)
})
const [code] = (await once(mocha, "close")) as [number | null]
const checked = await checks
if (checked.code !== 0) console.log(`${checked.output}\nnpm run check failed: its findings are above`)
console.log(closingLine(lastLine, checked.code !== 0))
process.exit(code === 0 && checked.code === 0 ? 0 : 1)

async function runChecks(): Promise<{ code: number | null; output: string }> {
  const { code, stdout, stderr } = await run("npm", ["run", "--silent", "check"], { cwd: PROJECT_ROOT })
  return { code, output: `${stdout}${stderr}` }
}

/** A failed check counts as a failed test; tests that did not come to their end count as one too. */
function closingLine(line: string, checkFailed: boolean): string {
  const [, passed = "0", failed = "1", rest = ""] = /^(\d+) passed, (\d+) failed(.*)$/.exec(line) ?? []
  return `${passed} passed, ${Number(failed) + (checkFailed ? 1 : 0)} failed${rest}`
}

function order(file: string): number {
  // The image's own tests promote it; those that start the whole world then find it so.
  const folders = ["test/unit", "test/conformance", "test/service", "test/security", "test/integration", "test/image"]
  const at = folders.findIndex(folder => file.startsWith(folder))
  return at < 0 ? folders.length : at
}
