import type { Check } from "../check.ts"
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
    if (page === null) return `terminal of ${width(terminal)} pixels, the app beside it`
    return `terminal of ${width(terminal)} pixels, page of ${width(page)}`
  },
}
