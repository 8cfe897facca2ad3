import assert from "node:assert/strict"
import { type GoldenDesk, startGoldenDesk } from "./golden-desk.ts"
import { waitUntil } from "./wait-until.ts"

const MINUTES = 60_000
/** Seconds after the last sign of use until it is idle, and from there to the stop; an agent reports every 15 s. */
const IDLE_S = 40
const STOP_S = 20

/** Sessions, windows and panes with their places on the screen and their folders, one a line. */
const LAYOUT = `tmux -u list-panes -a -F '#S:#I.#P #{?automatic-rename,-,#W} #{pane_left},#{pane_top} #{pane_width}x#{pane_height} #{pane_current_path}'`

/** What somebody sets up on their desktop: a file, a hook, two panes side by side, a window with a name, a program. */
const WORK = `mkdir -p ~/files
echo precious > ~/files/precious
sudo tee /etc/foozol/before-stop.d/10-test > /dev/null <<'END'
#!/bin/sh
echo "$(tmux list-panes -a | wc -l) panes" >> ~/before-stop.log
END
sudo chmod +x /etc/foozol/before-stop.d/10-test
tmux split-window -h -c ~/files
tmux send-keys 'echo seen before' Enter
tmux send-keys 'sleep 98765' Enter
tmux new-window -d -n notes -c /srv
until pgrep -x sleep; do sleep 0.2; done`

/** Work that nobody sees: no output, no files, until it is told to end. */
const build = (end: string) =>
  `until curl -sf ${end} > /dev/null; do i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; done`

/** A workspace of the golden image that goes to sleep by itself and is woken by a visit. */
export function sleepsAndWakes(mode: "power-off" | "hibernate"): void {
  describe(`sleep and wake of a real machine: ${mode}`, function () {
    this.timeout(20 * MINUTES)
    let desk: GoldenDesk
    let layout = ""
    let program = ""

    before(async function () {
      desk = await startGoldenDesk(this, {
        ...{ FOOZOL_IDLE_SECONDS: String(IDLE_S), FOOZOL_IDLE_STOP_SECONDS: String(STOP_S) },
        ...{ FOOZOL_IDLE_WARNING_SECONDS: "10", FOOZOL_IDLE_CHECK_SECONDS: "2" },
        ...{ FOOZOL_AUTO_STOP: "false", FOOZOL_STOP_MODE: mode },
      })
    })
    afterEach(function () {
      if (this.currentTest?.state === "failed") console.error(desk?.world.logged().split("\n").slice(-40).join("\n"))
    })
    after(() => desk?.close())

    const at = (path = "") => `/workspaces/${desk.workspace}${path}`
    const activity = () => desk.api("GET", at("/activity"))

    it("opens, and somebody works: a file, panes, a program", async () => {
      await desk.open()
      assert.match(await desk.shell(WORK), /^\d+$/m)
      program = await desk.shell("pgrep -ax sleep | grep 98765")
      layout = await desk.shell(LAYOUT)
      assert.equal(layout.match(/^main:/gm)?.length, 3, layout)
    })

    const buildHolds = async () => {
      const end = desk.scripts.hidden("end", "yes")
      await desk.shell(`(nohup sh -c '${build(end)}' > /dev/null 2>&1 &)`)
      await desk.closeTab()
      const held = await waitUntil(
        "nothing but the build holds it up",
        async () => {
          const found = await activity()
          return found.because.join() === "work" && found
        },
        5 * MINUTES,
      ).catch(async error => {
        throw new Error(`${error.message} ${JSON.stringify(await activity())}`)
      })
      assert.equal(held.verdict, "active")
      await desk.api("PATCH", at(), { autoStop: true })
      // Long past the time at which it would have been stopped.
      const from = Date.now()
      await waitUntil("time passes", () => Date.now() - from > (IDLE_S + STOP_S) * 1_500, 10 * MINUTES)
      assert.equal(await desk.state(), "RUNNING")
      assert.deepEqual((await activity()).because, ["work"])
      desk.scripts.show("end")
    }
    // Once is enough: until it stops, the two ways to stop are one.
    if (mode === "power-off") {
      it("a build in a terminal holds the machine up without a viewer, and is what it is judged by", buildHolds)
    }

    it("then it becomes idle and stops by itself", async () => {
      await desk.closeTab()
      await desk.api("PATCH", at(), { autoStop: true })
      await desk.isIn("STOPPED")
      assert.equal((await desk.api("GET", at())).asleep, mode === "hibernate")
      const { servers } = await desk.world.cloud.api<{ servers: { status: string }[] }>("GET", "/servers")
      assert.deepEqual(
        servers.map(one => one.status),
        mode === "hibernate" ? [] : ["off"],
      )
    })

    // Of one that is put away, the local cloud keeps the memory as well.
    const keepsPrograms = mode === "hibernate"
    const programs = keepsPrograms ? "the same programs" : "no programs"
    it(`a visit to /connect wakes it: same files, same panes in the same places, their text, ${programs}`, async () => {
      assert.equal((await desk.api("GET", at())).programsKept, keepsPrograms)

      await desk.api("PATCH", at(), { autoStop: false })
      await desk.open()
      assert.equal(await desk.shell("cat ~/files/precious"), "precious")
      isLaidOut(await desk.shell(LAYOUT), layout)
      const running = await desk.shell("pgrep -ax sleep | grep 98765 || echo none")
      assert.equal(running, keepsPrograms ? program : "none")
      const pane = await desk.shell("tmux -u capture-pane -p -J -t main:0.1 | tr '\\n' ' '")
      assert.match(pane, keepsPrograms ? /seen before/ : /seen before.*until here before/)
      const clock = Number(await desk.shell("date +%s"))
      assert.ok(Math.abs(clock - Date.now() / 1_000) < 60, `its clock says ${clock}`)
    })

    it("the hook before the stop ran, once, with the terminals still there; the machine went off by itself", async () => {
      assert.equal(await desk.shell("cat ~/before-stop.log"), "3 panes")
      // A machine made from a snapshot has an id of its own, under which there is no journal of the time before.
      if (mode === "power-off") {
        assert.match(await desk.shell("sudo journalctl -q -u foozol-before-stop | cat"), /10-test: done/)
      }
      const { store, events } = desk.world.service().services
      for (const { id } of await store.operationsOf(desk.workspace, 10)) {
        assert.doesNotMatch(JSON.stringify(await events.read(id, null)), /its power was cut/)
      }
    })
  })
}

/**
 * The same sessions, windows, panes and folders in the same places. To a character: the terminal's window opens in one
 * size and is then laid out in another, which tmux shares out by rounding.
 */
function isLaidOut(now: string, before: string): void {
  const shape = (text: string) => text.replaceAll(/\d+,\d+ \d+x\d+/g, "place")
  assert.equal(shape(now), shape(before))
  const numbers = (text: string) => [...text.matchAll(/\d+/g)].map(Number)
  const [is, was] = [numbers(now), numbers(before)]
  for (const [index, number] of is.entries()) assert.ok(Math.abs(number - (was[index] ?? 0)) <= 1, `${now}\n${before}`)
}
