import { LIST_FORMAT } from "./list.ts"

/** Command lines for tmux. Whatever comes from outside is in them as a checked name, a number, or bytes in digits. */

/** Bytes of keys in one command; a longer text goes as several. */
const KEYS = 512
/** Bytes of a paste in one command. */
const PART = 2_048
const PASTE = "foozol-paste"

/** A window whose size was set here carries this mark, so that it can be let go after a crash too. */
export const SIZED = "@foozol-sized"

/** Commands of tmux, each as its arguments. */
export type Commands = string[][]

/** The same as one line of control mode. No argument that is made here holds a quote or the end of a line. */
export const asLine = (commands: Commands) => commands.map(one => one.map(quoted).join(" ")).join(" ; ")
const quoted = (argument: string) =>
  /^[A-Za-z0-9=-]+$/.test(argument) ? argument : `'${argument.replace(/['\n]/g, "")}'`

/** The same as arguments of the program. */
export const asArguments = (commands: Commands) => commands.flatMap((one, at) => (at === 0 ? one : [";", ...one]))

export const listCommand: Commands = [["list-panes", "-a", "-F", LIST_FORMAT]]

/** What was typed, byte by byte as the program in the pane shall read it. */
export function keyCommands(pane: string, bytes: Buffer): string[] {
  const commands: string[] = []
  for (let at = 0; at < bytes.length; at += KEYS) {
    const hex = bytes.toString("hex", at, Math.min(at + KEYS, bytes.length))
    commands.push(`send-keys -t ${pane} -H${hex.replace(/../g, " $&")}`)
  }
  return commands
}

/**
 * Text by way of a buffer of tmux, which knows whether the program wants pastes in brackets. What would end such a
 * bracket early is shown instead.
 */
export function pasteCommands(pane: string, text: string): string[] {
  const bytes = Buffer.from(text.replace(/\r\n?/g, "\n").replaceAll("\x1b", "␛").replaceAll("\0", ""))
  if (bytes.length === 0) return []
  const commands: string[] = [`delete-buffer -b ${PASTE}`]
  for (let at = 0; at < bytes.length; at += PART) {
    commands.push(`set-buffer -a -b ${PASTE} "${octal(bytes.subarray(at, at + PART))}"`)
  }
  return [...commands, `paste-buffer -p -d -b ${PASTE} -t ${pane}`]
}

const octal = (bytes: Buffer) =>
  Array.from(bytes, byte =>
    isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`,
  ).join("")
const isPlain = (byte: number) => (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x20

/** @param session a name of ours @param name a checked name */
export const createCommand = (session: string, name: string, folder: string): Commands => [
  // -E: variables are those of the server, not of who asks.
  [
    "new-session",
    "-d",
    "-E",
    "-s",
    session,
    "-n",
    name,
    "-c",
    folder,
    "-x",
    "80",
    "-y",
    "24",
    "-P",
    "-F",
    "#{pane_id}",
  ],
]
/** A further window of the session that the desktop shows, which it then shows. @param name, folder without signs of tmux's own */
export const openCommand = (name: string, folder: string): Commands => [
  ["new-window", "-t", "=main:", "-n", name, "-c", folder],
]
export const renameCommand = (window: string, name: string): Commands => [["rename-window", "-t", window, name]]
export const closeCommand = (pane: string): Commands => [["kill-pane", "-t", pane]]

/** Gives a window a size, whoever else looks at it. */
export const sizeCommand = (window: string, cols: number, rows: number): Commands => [
  ["resize-window", "-t", window, "-x", String(cols), "-y", String(rows)],
  ["set-option", "-w", "-t", window, SIZED, "1"],
]
/** From now on the window's size follows those who look at it again. */
export const unsizeCommand = (window: string): Commands => [
  ["set-option", "-wu", "-t", window, SIZED],
  ["set-option", "-wu", "-t", window, "window-size"],
]
/** Which windows bear the mark. */
export const sizedCommand: Commands = [["list-windows", "-a", "-F", `#{window_id} #{${SIZED}}`]]
