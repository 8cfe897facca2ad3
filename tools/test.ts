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

/** Test files that build images or boot machines. */
const BOOTS =
  /^test\/(image\/|integration\/(copied-browser|instant-machines|qemu-machines|workspace-machine|image-build-errors|cloud-image)|desktop\/(certificate|golden-image|platform|restore-proof|sign-up|sleep-and-wake|upgrade))/
const bin = (name: string) => join(PROJECT_ROOT, "node_modules", ".bin", name)
const pattern = new RegExp(values.only ?? "")
const files = globSync(["test/**/*.test.ts", ...(values.full ? ["test/**/*.full.ts"] : [])], { cwd: PROJECT_ROOT })
  .filter(file => pattern.test(file))
  // Unit tests first: what is broken at the bottom is said before minutes go by.
  .sort((a, b) => order(a) - order(b) || a.localeCompare(b))

// What boots machines mostly waits for them: the rest runs beside it. The static checks begin with both.
const [machines, others] = [files.filter(file => BOOTS.test(file)), files.filter(file => !BOOTS.test(file))]
const checks = values["no-check"] ? Promise.resolve({ code: 0, output: "" }) : runChecks()
const first = runLane(others, Promise.resolve())
const ended = await Promise.all([first, runLane(machines, first)])
const checked = await checks
if (checked.code !== 0) console.log(`${checked.output}\nnpm run check failed: its findings are above`)
const ok = checked.code === 0 && ended.every(lane => lane.code === 0)
console.log(closingLine(ended, checked.code !== 0))
process.exit(ok ? 0 : 1)

/** One run of mocha. So that two of them do not mix their lines, this one's are held until `turn` has come. */
async function runLane(lane: string[], turn: Promise<unknown>): Promise<{ code: number | null; closing: string }> {
  if (lane.length === 0) return { code: 0, closing: "0 passed, 0 failed" }
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
      ...lane,
    ],
    {
      ...{ cwd: PROJECT_ROOT, stdio: ["ignore", "pipe", "inherit"] },
      env: { ...process.env, ...(values.full ? { FOOZOL_TEST_FULL: "1" } : {}) },
    },
  )
  // The closing line is held back until everything has been counted in.
  let closing = ""
  let held: string[] | null = []
  createInterface({ input: mocha.stdout }).on("line", line => {
    if (/^\d+ passed, \d+ failed/.test(line)) closing = line
    else if (held !== null) held.push(line)
    else console.log(line)
  })
  const close = once(mocha, "close") as Promise<[number | null]>
  await turn
  for (const line of held) console.log(line)
  held = null
  const [code] = await close
  return { code, closing }
}

async function runChecks(): Promise<{ code: number | null; output: string }> {
  const { code, stdout, stderr } = await run("npm", ["run", "--silent", "check"], { cwd: PROJECT_ROOT })
  return { code, output: `${stdout}${stderr}` }
}

/** A failed check counts as a failed test; a lane that did not come to its end counts as one too. */
function closingLine(ended: { closing: string }[], checkFailed: boolean): string {
  const sum = { passed: 0, failed: checkFailed ? 1 : 0, skipped: 0 }
  for (const { closing } of ended) {
    const found = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/.exec(closing) ?? ["", "0", "1"]
    sum.passed += Number(found[1])
    sum.failed += Number(found[2])
    sum.skipped += Number(found[3] ?? 0)
  }
  return `${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`
}

function order(file: string): number {
  // The image's own tests promote it; those that start the whole world then find it so.
  const folders = ["test/unit", "test/conformance", "test/service", "test/security", "test/integration", "test/image"]
  const at = folders.findIndex(folder => file.startsWith(folder))
  return at < 0 ? folders.length : at
}
