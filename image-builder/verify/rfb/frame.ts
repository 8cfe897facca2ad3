/** A picture of the screen: four bytes a pixel, blue, green, red and one without meaning. */
export interface Frame {
  width: number
  height: number
  pixels: Buffer
}

/** A part of the screen: left and top belong to it, right and bottom do not. */
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

export const newFrame = (width: number, height: number): Frame => ({
  width,
  height,
  pixels: Buffer.alloc(width * height * 4),
})

/** The frame's pixels as numbers such as 0x111a24, with an upper byte that must be masked. */
function colours({ pixels, width, height }: Frame): Uint32Array {
  return new Uint32Array(pixels.buffer, pixels.byteOffset, width * height)
}

/** Share of the screen that has exactly this colour, and the box that it fills; null for a colour that is not there. */
export function regionOf(frame: Frame, colour: number): { share: number; box: Box } | null {
  const { width, height } = frame
  const rows = new Uint32Array(height)
  const columns = new Uint32Array(width)
  const all = colours(frame)
  let count = 0
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (((all[at] ?? 0) & 0xffffff) !== colour) continue
      count++
      rows[y] = (rows[y] ?? 0) + 1
      columns[x] = (columns[x] ?? 0) + 1
    }
  }
  if (count === 0) return null
  const [top, bottom] = extent(rows)
  const [left, right] = extent(columns)
  return { share: count / (width * height), box: { left, top, right, bottom } }
}

/** First and last line that hold a good part of what the fullest line holds: single pixels elsewhere count nothing. */
function extent(counts: Uint32Array): [number, number] {
  const enough = counts.reduce((most, count) => Math.max(most, count), 0) / 4
  const isFull = (count: number) => count >= enough
  return [counts.findIndex(isFull), counts.findLastIndex(isFull) + 1]
}

/** Share of the screen in any of these colours. */
export function shareOf(frame: Frame, wanted: number[]): number {
  const all = colours(frame)
  const set = new Set(wanted)
  let count = 0
  for (const colour of all) if (set.has(colour & 0xffffff)) count++
  return count / all.length
}

/** The pixels of a part of the screen, copied: what is compared later with how it looks then. */
export function cut(frame: Frame, { left, top, right, bottom }: Box): Buffer {
  const lines: Buffer[] = []
  for (let y = Math.max(0, top); y < Math.min(bottom, frame.height); y++) {
    lines.push(
      frame.pixels.subarray((y * frame.width + left) * 4, (y * frame.width + Math.min(right, frame.width)) * 4),
    )
  }
  return Buffer.concat(lines)
}

export const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

export const centre = ({ left, top, right, bottom }: Box) => ({ x: (left + right) >> 1, y: (top + bottom) >> 1 })

/** Copies a rectangle of raw pixels into a frame. */
export function putRectangle(frame: Frame, at: { x: number; y: number; width: number; height: number }, bytes: Buffer) {
  const line = at.width * 4
  for (let row = 0; row < at.height; row++) {
    bytes.copy(frame.pixels, ((at.y + row) * frame.width + at.x) * 4, row * line, (row + 1) * line)
  }
}
