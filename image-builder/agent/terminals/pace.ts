/** Bytes a page may have before it that it has not taken: at first, at least and at most. */
const [FIRST, LEAST, MOST] = [128 * 1024, 16 * 1024, 512 * 1024]
/** How late a page may be before it gets less at a time, in ms: what is on its way is what Ctrl-C has to wait for. */
const LATE_MS = 150
/** Below this much a page that was behind is shown the terminal anew. */
const CLEAR = 16 * 1024

export interface Pace {
  sent(bytes: number, now: number): void
  /** A snapshot was sent: it counts for nothing, or a large one would be behind at once. */
  sentAnew(bytes: number, now: number): void
  /** The page has taken so many bytes in all. */
  taken(total: number, now: number): void
  /** Has it more before it than it should? */
  isBehind(): boolean
  /** Has it taken about all there was? */
  isClear(): boolean
}

/** How much of a terminal's output a page gets before it has taken what it has: less where the way is slow. */
export function createPace(): Pace {
  let [sent, taken, free, window] = [0, 0, 0, FIRST]
  let marks: { at: number; upTo: number }[] = []
  const add = (bytes: number, now: number) => {
    sent += bytes
    marks.push({ at: now, upTo: sent })
  }
  return {
    sent: add,
    sentAnew: (bytes, now) => {
      add(bytes, now)
      free = sent
    },
    taken: (total, now) => {
      if (!(total > taken && total <= sent)) return
      taken = total
      const reached = marks.filter(mark => mark.upTo <= taken).at(-1)
      if (reached === undefined) return
      marks = marks.filter(mark => mark.upTo > taken)
      window = now - reached.at > LATE_MS ? Math.max(LEAST, window / 2) : Math.min(MOST, window + CLEAR)
    },
    isBehind: () => sent - Math.max(taken, free) > window,
    isClear: () => sent - taken <= CLEAR,
  }
}
