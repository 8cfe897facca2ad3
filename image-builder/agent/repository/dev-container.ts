import { join } from "node:path"
import { isDevContainer, readDevContainer } from "../../../infra/repositories/dev-container.ts"
import { readEnds } from "../conversations/transcript.ts"
import { lastLineOf, MOST_LINE, oneLine, withoutSecrets } from "../conversations/words.ts"
import type { Log } from "../log.ts"
import type { Run } from "../run.ts"
import type { AsUser } from "./fetch.ts"

/** How far the repository's dev container is, as a report tells. */
export interface DevContainerState {
  state: (typeof STATES)[number]
  /** Its devcontainer.json, from the folder of the work. */
  config?: string
  /** Why there is none. */
  reason?: string
  /** While it is made: what was said of it last. */
  line?: string
  /** While it is made, and of one that failed: the last lines that were said of it. */
  log?: string
  /** Where there are several, or the one that was named is not there: those that are. */
  choices?: string[]
}

const STATES = ["starting", "building", "running", "failed", "ended", "stopped", "choose"] as const
const MOST_REASON = 500
const MOST_CHOICES = 50
const MOST_LOG = { lines: 25, characters: 3_000 }
/** Its containers are given time to end. */
const RESTART_MS = 60_000
/** Bytes at the end of its log that are looked at. */
const TAIL = 32_768
const UNIT = "foozol-devcontainer.service"

/** The owner's wish to have one made anew. */
export interface DevContainerOrder {
  /** Under which the answer is given. */
  id: string
  /** Its devcontainer.json; null: the one that there is. */
  config: string | null
}

/** Reads one. @throws when it is none */
export function parseDevContainer({ id, config = null }: Record<string, unknown>): DevContainerOrder {
  if (typeof id !== "string" || !/^[\w-]{1,64}$/.test(id)) throw new Error("a wish for a dev container has no id")
  if (config !== null && typeof config !== "string") throw new Error("a wish for a dev container names no file")
  return { id, config: config === null ? null : readDevContainer(config) }
}

/** Why none is made; the service has the words. */
export type Refusal = "no-repository" | "no-such" | "unclear" | "failed"

export interface DevContainer {
  /**
   * A repository has been fetched: has its dev container made, where its files say that it has one.
   * @param config the one that is meant; null: its files say
   */
  begin(folder: string, config: string | null): Promise<void>
  /** Has it made anew. @param folder of the work; null: there is none. @returns null: it has begun */
  again(folder: string | null, config: string | null): Promise<Refusal | null>
  /** null: there is none. */
  state(secrets: readonly string[]): Promise<DevContainerState | null>
}

/**
 * The repository's dev container. The program of that name (rootfs/usr/lib/foozol) does everything as the user, in a
 * unit of the machine's that starts with it from then on; the agent begins it and reads what it writes down.
 * @param userRuntimeDirectory where the user's sockets are
 */
export function devContainer(options: {
  program: string
  home: string
  userRuntimeDirectory: string
  asUser: AsUser
  run: Run
  /** Something has changed that a report should tell soon. */
  told(): void
  signal: AbortSignal
  log: Log
}): DevContainer {
  const { program, home, userRuntimeDirectory, run, signal, log } = options
  /** What was begun and is not yet to be read of: what was there before is still ending. */
  let beginning: DevContainerState | null = null

  async function ask(what: "want" | "again", folder: string, config: string | null) {
    let said = ""
    const hear = (text: string) => {
      said += text
    }
    const args = [what, folder, ...(config === null ? [] : [config])]
    return { code: await options.asUser(program, args, { environment: {}, hear, signal }), stderr: said }
  }
  const warn = (stderr: string) => log.warn(`the dev container was not begun: ${oneLine(stderr, MOST_LINE)}`)

  async function restart(): Promise<void> {
    const result = await run("systemctl", ["restart", UNIT], RESTART_MS)
    if (result.code !== 0) warn(result.stderr)
  }

  return {
    async begin(folder, config) {
      const asked = await ask("want", folder, config)
      if (asked.code === NONE) return
      const result = asked.code === 0 ? await run("systemctl", ["start", UNIT]) : asked
      if (result.code !== 0) warn(result.stderr)
    },

    async again(folder, config) {
      if (folder === null) return "no-repository"
      const { code, stderr } = await ask("again", folder, config)
      if (code === NONE) return "unclear"
      if (code === NO_SUCH) return "no-such"
      if (code !== 0) {
        warn(stderr)
        return "failed"
      }
      const mine: DevContainerState = { state: "starting", ...(config === null ? {} : { config }) }
      beginning = mine
      // What is there already may take its time to end.
      void restart().finally(() => {
        if (beginning === mine) beginning = null
        options.told()
      })
      return null
    },

    async state(secrets) {
      if (beginning !== null) return beginning
      const told = await readEnds(join(userRuntimeDirectory, "foozol-devcontainer"))
      const said = told && parse(told.head)
      if (!said) return null
      const plain = (text: unknown, most: number, line: (text: string, most: number) => string) =>
        typeof text === "string" && text !== "" ? line(withoutSecrets(text, secrets), most) : undefined
      const tells = said.state === "building" || said.state === "failed"
      const ends = { head: 0, tail: TAIL }
      const tail = tells ? (await readEnds(join(home, ".local/state/foozol/devcontainer.log"), ends))?.tail : undefined
      const choices = Array.isArray(said.choices) ? said.choices.filter(one => typeof one === "string") : []
      const more = {
        config: plain(said.config, MOST_LINE, oneLine),
        reason: plain(said.reason, MOST_REASON, (text, most) => text.trim().slice(0, most)),
        line: said.state === "building" ? plain(tail && lastLineOf(tail), MOST_LINE, oneLine) : undefined,
        log: tells ? plain(tail, MOST_LOG.characters, lastLines) : undefined,
        choices: choices.length > 0 ? choices.filter(isDevContainer).slice(0, MOST_CHOICES) : undefined,
      }
      return { state: said.state, ...Object.fromEntries(Object.entries(more).filter(([, one]) => one !== undefined)) }
    },
  }
}

/** The program's words for a repository that has none, or several to choose from; and for a file that is not there. */
const [NONE, NO_SUCH] = [3, 4]

/** The last lines of a log, as they would be seen at a terminal. */
function lastLines(text: string, most: number): string {
  const lines = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours and the like begin with one
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "")
    .split(/\r?\n/)
    .map(line => line.replace(/^.*\r/, "").trimEnd())
    .filter(line => line !== "")
  return lines.slice(-MOST_LOG.lines).join("\n").slice(-most)
}

function parse(text: string): ({ state: DevContainerState["state"] } & Record<string, unknown>) | null {
  try {
    const said = JSON.parse(text) as Record<string, unknown>
    const state = STATES.find(one => one === said.state)
    return state ? { ...said, state } : null
  } catch {
    return null
  }
}
