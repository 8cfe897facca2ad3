import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { PROJECT } from "./engine-config.ts"
import { engineError } from "./engine-errors.ts"
import { locksIn, removeDeadLocks, type StackLock } from "./stack-locks.ts"
import { parseNote, parseStackFile, recordInFile, type StackRecord, type StackState } from "./stack-state.ts"
import type { StateFiles } from "./state-files/contract.ts"
import { saltOf } from "./state-secrets.ts"
import type { WorkspaceSpec } from "./workspace-spec.ts"

/**
 * The engine's own ("DIY") backend, for what the engine takes long for or cannot do.
 *
 * Stacks are made by copying an empty one. `pulumi stack init` takes 0.3 s, more than half as long as a whole `up`; all but the name is the same each time.
 * So the engine makes one empty stack, which is kept as a template, and a new stack is a copy of it with its own name.
 * The copy shares the template's encryption salt; each secret is still encrypted under a nonce of its own.
 */
export interface StateBackend {
  exists(stack: string): Promise<boolean>
  /** The salt of a stack's secrets; null where it has none, or cannot be read. */
  salt(stack: string): Promise<string | null>
  /** What a stack's state says; null when there is no stack. @throws InfraError `state-unreadable` */
  read(stack: string): Promise<StackState | null>
  /**
   * Puts the newest good backup in the place of a state that cannot be read, which is kept aside, or that is gone.
   * Without one there is no stack afterwards. @returns what was done
   */
  putBack(stack: string): Promise<"nothing" | "put-back" | "lost">
  /** What `putBack` would do now, and with which backup; changes nothing. */
  trouble(stack: string): Promise<Trouble>
  /** Makes an empty stack; false when there is no template yet. Never overwrites a stack. */
  createFromTemplate(stack: string): Promise<boolean>
  /** Removes the lock that a run of ours on this host has left, which is proven dead. */
  removeLockOf(pid: number): Promise<void>
  /** Removes a stack's locks whose holders are proven dead; of all stacks when none is named. @returns how many */
  removeDeadLocks(stack?: string): Promise<number>
  /** Who holds a stack, dead or alive. */
  locks(stack: string): Promise<StackLock[]>
  /** Names of all stacks, those too that cannot be read. */
  names(): Promise<string[]>
  /** Notes what a workspace shall be: a state says so only when a run has come to its end. */
  noteSpec(spec: WorkspaceSpec): Promise<void>
  forgetSpec(stack: string): Promise<void>
  /** The workspaces of all stacks of which the state, a backup of it, or the note can be read. */
  records(): Promise<StackRecord[]>
  /** The workspace of one stack; null where there is none, or nothing of it can be read. */
  record(stack: string): Promise<StackRecord | null>
  /** Keeps a stack the engine has just made as the template for the next ones. */
  keepAsTemplate(stack: string): Promise<void>
}

/** What became of a state. */
interface Trouble {
  is: "nothing" | "put-back" | "lost"
  /** What would take its place. */
  backup: string | null
}

const TEMPLATE_NAME = "foozol-template-stack-name"

export const STACKS = `.pulumi/stacks/${PROJECT}`
/** States at the ends of runs. */
export const BACKUPS = `.pulumi/backups/${PROJECT}`
/** The folder of the locks of all stacks. */
export const LOCKS = `.pulumi/locks/organization/${PROJECT}`
/** The folder of empty stacks. */
export const TEMPLATES = ".foozol"
const SPECS = ".foozol/specs"
const ASIDE = ".foozol/unreadable"

/** @param version the engine's version: another one may write another format, so it gets its own template */
export function stateBackend(files: StateFiles, version: string): StateBackend {
  const template = `${TEMPLATES}/empty-stack-${version}.json`
  const file = (stack: string) => `${STACKS}/${stack}.json`
  const locksOf = (stack?: string) => (stack === undefined ? LOCKS : `${LOCKS}/${stack}`)

  const note = (stack: string) => `${SPECS}/${stack}.json`

  /** What has a state, or a note of what it shall be: a state that is no file is not listed. */
  async function names(): Promise<string[]> {
    const found = await Promise.all(
      [STACKS, SPECS].map(async folder =>
        (await files.list(folder))
          .filter(name => name.endsWith(".json"))
          .map(name => name.slice(folder.length + 1, -".json".length)),
      ),
    )
    return [...new Set(found.flat())]
  }

  /** What a workspace whose first run was cut off was to be. */
  async function noted(stack: string, isUnfinished: boolean): Promise<StackRecord | null> {
    const spec = parseNote((await files.read(note(stack))) ?? "")
    return spec && { workspace: spec.workspace, spec, machineId: null, isUnfinished }
  }

  /** The newest state that an earlier moment has left: before the last write, or at the end of a run. */
  async function newestBackup(stack: string): Promise<string | null> {
    const ends = await files.list(`${BACKUPS}/${stack}`)
    const candidates = [`${file(stack)}.bak`, ...ends.filter(name => name.endsWith(".json"))]
    const texts = await Promise.all(candidates.map(files.read))
    return texts
      .map(text => ({ text, state: text === null ? null : parseStackFile(text, stack) }))
      .reduce<{ text: string | null; at: number }>(
        (best, { text, state }) => (state && state.writtenAt > best.at ? { text, at: state.writtenAt } : best),
        { text: null, at: -1 },
      ).text
  }

  async function trouble(stack: string): Promise<Trouble> {
    const none: Trouble = { is: "nothing", backup: null }
    // What is noted as wanted and has no state has lost it, or was never begun.
    if (!(await files.isThere(file(stack))) && !(await files.isThere(note(stack)))) return none
    if (parseStackFile((await files.read(file(stack))) ?? "", stack) !== null) return none
    const backup = await newestBackup(stack)
    return { is: backup === null ? "lost" : "put-back", backup }
  }

  async function record(stack: string): Promise<StackRecord | null> {
    const text = (await files.read(file(stack))) ?? ""
    return recordInFile(text) ?? recordInFile((await newestBackup(stack)) ?? "")
  }

  return {
    exists: stack => files.isThere(file(stack)),
    salt: async stack => saltOf((await files.read(file(stack))) ?? "") || null,

    async read(stack) {
      if (!(await files.isThere(file(stack)))) return null
      const state = parseStackFile((await files.read(file(stack))) ?? "", stack)
      if (state === null) throw engineError("failed to load checkpoint")
      return state
    },

    trouble,

    async putBack(stack) {
      const { is, backup } = await trouble(stack)
      if (is === "nothing") return is
      // Moved, not copied: it may be a folder, or nothing that can be read.
      if (await files.isThere(file(stack))) await files.move(file(stack), `${ASIDE}/${stack}.${randomUUID()}`)
      if (backup !== null) await files.replace(file(stack), backup)
      return is
    },

    async createFromTemplate(stack) {
      const text = await files.read(template)
      if (text === null) return false
      // Two creators of one stack end with one.
      await files.writeNew(file(stack), text.replace(TEMPLATE_NAME, stack))
      return true
    },

    async removeLockOf(pid) {
      for (const { name, lock } of await locksIn(files, LOCKS)) {
        if (lock.pid === pid && lock.hostname === hostname()) await files.remove(name)
      }
    },

    removeDeadLocks: stack => removeDeadLocks(files, locksOf(stack)),
    names,
    record,
    async records() {
      const found: StackRecord[] = []
      // One after the other: a thousand of them are fifteen megabytes.
      for (const stack of await names()) {
        const text = await files.read(file(stack))
        const inFile = recordInFile(text ?? "")
        if (inFile) {
          found.push(inFile)
          continue
        }
        const backup = await newestBackup(stack)
        const isLost = text === null && (backup !== null || (await files.isThere(file(stack))))
        // Neither a state that names it nor one that was lost or damaged: its first run was cut off.
        const isUnfinished = !isLost && (text === null || parseStackFile(text, stack) !== null)
        const record = recordInFile(backup ?? "") ?? (await noted(stack, isUnfinished))
        if (record) found.push(record)
      }
      return found
    },
    noteSpec: spec => files.replace(note(spec.workspace), JSON.stringify(spec)),
    forgetSpec: stack => files.remove(note(stack)),
    locks: async stack => (await locksIn(files, locksOf(stack))).map(({ lock }) => lock),

    async keepAsTemplate(stack) {
      const text = await files.read(file(stack))
      if (text === null) return
      const state = JSON.parse(text) as { checkpoint?: { stack?: string; latest?: { resources?: unknown[] } } }
      const name = state.checkpoint?.stack
      if (!name?.endsWith(`/${stack}`) || state.checkpoint?.latest?.resources) return
      state.checkpoint = { ...state.checkpoint, stack: name.slice(0, -stack.length) + TEMPLATE_NAME }
      await files.writeNew(template, JSON.stringify(state))
    },
  }
}
