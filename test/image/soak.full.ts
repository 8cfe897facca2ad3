import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { goldenDirectory } from "../../cli/golden-images.ts"
import { imageWorld } from "../../cli/image-world.ts"
import { CHECKLIST } from "../../image-builder/verify/checklist.ts"
import { viewerOf } from "../../image-builder/verify/checks/screen.ts"
import { type Run, startRun } from "../../image-builder/verify/run.ts"
import { checksOf, runChecks } from "../../image-builder/verify/run-checks.ts"
import { builtImage } from "../support/built-image.ts"

const MINUTES = Number(process.env.SOAK_MINUTES ?? 30)
const EVERY_MS = 30_000
/** What a process may come to hold between the first and the last third: caches fill, and garbage waits. */
const GROWTH_MB = 10
const UNITS = [
  "foozol-xvfb",
  "foozol-wm",
  "foozol-x11vnc",
  "foozol-agent",
  "nginx",
  "foozol-tmux",
  "foozol-terminal",
  "foozol-browser",
]

interface Sample {
  /** Times that systemd started a unit again, all units together. */
  restarts: number
  /** Memory of the units' main processes, MB. */
  memory: Map<string, number>
}

const look = `for unit in ${UNITS.join(" ")}; do
  pid=$(systemctl show -P MainPID $unit)
  echo "$unit $(systemctl show -P NRestarts $unit) $(sed -n 's/^VmRSS:\\s*\\([0-9]*\\) kB/\\1/p' /proc/$pid/status)"
done`

/** A person at the desktop for half an hour: nothing disconnects, nothing is started again, nothing grows. */
describe("golden image under a viewer for long", function () {
  this.timeout((MINUTES + 60) * 60_000)
  let run: Run
  const samples: Sample[] = []
  let disconnects = 0
  let updates = 0

  async function sample(): Promise<Sample> {
    const { output } = await run.inside.run(look)
    const rows = output
      .trim()
      .split("\n")
      .map(line => line.split(" "))
    return {
      restarts: rows.reduce((sum, [, times]) => sum + Number(times), 0),
      memory: new Map(rows.map(([unit = "", , kilobytes]) => [unit, Number(kilobytes) / 1024])),
    }
  }

  before(async function () {
    const directory = await builtImage(this, "browser")
    run = await startRun({ directory, profile: "browser", world: await imageWorld(goldenDirectory()) })
    const wanted = /^(boot|screen|typing):/
    const results = await runChecks(
      checksOf(CHECKLIST, "quick").filter(({ name }) => wanted.test(name)),
      run,
    )
    for (const { name, state, detail } of results) assert.equal(state, "ok", `${name}: ${detail}`)
    const viewer = await viewerOf(run)
    viewer.closed.then(() => disconnects++)
    // Something that changes on the screen all the time. Not by keys: the browser may take them when it opens.
    await run.inside.run("runuser -u user -- tmux send-keys -t main 'while sleep 1; do date; done' Enter")
    const began = performance.now()
    const first = viewer.updates()
    while (performance.now() - began < MINUTES * 60_000) {
      samples.push(await sample())
      await sleep(EVERY_MS)
    }
    updates = viewer.updates() - first
  })
  after(() => run?.close())

  it("never disconnects the viewer, whose picture goes on", () => {
    assert.equal(disconnects, 0)
    assert.ok(updates > MINUTES * 20, `${updates} updates in ${MINUTES} minutes`)
  })

  it("starts no service again", () => {
    assert.deepEqual([...new Set(samples.map(({ restarts }) => restarts))], [0])
  })

  for (const unit of ["foozol-agent", "foozol-x11vnc", "foozol-xvfb", "foozol-tmux"]) {
    it(`keeps the memory of ${unit}`, () => {
      const sizes = samples.map(({ memory }) => memory.get(unit) ?? Number.NaN)
      const third = Math.ceil(sizes.length / 3)
      const mean = (some: number[]) => some.reduce((sum, one) => sum + one, 0) / some.length
      const [early, late] = [mean(sizes.slice(0, third)), mean(sizes.slice(-third))]
      assert.ok(
        late - early < GROWTH_MB,
        `${early.toFixed(1)} MB in the first third, ${late.toFixed(1)} MB in the last`,
      )
      if (unit !== "foozol-agent") return
      const all = sizes.map(size => size.toFixed(0)).join(" ")
      assert.ok(Math.max(...sizes) < 80, `MB, every ${EVERY_MS / 1_000} s: ${all}`)
    })
  }
})
