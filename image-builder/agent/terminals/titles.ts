const [ESC, TITLE, BACKSLASH] = [0x1b, 0x6b, 0x5c]
const NOTHING = Buffer.alloc(0)

/**
 * Leaves out `ESC k TITLE ESC \`, by which programs name windows of tmux and screen: other terminals would print the
 * title. @returns a function that takes output, however it is cut
 */
export function createTitleFilter(): (bytes: Buffer) => Buffer {
  let inTitle = false
  // An escape at the very end: what it begins comes with the next piece.
  let held = false

  return given => {
    const bytes = held ? Buffer.concat([Buffer.of(ESC), given]) : given
    held = false
    if (!inTitle && bytes.indexOf(ESC) < 0) return bytes
    const kept: Buffer[] = []
    let from = 0
    for (let at = bytes.indexOf(ESC); at >= 0; at = bytes.indexOf(ESC, at + 1)) {
      if (at + 1 === bytes.length) {
        held = true
        if (!inTitle) kept.push(bytes.subarray(from, at))
        from = bytes.length
        break
      }
      const next = bytes[at + 1]
      if (!inTitle && next === TITLE) {
        kept.push(bytes.subarray(from, at))
        inTitle = true
      } else if (inTitle && next === BACKSLASH) {
        inTitle = false
        from = at + 2
      }
    }
    if (!inTitle && from < bytes.length) kept.push(bytes.subarray(from))
    return kept.length === 0 ? NOTHING : kept.length === 1 ? (kept[0] as Buffer) : Buffer.concat(kept)
  }
}
