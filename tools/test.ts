/**
 * `npm test`: set-up, the static checks, then every test. `--full` adds the long campaigns, `--only PATTERN` takes
 * the test files whose path matches. The last line is `N passed, N failed` (`, N skipped`).
 */
import { spawnSync } from "node:child_process"
import { globSync } from "node:fs"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { SetupError } from "./setup/errors.ts"
import { PROJECT_ROOT } from "./setup/paths.ts"
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
const checked =
  values["no-check"] ||
  spawnSync("npm", ["run", "--silent", "check"], { cwd: PROJECT_ROOT, stdio: "inherit" }).status === 0
if (!checked) console.error("npm run check failed: the findings are above")

const pattern = new RegExp(values.only ?? "")
const files = globSync(["test/**/*.test.ts", ...(values.full ? ["test/**/*.full.ts"] : [])], { cwd: PROJECT_ROOT })
  .filter(file => pattern.test(file))
  // Unit tests first: what is broken at the bottom is said before minutes go by.
  .sort((a, b) => order(a) - order(b) || a.localeCompare(b))

const mocha = spawnSync(
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
  { cwd: PROJECT_ROOT, stdio: "inherit", env: { ...process.env, FOOZOL_CHECK_FAILED: checked ? "" : "1" } },
)
process.exit(mocha.status === 0 && checked ? 0 : 1)

function order(file: string): number {
  const at = ["test/unit", "test/conformance", "test/integration"].findIndex(folder => file.startsWith(folder))
  return at < 0 ? 3 : at
}
