import { BUTTON_COLOUR, PRESSED_COLOUR } from "../around/site.ts"
import { type Check, expect } from "../check.ts"
import { type Box, centre, regionOf } from "../rfb/frame.ts"
import { KEYS } from "../rfb/keys.ts"
import type { Run } from "../run.ts"
import { clickUntilSeen } from "./focus.ts"
import { desktopOf, viewerOf } from "./screen.ts"
import { complete } from "./window.ts"

/** Half the height of Chromium's row of address bar and buttons, which lies right above the page. */
const ADDRESS_BAR_ABOVE = 22

/** Clicks into the address bar above a page and goes to an address. */
export async function navigate(run: Run, page: Box, address: string): Promise<void> {
  const viewer = await viewerOf(run)
  const bar = { ...page, top: page.top - 2 * ADDRESS_BAR_ABOVE, bottom: page.top }
  await clickUntilSeen(run, "the address bar's focus", centre(bar), bar)
  // The whole address is selected only by the first click: what a second one leaves must not stay.
  await viewer.chord(KEYS.control, "a".charCodeAt(0))
  await viewer.type(`${address}\n`)
}

/** Waits for a large area of one colour on the screen. */
export async function areaOf(run: Run, what: string, colour: number): Promise<Box> {
  const viewer = await viewerOf(run)
  return run.until(what, () => {
    const region = regionOf(viewer.frame(), colour)
    return region !== null && region.share > 0.03 && region.box
  })
}

export const browsing: Check[] = [
  {
    name: "browsing: an address typed into the browser, a button clicked on its page",
    level: "full",
    needs: [complete.name],
    async run(run) {
      const { page } = await desktopOf(run)
      if (page === null) return "the image has an app and no browser window"
      const path = run.site.newPath()
      await navigate(run, page, `${run.machine.hostFromInside}:${run.site.port}${path}`)
      const visit = await run.until("the browser's request for the typed address", () =>
        run.site.visits.find(one => one.path === path),
      )
      expect(/Chrom(e|ium)\//.test(visit.userAgent), `The address was asked for by "${visit.userAgent}"`)
      const button = await areaOf(run, "the page's button on the screen", BUTTON_COLOUR)
      await (await viewerOf(run)).click(centre(button))
      await run.until("the request of the clicked button", () =>
        run.site.visits.some(one => one.path === `${path}/pressed`),
      )
      await areaOf(run, "what the click changed on the screen", PRESSED_COLOUR)
      return visit.userAgent.replace(/.*(Chrom\S+).*/, "$1")
    },
  },
]
