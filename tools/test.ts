/**
 * `npm test`: set-up, the static checks, then every test. `--full` adds the long campaigns, `--only PATTERN` takes
 * the test files whose path matches. The last line is `N passed, N failed` (`, N skipped`).
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { globSync, mkdtempSync, rmSync } from "node:fs"
import { freemem, tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { readArguments } from "./arguments.ts"
import { SetupError } from "./setup/errors.ts"
import { cacheDirectory, PROJECT_ROOT } from "./setup/paths.ts"
import { run } from "./setup/run.ts"
import { setUp } from "./setup/setup.ts"
import { keepTimes, lastTimes, tellTimes } from "./test-times.ts"

const { values } = readArguments(
  { options: { full: { type: "boolean" }, only: { type: "string" }, "no-check": { type: "boolean" } } },
  "npm test -- [--only PATTERN] [--full] [--no-check]",
)

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
  /^test\/(image\/|integration\/(copied-browser|cut-off-copies|instant-machines|qemu-machines|sleeping-machines|workspace-machine|image-build-errors|cloud-image)|desktop\/(certificate|golden-image|platform|restore-proof|sign-up|sleep-and-wake|sleep-with-memory|upgrade))/
/** So many files of the rest at once: they wait more than they work (bench/RESULTS.md). */
const OTHERS_AT_ONCE = 2
/** Memory that must be free, bytes, for a second file that boots machines: some have two or three of 2 GiB. */
const ROOM_FOR_MACHINES = 8 * 1024 ** 3
const bin = (name: string) => join(PROJECT_ROOT, "node_modules", ".bin", name)
const known = lastTimes(cacheDirectory())
const scratch = mkdtempSync(join(tmpdir(), "fc-"))
const timesFile = join(scratch, "times")
const pattern = new RegExp(values.only ?? "")
const files = globSync(["test/**/*.test.ts", ...(values.full ? ["test/**/*.full.ts"] : [])], { cwd: PROJECT_ROOT })
  .filter(file => pattern.test(file))
  // Unit tests first: what is broken at the bottom is said before minutes go by. Of the rest the longest, so that none
  // of them runs alone at the end.
  .sort((a, b) => order(a) - order(b) || (known[b] ?? 0) - (known[a] ?? 0) || a.localeCompare(b))

// What boots machines mostly waits for them: the rest runs beside it. The static checks begin with both.
const [machines, others] = [files.filter(file => BOOTS.test(file)), files.filter(file => !BOOTS.test(file))]
const checks = values["no-check"] ? Promise.resolve({ code: 0, output: "" }) : runChecks()
const first = runLane(others, OTHERS_AT_ONCE)
const last = runMachines(machines, first)
const ended = [await first, ...(await last)]
const checked = await checks
if (checked.code !== 0) console.log(`${checked.output}\nnpm run check failed: its findings are above`)
const ok = checked.code === 0 && ended.every(lane => lane.code === 0)
// Once more at the end, where whoever sees only a long run's last lines finds what to mend.
for (const [title, ...lines] of ended.flatMap(lane => lane.failures)) {
  console.log([`\nfailed  ${title}`, ...lines].join("\n"))
}
for (const line of tellTimes(keepTimes(timesFile, PROJECT_ROOT, cacheDirectory()))) console.log(line)
rmSync(scratch, { recursive: true })
console.log(closingLine(ended, checked.code !== 0))
process.exit(ok ? 0 : 1)

interface Lane {
  code: number | null
  closing: string
  /** Of each failed test its title and the first lines of why. */
  failures: string[][]
}

/**
 * Files that boot machines, each by a mocha of its own: one at a time beside the other lane, two when that has ended.
 * So that no two of them mix their lines, what each prints comes at its end.
 */
async function runMachines(queue: string[], first: Promise<unknown>): Promise<Lane[]> {
  const ended: Lane[] = []
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) ended.push(await runLane([file], 1, first))
  }
  const second = first.then(() => (freemem() < ROOM_FOR_MACHINES ? undefined : work()))
  await Promise.all([work(), second])
  return ended
}

/** One run of mocha, `jobs` files at once. @param turn where it is given, nothing is printed before it and the run's end */
async function runLane(lane: string[], jobs: number, turn?: Promise<unknown>): Promise<Lane> {
  if (lane.length === 0) return { code: 0, closing: "0 passed, 0 failed", failures: [] }
  const mocha = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      bin("mocha"),
      "--no-config",
      "--reporter",
      join(PROJECT_ROOT, "tools", "reporter.cjs"),
      ...["--require", join(PROJECT_ROOT, "tools", "file-times.cjs")],
      ...["--timeout", "600000"],
      ...(jobs > 1 ? ["--parallel", "--jobs", `${jobs}`] : []),
      ...lane,
    ],
    {
      ...{ cwd: PROJECT_ROOT, stdio: ["ignore", "pipe", "inherit"] },
      env: {
        ...process.env,
        FOOZOL_TEST_TIMES: timesFile,
        // Of the processes that tests start too: much of what the command line takes is compiling it.
        NODE_COMPILE_CACHE: join(cacheDirectory(), "compile-cache"),
        ...(values.full ? { FOOZOL_TEST_FULL: "1" } : {}),
      },
    },
  )
  // Failures and the closing line are held back until everything has been counted in.
  let closing = ""
  const failures: string[][] = []
  const held: string[] = []
  createInterface({ input: mocha.stdout }).on("line", line => {
    if (/^\d+ passed, \d+ failed/.test(line)) closing = line
    else if (line.startsWith("failed  [")) failures.push(JSON.parse(line.slice("failed  ".length)))
    else if (turn) held.push(line)
    else console.log(line)
  })
  const [code] = (await once(mocha, "close")) as [number | null]
  // The next file does not wait for the turn of this one's lines.
  void turn?.then(() => held.forEach(line => void console.log(line)))
  return { code, closing, failures }
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
