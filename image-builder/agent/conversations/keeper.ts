import { pause } from "../backoff.ts"
import { type Log, reasonOf } from "../log.ts"
import type { Feed, Run } from "../run.ts"
import { asArguments, type Commands } from "../terminals/commands.ts"
import { type ClaudeSession, createSessionReader } from "./claude.ts"
import { createFinder } from "./find.ts"
import { agentFolders } from "./folders.ts"
import { type Conversation, matched, sessionOf, takesPrompts } from "./match.ts"
import { agentPanes, screenOf } from "./panes.ts"
import { agentPrograms, type Program } from "./programs.ts"
import {
  enterCommand,
  installedTools,
  isFolder,
  keyCommand,
  leaveModeCommand,
  loadCommand,
  type PromptOrder,
  pasteCommand,
  type Refusal,
  typable,
  windowCommand,
} from "./prompt.ts"
import type { Tool } from "./transcript.ts"
import { MOST_LINE, MOST_TITLE, oneLine, withoutSecrets } from "./words.ts"

/** What the service is told. */
export interface ConversationReport {
  at: string
  /** Tools that are installed. */
  tools: Tool[]
  conversations: (Omit<Conversation, "at" | "pane"> & { at: string; isInTerminal: boolean; hasPrompt: boolean })[]
}

/** Looks while somebody prompts, while programs run, and else; and how often is told what has not changed. */
const [HURRIED_MS, BUSY_MS, QUIET_MS, REPEAT_MS] = [1_000, 3_000, 15_000, 30_000]
/** Between a paste and the key that sends it off, so that a program has read the one before it reads the other. */
const BEFORE_ENTER_MS = 400
/** So long a program that has just begun shows its field before it takes keys for certain. */
const SETTLE_MS = 2_000
/** So long a prompt waits for its program to be there, and to take one: somebody may have to sign in first. */
const [START_MS, PATIENCE_MS] = [60_000, 10 * 60_000]

/** What a look has found, for pages of the machine. */
export interface Looked {
  tools: Tool[]
  conversations: readonly Conversation[]
  /** Where the transcript of one lies; null where nothing was said in it yet. */
  pathOf(one: Conversation): string | null
  hasPrompt(one: Conversation): boolean
}

export interface ConversationKeeper {
  /** Values that are never told, from now on. */
  settingsInForce(settings: { secrets: Record<string, string> }): void
  /** Tells the service anew, whether or not something has changed. */
  connected(): void
  /** Gives a prompt. @returns why not; null: it is on its way */
  prompt(order: PromptOrder): Promise<Refusal | null>
  /** Tells of each look, of which there are more while somebody watches. @returns what ends that */
  watch(see: (looked: Looked) => void): () => void
  /** Types a prompt into a conversation that `is` it. @returns why not; null: it is on its way */
  give(is: (one: Conversation) => boolean, text: string): Promise<Refusal | null>
  /** Begins one with a prompt, in the folder in which new ones begin. */
  begin(tool: Tool, text: string): Promise<Refusal | null>
  /** Presses a key in the terminal of one that asks something, or Escape where it works. */
  press(is: (one: Conversation) => boolean, key: string): Promise<Refusal | "not-asked" | null>
  /** What the terminal of one shows. */
  screen(pane: string): Promise<string>
  done: Promise<void>
}

/** Follows the conversations with coding agents, and types what their owner wants typed. */
export function keepConversations(options: {
  home: string
  /** File of the workspace's variables. */
  environment: string
  tmuxSocket: string
  /** The program of a window with an agent, and the folders that programs are looked for in. */
  agents: { window: string; path: string[] }
  /** In which new conversations begin. */
  folder(): string
  run: Run
  feed: Feed
  now: () => number
  signal: AbortSignal
  log: Log
  /** @throws when the service did not take it */
  tell(report: ConversationReport): Promise<void>
  times?: { hurriedMs?: number; busyMs?: number; quietMs?: number; beforeEnterMs?: number; settleMs?: number }
}): ConversationKeeper {
  const { home, environment, tmuxSocket, agents, run, feed, now, signal, log, times = {} } = options
  const [find, claudeSessions] = [createFinder(), createSessionReader()]
  /** Prompts for programs that do not take one yet, by their panes. */
  const due = new Map<string, { tool: Tool; text: string; until: number; isSeen: boolean; readyAt: number | null }>()
  let secrets: string[] = []
  let told = { text: "", at: 0 }
  let hasPrograms = false
  let typing: Promise<unknown> = Promise.resolve()
  let isAway = false
  let changed = Promise.withResolvers<void>()
  const watchers = new Set<(looked: Looked) => void>()
  let paths = new Map<string, string>()

  const tmux = (commands: Commands, input?: string) => {
    const args = ["-N", "-u", "-S", tmuxSocket, ...asArguments(commands)]
    return input === undefined ? run("tmux", args) : feed("tmux", args, input)
  }

  const nameOf = ({ tool, id }: Pick<Conversation, "tool" | "id">) => `${tool} ${id}`

  async function transcriptsIn(folders: Record<Tool, string>) {
    const transcripts = await find(folders)
    paths = new Map(transcripts.map(one => [nameOf(one), one.path ?? ""]))
    return transcripts
  }

  async function look(): Promise<Conversation[]> {
    const folders = await agentFolders(home, environment)
    const programs = await agentPrograms()
    hasPrograms = programs.length > 0
    if (!hasPrograms && due.size === 0) {
      return matched({
        transcripts: await transcriptsIn(folders),
        programs,
        sessions: [],
        panes: [],
        screens: new Map(),
      })
    }
    const [sessions, panes] = await Promise.all([claudeSessions(folders.claude), agentPanes(run, tmuxSocket)])
    // After what programs say of themselves: what they speak of is written by then.
    const transcripts = await transcriptsIn(folders)
    const inPanes = programs.flatMap(program => {
      const pane = panes.find(({ terminal }) => terminal === program.terminal)
      return pane ? [{ pane: pane.id, program }] : []
    })
    const screens = new Map<string, string>()
    for (const { pane, program } of inPanes) {
      if (program.tool !== "claude") screens.set(pane, await screenOf(run, tmuxSocket, pane))
    }
    for (const [pane, waits] of due) {
      const program = inPanes.find(one => one.pane === pane && one.program.tool === waits.tool)?.program
      if (program && !waits.isSeen) Object.assign(waits, { isSeen: true, until: now() + PATIENCE_MS })
      // A program that has ended is not the one that is begun there next.
      if (waits.until < now() || (waits.isSeen && !program)) due.delete(pane)
      else if (!program || !takes(program, sessions, screens.get(pane) ?? "")) waits.readyAt = null
      else {
        waits.readyAt ??= now()
        if (now() - waits.readyAt < (times.settleMs ?? SETTLE_MS)) continue
        due.delete(pane)
        await type(pane, waits.text)
      }
    }
    return matched({ transcripts, programs, sessions, panes, screens })
  }

  /** Is it at its field for prompts now? */
  const takes = (program: Program, sessions: ClaudeSession[], screen: string) =>
    program.tool === "claude" ? sessionOf(program, sessions)?.state === "waiting" : takesPrompts(program.tool, screen)

  /** One after the other: tmux has one buffer for all, and a text must not come into the pane of the one before. */
  function type(pane: string, text: string): Promise<boolean> {
    const typed = typing.then(() => typeNow(pane, text))
    typing = typed.catch(() => {})
    return typed
  }

  async function typeNow(pane: string, text: string): Promise<boolean> {
    await tmux(leaveModeCommand(pane))
    const loaded = await tmux(loadCommand, typable(text))
    if (loaded.code !== 0 || (await tmux(pasteCommand(pane))).code !== 0) return false
    await pause(times.beforeEnterMs ?? BEFORE_ENTER_MS, signal)
    return (await tmux(enterCommand(pane))).code === 0
  }

  async function reported(): Promise<void> {
    const found = await look()
    const shown = (text: string, most: number) => oneLine(withoutSecrets(text, secrets), most)
    const conversations = found.map(({ at, pane, ...one }) => ({
      ...one,
      folder: shown(one.folder === home ? "~" : one.folder.replace(`${home}/`, "~/"), 200),
      title: shown(one.title, MOST_TITLE),
      last: shown(one.last, MOST_LINE),
      at: new Date(at).toISOString(),
      isInTerminal: pane !== null,
      hasPrompt: pane !== null && due.has(pane),
    }))
    const report = { tools: await installedTools(agents.path), conversations }
    const looked: Looked = {
      ...{ tools: report.tools, conversations: found },
      pathOf: one => paths.get(nameOf(one)) ?? null,
      hasPrompt: ({ pane }) => pane !== null && due.has(pane),
    }
    for (const see of watchers) see(looked)
    const text = JSON.stringify(report)
    if (text === told.text && now() - told.at < REPEAT_MS) return
    await options.tell({ at: new Date(now()).toISOString(), ...report })
    told = { text, at: now() }
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      changed = Promise.withResolvers()
      try {
        await reported()
        isAway = false
      } catch (error) {
        if (!isAway && !signal.aborted) log.warn(`the conversations with agents were not told: ${reasonOf(error)}`)
        isAway = true
      }
      const { hurriedMs = HURRIED_MS, busyMs = BUSY_MS, quietMs = QUIET_MS } = times
      const isWatched = watchers.size > 0
      const isHurried = due.size > 0 || (isWatched && hasPrograms)
      const wait = isHurried ? hurriedMs : hasPrograms || isWatched ? busyMs : quietMs
      await Promise.race([pause(wait, signal), changed.promise])
    }
  }

  /** Opens a window, in which the prompt is typed as soon as its program takes one. */
  async function begin(order: Omit<PromptOrder, "id">, folder: string): Promise<Refusal | null> {
    if (!(await installedTools(agents.path)).includes(order.tool)) return "no-tool"
    if (!(await isFolder(folder))) return "no-folder"
    const { tool, conversation: resumes, text } = order
    const args = windowCommand({ program: agents.window, home, tool, folder, resumes })
    const { code, stdout } = await run("tmux", ["-N", "-u", "-S", tmuxSocket, ...args])
    const pane = stdout.trim()
    if (code !== 0 || !/^%\d+$/.test(pane)) return "no-terminal"
    due.set(pane, { tool, text, until: now() + START_MS, isSeen: false, readyAt: null })
    return null
  }

  async function prompt(order: PromptOrder): Promise<Refusal | null> {
    if (order.conversation === null) return begin(order, options.folder())
    return give(({ tool, id }) => tool === order.tool && id === order.conversation, order.text)
  }

  async function give(is: (one: Conversation) => boolean, text: string): Promise<Refusal | null> {
    const one = (await look()).find(is)
    if (one === undefined) return "gone"
    if (one.state === "done") return begin({ tool: one.tool, conversation: one.id, text }, one.folder)
    if (one.state !== "waiting") return one.state
    if (one.pane === null) return "no-terminal"
    if (due.has(one.pane)) return "working"
    const { tool, pane } = one
    if (tool !== "claude" && !takesPrompts(tool, await screenOf(run, tmuxSocket, pane))) return "asks"
    return (await type(one.pane, text)) ? null : "no-terminal"
  }

  async function press(is: (one: Conversation) => boolean, key: string): Promise<Refusal | "not-asked" | null> {
    const one = (await look()).find(is)
    if (one === undefined) return "gone"
    if (one.pane === null) return "no-terminal"
    if (one.state !== "asks" && !(one.state === "working" && key === "Escape")) return "not-asked"
    await tmux(leaveModeCommand(one.pane))
    return (await tmux(keyCommand(one.pane, key))).code === 0 ? null : "no-terminal"
  }

  /** Looks again as soon as something was done. */
  async function done<T>(what: Promise<T>): Promise<T> {
    const answer = await what
    changed.resolve()
    return answer
  }

  return {
    settingsInForce: given => {
      secrets = Object.values(given.secrets)
    },
    connected: () => {
      told = { text: "", at: 0 }
      changed.resolve()
    },
    prompt: order => done(prompt(order)),
    watch: see => {
      watchers.add(see)
      changed.resolve()
      return () => void watchers.delete(see)
    },
    give: (is, text) => done(give(is, text)),
    begin: (tool, text) => done(begin({ tool, conversation: null, text }, options.folder())),
    press: (is, key) => done(press(is, key)),
    screen: pane => screenOf(run, tmuxSocket, pane),
    done: keep(),
  }
}
