import { type Box, cut } from "../rfb/frame.ts"
import type { Viewer } from "../rfb/viewer.ts"
import type { Run } from "../run.ts"
import { viewerOf } from "./screen.ts"

const QUIET_MS = 1_000
/** Something may move for ever: then nobody waits for it to stand still. */
const RESTLESS_MS = 15_000

/** Waits until a part of the screen has not changed for a while, and returns how it looks. */
async function settled(run: Run, viewer: Viewer, box: Box): Promise<Buffer> {
  let [last, since] = [cut(viewer.frame(), box), performance.now()]
  const began = since
  await run.until("a picture that stands still", () => {
    const now = cut(viewer.frame(), box)
    if (!now.equals(last)) [last, since] = [now, performance.now()]
    return performance.now() - Math.max(since, began) >= QUIET_MS || performance.now() - began >= RESTLESS_MS
  })
  return last
}

/**
 * Clicks and waits until a part of the screen shows it, as a person does before typing: what is typed before a window
 * has the focus goes to another one.
 * @param letter pressed after the click, where a click may change nothing to be seen
 */
export async function clickUntilSeen(
  run: Run,
  what: string,
  at: { x: number; y: number },
  box: Box,
  letter = "",
): Promise<void> {
  const viewer = await viewerOf(run)
  // The pointer itself is part of the picture, and what lies under it may light up.
  viewer.point(at)
  const before = await settled(run, viewer, box)
  await viewer.click(at)
  if (letter !== "") await viewer.type(letter)
  await run.until(`${what} after a click into it`, () => !cut(viewer.frame(), box).equals(before))
}
