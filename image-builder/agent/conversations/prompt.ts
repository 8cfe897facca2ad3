import { access, constants, stat } from "node:fs/promises"
import { join } from "node:path"
import { asArguments, type Commands } from "../terminals/commands.ts"
import { TOOLS, type Tool } from "./transcript.ts"

/** Most characters of a prompt. */
export const MOST_PROMPT = 8_000

/** A prompt of the workspace's owner. */
export interface PromptOrder {
  /** Under which the answer is given. */
  id: string
  tool: Tool
  /** The tool's own id of the conversation it is for; null: a new one. */
  conversation: string | null
  text: string
}

/** Reads one. @throws when it is none, without repeating it */
export function parsePrompt(given: Record<string, unknown>): PromptOrder {
  const { id, tool, conversation = null, text } = given
  if (typeof id !== "string" || !/^[\w-]{1,64}$/.test(id)) throw new Error("a prompt has no id")
  if (!TOOLS.some(one => one === tool)) throw new Error("a prompt is for no tool that is known")
  const isId = conversation === null || (typeof conversation === "string" && /^[\w-]{8,64}$/.test(conversation))
  if (!isId) throw new Error("a prompt is for no conversation")
  if (typeof text !== "string" || text.trim() === "" || text.length > MOST_PROMPT) {
    throw new Error("a prompt has no text, or too much of it")
  }
  return { id, tool: tool as Tool, conversation: conversation as string | null, text }
}

/** Why a prompt could not be given; the service has the words. */
export type Refusal = "gone" | "working" | "asks" | "no-terminal" | "no-tool" | "no-folder"

/** Text as it may be typed: no sign that is an order for a terminal; those that would end a paste early are shown. */
export const typable = (text: string): string =>
  text
    .replace(/\r\n?/g, "\n")
    .replaceAll("\x1b", "␛")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .trim()

const [BUFFER, SESSION] = ["foozol-prompt", "=main:"]

/** Reads a text from standard input: as an argument everybody on the machine could read it. */
export const loadCommand: Commands = [["load-buffer", "-b", BUFFER, "-"]]
/** As a paste in brackets, so that the ends of its lines do not send it off. */
export const pasteCommand = (pane: string): Commands => [["paste-buffer", "-p", "-d", "-b", BUFFER, "-t", pane]]
export const enterCommand = (pane: string): Commands => [["send-keys", "-t", pane, "Enter"]]
export const keyCommand = (pane: string, key: string): Commands => [["send-keys", "-t", pane, key]]
/** Nothing that scrolls back may take what is typed. */
export const leaveModeCommand = (pane: string): Commands => [
  ["if-shell", "-F", "-t", pane, "#{pane_in_mode}", `send-keys -t ${pane} -X cancel`],
]

/**
 * A window that begins in a folder with a tool. Folder and arguments go to the program `agent-window` as they are: tmux's
 * own option for a folder would take parts of a name for commands.
 */
export const windowCommand = (given: {
  program: string
  home: string
  tool: Tool
  folder: string
  resumes: string | null
}): string[] => {
  const { program, home, tool, folder, resumes } = given
  const about = ["new-window", "-d", "-P", "-F", "#{pane_id}", "-t", SESSION, "-n", tool, "-c", home]
  // An argument that ends so would end the command.
  const whole = [
    ...about,
    program,
    folder.replace(/;$/, "\\;"),
    tool,
    ...(resumes === null ? [] : RESUME[tool](resumes)),
  ]
  return asArguments([whole])
}

const RESUME: Record<Tool, (id: string) => string[]> = {
  claude: id => ["--resume", id],
  codex: id => ["resume", id],
  gemini: id => ["--resume", id],
}

/** Is it a folder that tmux and a shell can be told of? */
export const isFolder = (path: string): Promise<boolean> =>
  /^\/[^\p{Cc}]*$/u.test(path)
    ? stat(path).then(
        found => found.isDirectory(),
        () => false,
      )
    : Promise.resolve(false)

/** The tools that are installed, by the folders that shells look through. */
export async function installedTools(path: readonly string[]): Promise<Tool[]> {
  const isThere = (file: string) =>
    access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
  const found = await Promise.all(
    TOOLS.map(async tool => (await Promise.all(path.map(one => isThere(join(one, tool))))).includes(true)),
  )
  return TOOLS.filter((_, at) => found[at])
}
