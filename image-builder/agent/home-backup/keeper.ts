import { type Backoff, pause } from "../backoff.ts"
import { type Log, reasonOf } from "../log.ts"
import type { HomeDone, HomeNews, HomeOrder } from "./order.ts"

/** How far it is, is told so often at most. */
const TELL_MS = 5_000

export interface HomeKeeper {
  /** Begins what was ordered; the same order again is answered by what has come of it. */
  obey(order: HomeOrder): void
  /** Leaves what goes on: another home comes. It is done when it is ordered again. Resolves when nothing works on the home. */
  letGo(): Promise<void>
  /** Ends when the signal aborts and nothing goes on. */
  done(): Promise<void>
}

/** Does one order after the other: a newer one takes the place of one that goes on. */
export function keepHome(options: {
  work(order: HomeOrder, told: (percent: number) => void, signal: AbortSignal): Promise<HomeDone>
  /** @throws when it is not heard */
  tell(news: HomeNews): Promise<void>
  backoff(): Backoff
  signal: AbortSignal
  log: Log
}): HomeKeeper {
  const { work, tell, signal, log } = options
  let going: { id: string; abort: AbortController } | null = null
  let last: HomeNews | null = null
  let tail: Promise<void> = Promise.resolve()

  async function begin(order: HomeOrder, abort: AbortController): Promise<void> {
    const { id } = order
    const both = AbortSignal.any([signal, abort.signal])
    if (both.aborted) return
    let percent: number | undefined
    const say = () => void tell({ id, state: "going", ...(percent === undefined ? {} : { percent }) }).catch(() => {})
    say()
    // Whoever waits hears that it goes on, also where nobody knows how far it is.
    const timer = setInterval(say, TELL_MS)
    log.info(`home: ${order.do} begins`)
    try {
      const done = await work(order, now => (percent = now), both)
      last = { id, state: "done", ...done }
      log.info(`home: ${order.do} is done`)
    } catch (error) {
      if (both.aborted) return
      last = { id, state: "failed", reason: reasonOf(error).slice(0, 500) }
      log.warn(`home: ${order.do} has failed: ${last.reason}`)
    } finally {
      clearInterval(timer)
      if (going?.id === id) going = null
    }
    await answer(last, both)
  }

  /** Until it is heard. */
  async function answer(news: HomeNews, until: AbortSignal): Promise<void> {
    const backoff = options.backoff()
    while (!until.aborted) {
      try {
        return await tell(news)
      } catch {
        await pause(backoff.next(), until)
      }
    }
  }

  return {
    obey(order) {
      if (going?.id === order.id) return
      if (last?.id === order.id) return void answer(last, signal)
      going?.abort.abort()
      const abort = new AbortController()
      going = { id: order.id, abort }
      tail = tail.then(() => begin(order, abort))
    },
    letGo() {
      going?.abort.abort()
      going = null
      return tail
    },
    done: () => tail,
  }
}
