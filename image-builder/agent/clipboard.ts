import { setTimeout as sleep } from "node:timers/promises"
import { pause } from "./backoff.ts"
import type { Feed, Run } from "./run.ts"
import { openXServer } from "./windows/x11.ts"

/** Most bytes of a text that is put onto the desktop's clipboard or read from there. */
export const MOST_CLIPBOARD = 200 * 1024

/** The desktop's clipboard with all of Unicode, and told at once: VNC's own carries Latin-1 alone, some time. */
export interface Clipboard {
  /** @returns whether it has the text now */
  put(text: string): Promise<boolean>
  /** null: it holds none, or no text. */
  text(): Promise<string | null>
}

/** Copied, and marked: some programs paste the one, some the other. */
const SELECTIONS = ["clipboard", "primary"] as const
/**
 * So far apart, and for so long, it is looked at whether a text has arrived, ms: an emulated machine that is busy takes
 * its time, and the other way for the text knows fewer characters.
 */
const [LOOK_MS, PATIENCE_MS] = [50, 20_000]

/** By `xclip`, on the display of the environment. */
export function createClipboard(run: Run, feed: Feed): Clipboard {
  // It stays to answer those who paste: whatever it has inherited of ours would stay open.
  const take = (selection: string, text: string) =>
    feed("sh", ["-c", `exec xclip -selection ${selection} -in -target UTF8_STRING > /dev/null 2>&1`], text)
  const get = async (selection: string) => {
    const { code, stdout } = await run("xclip", ["-selection", selection, "-out", "-target", "UTF8_STRING"])
    return code === 0 && Buffer.byteLength(stdout) <= MOST_CLIPBOARD ? stdout : null
  }
  return {
    text: () => get("clipboard"),
    async put(text) {
      const taken = await Promise.all(SELECTIONS.map(selection => take(selection, text)))
      if (taken.some(({ code }) => code !== 0)) return false
      // What it leaves behind takes the selection a moment after it has ended. It is taken once: by the next time,
      // something newer may have been copied.
      for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(LOOK_MS))
        if ((await Promise.all(SELECTIONS.map(get))).every(one => one === text)) return true
      return false
    },
  }
}

/** A display that is not there, or has gone, is looked for again after so long, ms. */
const AGAIN_MS = 2_000
/** Who copies says so several times over; what is copied at once is told of once, ms. */
const TOGETHER_MS = 150

/** Tells of each copying on the desktop, until aborted. @param socketPath the display's */
export async function watchClipboard(socketPath: string, copied: () => void, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const hear = () => {
    timer ??= setTimeout(() => {
      timer = undefined
      copied()
    }, TOGETHER_MS)
  }
  while (!signal.aborted) {
    const server = await openXServer(socketPath).catch(() => null)
    if (server !== null) {
      signal.addEventListener("abort", server.close)
      if (signal.aborted) server.close()
      await server.onSelection("CLIPBOARD", hear).catch(() => server.close())
      await server.closed
      signal.removeEventListener("abort", server.close)
    }
    await pause(AGAIN_MS, signal)
  }
  clearTimeout(timer)
}
