import { createHash } from "node:crypto"
import { readFile, realpath, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Repository } from "../../../infra/repositories/repository.ts"
import { type Backoff, pause } from "../backoff.ts"
import type { Log } from "../log.ts"
import type { Settings } from "../settings.ts"
import { addressOf, type FetchRepository } from "./fetch.ts"
import type { RepositoryOrder } from "./order.ts"

/** How far it is, as a report tells; with a reason while it is being fetched, it is tried again. */
export interface RepositoryState {
  state: "fetching" | "fetched" | "failed"
  percent?: number
  /** Name of its folder in the home. */
  folder?: string
  reason?: string
}

export interface RepositoryKeeper {
  /** The service has said what is to be fetched. */
  use(order: RepositoryOrder): void
  /** From now on nothing is begun. */
  hold(): void
  /** Tokens may be among them: what was refused is tried again with other ones. */
  settingsInForce(settings: Settings): void
  /** For reports; null: nothing is wanted, or known of it yet. */
  state(): RepositoryState | null
  /** In which terminals begin; null: there is none of a repository. */
  folder(): string | null
  /** Ends when the signal aborts. */
  done: Promise<void>
}

/** Until something is said that ends it earlier. */
const LONG_MS = 3_600_000

/**
 * Has the workspace's repository fetched, once: what has been fetched is remembered in the home, so that it neither
 * comes again after a restart or a restore nor after somebody has deleted it.
 */
export function keepRepository(options: {
  home: string
  fetch: FetchRepository
  /** One has just been fetched; all is told and shown when this has been seen to. */
  prepare(folder: string, devcontainer: string | null): Promise<void>
  /** Shows a folder to whoever sits at the desktop. */
  open(folder: string, name: string): Promise<void>
  /** Something has changed that a report should tell soon. */
  told(): void
  backoff: Backoff
  signal: AbortSignal
  log: Log
}): RepositoryKeeper {
  const { home, backoff, signal, log } = options
  let order: RepositoryOrder | null = null
  let isHeld = false
  let state: RepositoryState | null = null
  let folder: string | null = null
  let settings = ""
  /** The settings under which it was refused. */
  let refusedUnder: string | null = null
  let changed = Promise.withResolvers<void>()

  function say(now: RepositoryState): void {
    state = now
    options.told()
  }

  /** Takes one step. @returns milliseconds until the next one */
  async function step(): Promise<number> {
    if (order === null || state?.state === "fetched") return LONG_MS
    const { repository } = order
    const known = await remembered(home, repository)
    if (known !== null) return settle(repository, known)
    // Without settings it might go past the proxy that it is to go by.
    if (isHeld || order.isHeld || settings === "" || refusedUnder === settings) return LONG_MS
    const under = settings
    say({ state: "fetching" })
    log.info(`fetching ${repository.path} from ${repository.host}`)
    const result = await options.fetch(repository, percent => (state = { state: "fetching", percent }), signal)
    if (signal.aborted) return LONG_MS
    const name = await remembered(home, repository)
    if (result.ok && name !== null) {
      log.info(`fetched ${repository.path} into ${name}`)
      const fresh = await workFolder(home, name, repository.folder)
      if (fresh !== null) await options.prepare(fresh, repository.devcontainer)
      await settle(repository, name)
      if (folder !== null) await options.open(folder, name)
      return LONG_MS
    }
    const { isRefusal, reason } = result.ok ? { isRefusal: true, reason: "It is not where it was put." } : result
    log.warn(`${repository.path} was not fetched: ${reason}`)
    if (isRefusal) refusedUnder = under
    say({ state: isRefusal ? "failed" : "fetching", reason })
    return isRefusal ? LONG_MS : backoff.next()
  }

  async function settle(repository: Repository, name: string): Promise<number> {
    folder = await workFolder(home, name, repository.folder)
    say({ state: "fetched", folder: name })
    return LONG_MS
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      changed = Promise.withResolvers()
      const wait = await step()
      await Promise.race([pause(wait, signal), changed.promise])
    }
  }

  return {
    use(given) {
      if (JSON.stringify(given) === JSON.stringify(order)) return
      if (order !== null && addressOf(given.repository) !== addressOf(order.repository)) {
        state = null
        folder = null
        refusedUnder = null
      }
      order = given
      changed.resolve()
    },
    hold() {
      isHeld = true
    },
    settingsInForce({ env, secrets, proxy }) {
      const digest = createHash("sha256")
        .update(JSON.stringify([env, secrets, proxy]))
        .digest("hex")
      if (digest === settings) return
      settings = digest
      changed.resolve()
    },
    state: () => state,
    folder: () => folder,
    done: keep(),
  }
}

/** The folder that the repository was fetched into; null: it was not. The machine's `fetch-repository` writes it down. */
async function remembered(home: string, repository: Repository): Promise<string | null> {
  const text = await readFile(join(home, ".local/state/foozol/repository"), "utf8").catch(() => "")
  const [url, name = ""] = text.split("\n")
  return url === addressOf(repository) && /^[\w~][\w.~+-]*$/.test(name) ? name : null
}

/**
 * The folder to work in: the one that was named, where it is one and lies within the repository. Never a path that a
 * link leads to: what such folders are called only the repository's authors know, and tmux takes some names for commands.
 */
async function workFolder(home: string, name: string, inner: string | null): Promise<string | null> {
  const root = join(home, name)
  const isFolder = (path: string) =>
    stat(path).then(
      found => found.isDirectory(),
      () => false,
    )
  if (!(await isFolder(root))) return null
  if (inner === null) return root
  const path = join(root, inner)
  const [real, realRoot] = await Promise.all([path, root].map(one => realpath(one).catch(() => null)))
  return real?.startsWith(`${realRoot}/`) && (await isFolder(path)) ? path : root
}
