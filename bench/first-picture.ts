import { setTimeout as sleep } from "node:timers/promises"
import type { GoldenMachine } from "../test/support/golden-machine.ts"
import type { RfbClient } from "../test/support/rfb-client.ts"
import { waitUntil } from "../test/support/wait-until.ts"

/** Colours by which the desktop's parts are known: the terminal's ground, and that of the page the browser opens. */
const TERMINAL = 0x111a24
const PAGE = 0xf3f6f9
/** So long a machine may take, milliseconds. */
export const LIMIT = 300_000

/** So long a question at the door may wait before another one is asked beside it, milliseconds. */
const UNHEARD_MS = 1_000

/**
 * The first answer of the door. A question asked before the machine has a network is heard only when its first packet
 * is sent again, seconds later: so another one is asked then. Not sooner: each is work for the machine.
 */
export async function doorAnswers(machine: GoldenMachine): Promise<void> {
  const end = Date.now() + LIMIT
  let answered = false
  // Whoever was not heard may be the first to be answered.
  const heard = Promise.withResolvers<void>()
  while (!answered) {
    if (Date.now() > end) throw new Error("The machine's door does not answer.")
    const last = machine.ask("/", { cookie: "" }).then(
      () => {
        answered = true
        heard.resolve()
      },
      () => sleep(50),
    )
    await Promise.race([heard.promise, last, sleep(UNHEARD_MS)])
  }
}

/** Looks at a desktop until something is on it. @throws when it never is */
export async function isSeen(what: string, viewer: RfbClient, test: () => boolean): Promise<void> {
  await viewer.look()
  await waitUntil(
    `${what} is seen`,
    async () => {
      if (test()) return true
      await sleep(100)
      await viewer.look(true)
      return false
    },
    LIMIT,
  )
}

/** Whether the left third shows a terminal with something written in it, and the rest a page with something on it. */
export function isComplete({ pixels, width, height }: RfbClient): boolean {
  let [ground, letters, page, words] = [0, 0, 0, 0]
  for (let y = 40; y < height - 40; y++) {
    for (let x = 4; x < width; x++) {
      const pixel = pixels[y * width + x] ?? 0
      if (x < width / 3 - 4) {
        if (pixel === TERMINAL) ground++
        else if ((pixel & 0xff00) > 0xa000) letters++
      } else if (pixel === PAGE) page++
      else if (y > height / 4 && pixel >> 16 < 0x60) words++
    }
  }
  const [third, rest] = [(width * height) / 3, (2 * width * height) / 3]
  return ground > third / 2 && letters > 100 && page > rest / 3 && words > 500
}
