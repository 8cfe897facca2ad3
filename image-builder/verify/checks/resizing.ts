import { type Check, expect } from "../check.ts"
import type { Run } from "../run.ts"
import { desktopOf, viewerOf } from "./screen.ts"
import { complete } from "./window.ts"

/** The size of a common laptop's window. */
const SMALLER = { width: 1280, height: 720 }
const USUAL = { width: 1920, height: 1080 }

async function resize(run: Run, size: { width: number; height: number }): Promise<void> {
  const viewer = await viewerOf(run)
  const headers = { origin: `https://${run.door.name}`, "content-type": "application/json" }
  const answer = await run.ask("/agent/resize", {
    token: run.token,
    method: "POST",
    headers,
    body: JSON.stringify(size),
  })
  expect(answer.status === 200, `/agent/resize answered ${answer.status}: ${answer.body}`)
  await run.until(`a picture of ${size.width}x${size.height}`, () => {
    const { width, height } = viewer.frame()
    return width === size.width && height === size.height
  })
}

export const resizing: Check[] = [
  {
    name: "screen: it takes the size of the viewer's window, and the windows fit into it",
    level: "full",
    needs: [complete.name],
    async run(run) {
      await desktopOf(run)
      await resize(run, SMALLER)
      const { terminal, page } = await desktopOf(run)
      const right = Math.max(terminal.right, page?.right ?? 0)
      // A page that goes on beyond the screen ends at its edge; one that fits has the window's border behind it.
      const missing = page === null ? 0 : (page.right - page.left) / SMALLER.width
      expect(
        missing >= 0.45,
        `At ${SMALLER.width}x${SMALLER.height} the page has ${Math.round(missing * 100)} % of the width: its window was not laid out anew`,
      )
      await resize(run, USUAL)
      await desktopOf(run)
      return `everything up to ${right} of ${SMALLER.width}`
    },
  },
]
