import type { Check } from "../check.ts"
import type { Run } from "../run.ts"
import { desktopOf } from "./screen.ts"
import { typed } from "./typing.ts"

/** The other half of the desktop: what stands there is known only from inside. */
export const complete: Check = {
  name: "screen: the browser or the app beside the terminal",
  level: "quick",
  needs: [typed.name],
  async run(run) {
    if (run.profile === "desktop") {
      run.hasApp = (await run.inside.run("test -x /opt/foozol-app/run", { limit: run.patience })).code === 0
    }
    const { terminal, page } = await desktopOf(run)
    const width = ({ left, right }: { left: number; right: number }) => right - left
    if (page === null) return appBeside(run)
    return `terminal of ${width(terminal)} pixels, page of ${width(page)}`
  },
}

/** Nobody knows what an app looks like; that it has a window is what the window manager says. */
async function appBeside(run: Run): Promise<string> {
  const count = "DISPLAY=:99 xprop -root _NET_CLIENT_LIST | grep -o 0x | wc -l"
  await run.until(
    "a window of the app",
    async () => Number((await run.inside.run(count, { limit: run.patience })).output) >= 2,
  )
  return "terminal and the app's window"
}
