import { randomUUID } from "node:crypto"
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { PROJECT } from "./engine-config.ts"
import { engineError } from "./engine-errors.ts"
import { locksIn, removeDeadLocks, type StackLock } from "./stack-locks.ts"
import { parseStackFile, recordInFile, type StackRecord, type StackState } from "./stack-state.ts"

/**
 * The engine's `file://` backend, for what the engine takes long for or cannot do.
 *
 * Stacks are made by copying an empty one. `pulumi stack init` takes 0.3 s, more than half as long as a whole `up`; all but the name is the same each time.
 * So the engine makes one empty stack, which is kept as a template, and a new stack is a copy of it with its own name.
 * The copy shares the template's encryption salt; each secret is still encrypted under a nonce of its own.
 */
export interface FileBackend {
  exists(stack: string): Promise<boolean>
  /** What a stack's state says; null when there is no stack. @throws InfraError `state-unreadable` */
  read(stack: string): Promise<StackState | null>
  /**
   * Puts the newest good backup in the place of a state that cannot be read, which is kept aside. Without one there is
   * no stack afterwards. @returns what was done
   */
  putBack(stack: string): Promise<"nothing" | "put-back" | "lost">
  /** Makes an empty stack; false when there is no template yet. Never overwrites a stack. */
  createFromTemplate(stack: string): Promise<boolean>
  /** Removes the lock that a run of ours on this host has left, which is proven dead. */
  removeLockOf(pid: number): Promise<void>
  /** Removes a stack's locks whose holders are proven dead. @returns how many */
  removeDeadLocks(stack: string): Promise<number>
  /** Who holds a stack, dead or alive. */
  locks(stack: string): Promise<StackLock[]>
  /** Names of all stacks, those too that cannot be read. */
  names(): Promise<string[]>
  /** The workspaces of all stacks of which the state, or a backup of it, can be read. */
  records(): Promise<StackRecord[]>
  /** Keeps a stack the engine has just made as the template for the next ones. */
  keepAsTemplate(stack: string): Promise<void>
}

const TEMPLATE_NAME = "foozol-template-stack-name"

/**
 * The stacks of a backend, or null when the backend is not a folder on this machine.
 * @param version the engine's version: another one may write another format, so it gets its own template
 */
export function fileBackend(backendUrl: string, version: string): FileBackend | null {
  if (!backendUrl.startsWith("file://")) return null
  const root = fileURLToPath(backendUrl)
  const stacks = join(root, ".pulumi", "stacks", PROJECT)
  const template = join(root, ".foozol", `empty-stack-${version}.json`)
  const locksOf = (stack: string) => join(root, ".pulumi", "locks", "organization", PROJECT, stack)
  const aside = join(root, ".foozol", "unreadable")
  const file = (stack: string) => join(stacks, `${stack}.json`)
  const readable = (path: string) => readFile(path, "utf8").catch(() => null)

  async function names(): Promise<string[]> {
    const files = await readdir(stacks).catch(() => [])
    return files.filter(name => name.endsWith(".json")).map(name => name.slice(0, -".json".length))
  }

  /** The newest state that an earlier moment has left: before the last write, or at the end of a run. */
  async function newestBackup(stack: string): Promise<string | null> {
    const runs = join(root, ".pulumi", "backups", PROJECT, stack)
    const ends = await readdir(runs).catch(() => [])
    const paths = [`${file(stack)}.bak`, ...ends.filter(name => name.endsWith(".json")).map(name => join(runs, name))]
    const texts = await Promise.all(paths.map(readable))
    return texts
      .map(text => ({ text, state: text === null ? null : parseStackFile(text, stack) }))
      .reduce<{ text: string | null; at: number }>(
        (best, { text, state }) => (state && state.writtenAt > best.at ? { text, at: state.writtenAt } : best),
        { text: null, at: -1 },
      ).text
  }

  return {
    exists: async stack => (await readable(file(stack))) !== null,

    async read(stack) {
      const text = await readable(file(stack))
      if (text === null) return null
      const state = parseStackFile(text, stack)
      if (state === null) throw engineError("failed to load checkpoint")
      return state
    },

    async putBack(stack) {
      const text = await readable(file(stack))
      if (text === null || parseStackFile(text, stack) !== null) return "nothing"
      const backup = await newestBackup(stack)
      await mkdir(aside, { recursive: true, mode: 0o700 })
      await writeFile(join(aside, `${stack}.${randomUUID()}`), text, { mode: 0o600 })
      if (backup === null) {
        await rm(file(stack), { force: true })
        return "lost"
      }
      const half = `${file(stack)}.${randomUUID()}.new`
      await writeFile(half, backup, { mode: 0o600 })
      await rename(half, file(stack))
      return "put-back"
    },

    async createFromTemplate(stack) {
      const text = await readable(template)
      if (text === null) return false
      // Two of this process may do it at once.
      const half = `${file(stack)}.${randomUUID()}.new`
      await mkdir(stacks, { recursive: true, mode: 0o700 })
      await writeFile(half, text.replace(TEMPLATE_NAME, stack), { mode: 0o600 })
      try {
        // A link fails where a copy would overwrite: two creators of one stack end with one.
        await link(half, file(stack))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
      } finally {
        await rm(half, { force: true })
      }
      return true
    },

    async removeLockOf(pid) {
      const locks = join(root, ".pulumi", "locks")
      for (const name of await readdir(locks, { recursive: true }).catch(() => [])) {
        const lock = await readable(join(locks, name))
        if (lock === null || !name.endsWith(".json")) continue
        const held = JSON.parse(lock) as { pid?: number; hostname?: string }
        if (held.pid === pid && held.hostname === hostname()) await rm(join(locks, name), { force: true })
      }
    },

    removeDeadLocks: stack => removeDeadLocks(locksOf(stack)),
    names,
    async records() {
      const found: StackRecord[] = []
      // One after the other: a thousand of them are fifteen megabytes.
      for (const stack of await names()) {
        const text = (await readable(file(stack))) ?? ""
        const record = recordInFile(text) ?? recordInFile((await newestBackup(stack)) ?? "")
        if (record) found.push(record)
      }
      return found
    },
    locks: stack => locksIn(locksOf(stack)),

    async keepAsTemplate(stack) {
      const state = JSON.parse(await readFile(file(stack), "utf8")) as {
        checkpoint?: { stack?: string; latest?: { resources?: unknown[] } }
      }
      const name = state.checkpoint?.stack
      if (!name?.endsWith(`/${stack}`) || state.checkpoint?.latest?.resources) return
      state.checkpoint = { ...state.checkpoint, stack: name.slice(0, -stack.length) + TEMPLATE_NAME }
      const half = `${template}.${randomUUID()}.new`
      await mkdir(dirname(template), { recursive: true, mode: 0o700 })
      await writeFile(half, JSON.stringify(state), { mode: 0o600 })
      // Whoever reads it meanwhile finds all of it or nothing.
      await link(half, template).catch(() => {})
      await rm(half, { force: true })
    },
  }
}
