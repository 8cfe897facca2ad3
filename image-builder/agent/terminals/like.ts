/**
 * Output told by the output before it. A program that draws its last lines again and again writes almost the same each
 * time: what both begin and end with is a length each (16 bits), and only what lies between is sent.
 */
const LENGTHS = 4
const MOST = 0xffff
/** Less in common than this is left to compression. */
const WORTH = 48

/** @returns null where there is too little in common */
export function likeLast(last: Uint8Array, next: Uint8Array): Uint8Array | null {
  const most = Math.min(last.length, next.length)
  if (most < WORTH || next.length > MOST || last.length > MOST) return null
  let start = 0
  while (start < most && last[start] === next[start]) start++
  let end = 0
  while (end < most - start && last[last.length - 1 - end] === next[next.length - 1 - end]) end++
  if (start + end < WORTH) return null
  const told = new Uint8Array(LENGTHS + next.length - start - end)
  told.set([start >>> 8, start & 0xff, end >>> 8, end & 0xff])
  told.set(next.subarray(start, next.length - end), LENGTHS)
  return told
}

/** The output that was told by the one before it. */
export function fromLike(last: Uint8Array, told: Uint8Array): Uint8Array {
  const [a = 0, b = 0, c = 0, d = 0] = told
  const [start, end] = [(a << 8) | b, (c << 8) | d]
  const between = told.subarray(LENGTHS)
  const next = new Uint8Array(start + between.length + end)
  next.set(last.subarray(0, start))
  next.set(between, start)
  next.set(last.subarray(last.length - end), start + between.length)
  return next
}
