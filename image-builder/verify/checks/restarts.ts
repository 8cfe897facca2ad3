import { type Check, expect } from "../check.ts"
import type { Run } from "../run.ts"
import { desktopOf, viewerOf } from "./screen.ts"
import { windowUnit } from "./settings.ts"
import { typed } from "./typing.ts"
import { complete } from "./window.ts"

interface Part {
  what: string
  unit(run: Run): string
  /** What must be the same before and after, as a script that prints it. */
  keeps?: string
}

/** The display comes last: everything on it goes down with it. */
const PARTS: Part[] = [
  {
    what: "terminal window",
    unit: () => "foozol-terminal",
    // The window is only a view: what runs in it goes on.
    keeps: "tmux -S /tmp/tmux-1000/default list-panes -a -F '#{session_name} #{pane_pid}'",
  },
  { what: "terminals (tmux)", unit: () => "foozol-tmux" },
  { what: "browser or app", unit: windowUnit },
  { what: "window manager", unit: () => "foozol-wm" },
  { what: "x11vnc", unit: () => "foozol-x11vnc" },
  { what: "agent", unit: () => "foozol-agent" },
  { what: "nginx", unit: () => "nginx" },
  { what: "display (Xvfb)", unit: () => "foozol-xvfb" },
]

/**
 * Kills a unit's main process and waits until systemd has another one in its place and every unit runs: what a part
 * takes down with it must come back with it.
 */
const killAndWait = (unit: string, units: string[], seconds: number) => `
before=$(systemctl show -P MainPID ${unit})
[ "$before" -gt 1 ] || { echo "it does not run"; exit 1; }
kill -KILL $before
end=$(($(date +%s) + ${seconds}))
until now=$(systemctl show -P MainPID ${unit}) && [ "$now" -gt 1 ] && [ "$now" != $before ] &&
  [ "$(systemctl is-active ${units.join(" ")} | sort -u)" = active ]; do
  [ $(date +%s) -lt $end ] || {
    for one in ${units.join(" ")}; do systemctl is-active -q $one || echo "$one is $(systemctl is-active $one)"; done
    exit 1
  }
  sleep 0.2
done
echo "$before $now"`

/** Waits for a picture by way of NGINX, the agent and x11vnc. */
async function untilShown(run: Run): Promise<void> {
  await run.until("a picture of the desktop", async () => {
    const viewer = await viewerOf(run)
    const before = viewer.updates()
    viewer.refresh()
    await run.until("an update", () => viewer.updates() > before || !viewer.isOpen(), 10_000)
    return viewer.isOpen()
  })
}

const restartOf = ({ what, unit, keeps }: Part): Check => ({
  name: `restart: ${what}`,
  level: "full",
  needs: [typed.name],
  async run(run) {
    const look = async () => (keeps === undefined ? "" : (await run.inside.run(keeps, { limit: run.patience })).output)
    const before = await look()
    const seconds = Math.round(run.patience / 1000)
    const { code, output } = await run.inside.run(
      killAndWait(
        unit(run),
        PARTS.map(part => part.unit(run)),
        seconds,
      ),
      { limit: run.patience + 120_000 },
    )
    expect(code === 0, `After ${unit(run)} was killed: ${output.trim().split("\n").join(", ")}`)
    await untilShown(run)
    expect((await look()) === before, "What ran in it did not go on")
    return `process ${output.trim().replace(" ", " became ")}`
  },
})

export const restarts: Check[] = [
  ...PARTS.map(restartOf),
  {
    name: "restart: the desktop is complete after all of them",
    level: "full",
    needs: [complete.name, typed.name],
    async run(run) {
      await untilShown(run)
      await desktopOf(run)
      return "terminal and window are there"
    },
  },
]
