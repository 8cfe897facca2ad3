import { type Check, expect } from "../check.ts"
import { openViewer } from "../rfb/viewer.ts"
import type { Run } from "../run.ts"
import { terminalShown, viewerOf } from "./screen.ts"

const SIGNED_OUT = 4401
const PUSHED_MS = 1_000
/** The agent asks again every 10 s; an emulated machine may take a little longer over it. */
const LOST_MS = 20_000

/** Milliseconds from the end of a token to the end of its stream; another token's stream must go on. */
async function timeToClose(run: Run, how: "revoked" | "expired", limit: number): Promise<number> {
  const other = await viewerOf(run)
  const token = run.service.token()
  const viewer = await run.until("a second stream", () => openViewer(run.door, { token, limit: run.patience }))
  await run.until("the first picture", () => viewer.updates() > 0)
  const began = performance.now()
  run.service.end(token, how)
  let end: { code: number; at: number } | null = null
  viewer.closed.then(closed => {
    end = closed
  })
  const closed = await run.until(
    `the end of the stream whose token was ${how}`,
    () => end,
    Math.max(limit, run.patience),
  )
  const milliseconds = Math.round((closed as { at: number }).at - began)
  expect(
    (closed as { code: number }).code === SIGNED_OUT,
    `The stream ended with the code ${(closed as { code: number }).code}, not ${SIGNED_OUT}`,
  )
  expect(milliseconds <= limit, `The stream went on for ${milliseconds} ms`)
  expect(other.isOpen(), "The stream of another token was closed with it")
  return milliseconds
}

export const revocation: Check[] = [
  {
    name: "revocation: a token taken back closes its stream within a second",
    level: "full",
    needs: [terminalShown.name],
    async run(run) {
      await run.until("the machine's connection for events", () => run.service.listeners() > 0)
      return `${await timeToClose(run, "revoked", PUSHED_MS)} ms`
    },
  },
  {
    name: "revocation: a lost message is made up for",
    level: "full",
    needs: [terminalShown.name],
    run: async run => `${await timeToClose(run, "expired", LOST_MS)} ms`,
  },
]
