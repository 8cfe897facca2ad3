/** What tmux says in control mode (`tmux -C`), line by line. */
export interface ControlSink {
  /** Is this pane's output wanted? What nobody wants is not even decoded. */
  wants(pane: string): boolean
  output(pane: string, bytes: Buffer): void
  /** The answer to a command, in the order in which commands were given. */
  reply(lines: string[], isGood: boolean): void
  /** Anything else, such as `sessions-changed`, with what follows the word. */
  notice(name: string, rest: string): void
}

const [LINE_END, BACKSLASH, SPACE] = [0x0a, 0x5c, 0x20]
/** The flag of an answer to a command that was given here; the answer to attaching has 0. */
const OURS = "1"
/** A line of output holds 8 KiB of a pane at most, four characters each; answers are cut by lines. */
const MAX_LINE = 8 * 1024 * 1024

/** Takes output of the form that tmux writes: what is no printable ASCII, and the backslash, as three octal digits. */
export function decodeOutput(escaped: Buffer): Buffer {
  let from = escaped.indexOf(BACKSLASH)
  if (from < 0) return Buffer.from(escaped)
  const bytes = Buffer.allocUnsafe(escaped.length)
  let to = escaped.copy(bytes, 0, 0, from)
  while (from < escaped.length) {
    const byte = escaped[from] as number
    if (byte === BACKSLASH && from + 3 < escaped.length) {
      const digit = (at: number) => ((escaped[from + at] as number) - 0x30) & 7
      bytes[to++] = (digit(1) << 6) | (digit(2) << 3) | digit(3)
      from += 4
    } else {
      bytes[to++] = byte
      from++
    }
  }
  return bytes.subarray(0, to)
}

/** @returns a function that takes what tmux wrote, however it is cut. @throws when it is no control mode */
export function createControlReader(sink: ControlSink): (chunk: Buffer) => void {
  let rest: Buffer[] = []
  let held = 0
  let block: { end: string; lines: string[] } | null = null

  function line(bytes: Buffer): void {
    if (block !== null) {
      const text = bytes.toString()
      // Text of a pane may look like an end; its three numbers are those of the beginning.
      if (text !== `%end ${block.end}` && text !== `%error ${block.end}`) block.lines.push(text)
      else {
        const { end, lines } = block
        block = null
        if (end.endsWith(` ${OURS}`)) sink.reply(lines, text.startsWith("%end"))
      }
      return
    }
    if (bytes[0] !== 0x25) return
    const gap = bytes.indexOf(SPACE)
    const name = bytes.toString("latin1", 1, gap < 0 ? bytes.length : gap)
    if (name === "begin") block = { end: bytes.toString("latin1", gap + 1), lines: [] }
    else if (name === "output" || name === "extended-output") output(name, bytes, gap + 1)
    else sink.notice(name, gap < 0 ? "" : bytes.toString("utf8", gap + 1))
  }

  /** `%output %1 DATA`, or `%extended-output %1 AGE … : DATA` */
  function output(name: string, bytes: Buffer, at: number): void {
    const paneEnd = bytes.indexOf(SPACE, at)
    const pane = bytes.toString("latin1", at, paneEnd)
    if (!sink.wants(pane)) return
    const data = name === "output" ? paneEnd + 1 : bytes.indexOf(" : ", paneEnd) + 3
    sink.output(pane, decodeOutput(bytes.subarray(data)))
  }

  return chunk => {
    let from = 0
    for (;;) {
      const end = chunk.indexOf(LINE_END, from)
      if (end < 0) break
      const part = chunk.subarray(from, end)
      from = end + 1
      if (held === 0) line(part)
      else {
        const whole = Buffer.concat([...rest, part])
        rest = []
        held = 0
        line(whole)
      }
    }
    if (from === chunk.length) return
    rest.push(Buffer.from(chunk.subarray(from)))
    held += chunk.length - from
    if (held > MAX_LINE) throw new Error("tmux wrote a line without an end")
  }
}
