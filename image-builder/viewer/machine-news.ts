/// <reference lib="dom" />
import { listen, stayOn, warningText } from "./machine.ts"
import { createStopBanner } from "./stop-banner.ts"

/** How long the machine may take to say why, after the stream has ended; milliseconds. */
const LAST_WORDS_MS = 3_000

/**
 * What the machine tells a page that shows something of it: that the workspace is about to stop, or stays, sleeps, or
 * was signed out of.
 */
export function createMachineNews(options: {
  say: (text: string, kind?: "warning") => void
  end: (name: "sleeping" | "signed-out", reason?: string) => void
  /** Something was copied on the desktop. */
  copied?: () => void
}) {
  const { say, end } = options
  const banner = createStopBanner({ stayOn, say })
  let listening: ReturnType<typeof listen> | undefined
  return {
    /** The page is connected. */
    follow: () => {
      listening?.close()
      listening = listen(event => {
        const isShown = document.documentElement.dataset.state === "connected"
        if (!isShown && event.type !== "sleeping" && event.type !== "signed-out") return
        if (event.type === "copied") options.copied?.()
        else if (event.type === "warning" && event.message === undefined) banner.show(warningText(event))
        else if (event.type === "warning") say(warningText(event), "warning")
        else if (event.type === "stay") {
          banner.hide()
          say("Your workspace stays on: the stop was called off.")
        } else end(event.type, event.reason)
      })
    },
    /** The page is connected no more. */
    leave: () => {
      banner.hide()
      // Why it was stopped comes on the other way, and may come a moment later.
      if (listening !== undefined) setTimeout(listening.close, LAST_WORDS_MS)
    },
  }
}
