import { randomUUID } from "node:crypto"
import { hostname, userInfo } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { locksIn, removeDeadLocks } from "./stack-locks.ts"
import { BACKUPS, LOCKS, STACKS, TEMPLATES } from "./state-backend.ts"
import type { StateFiles } from "./state-files/contract.ts"
import { type Crypter, newCrypter, openCrypter, reencrypted, saltOf } from "./state-secrets.ts"

/** How long a run that is at a stack is waited for, and how often it is looked whether it is over. */
const [PATIENCE_MS, LOOK_MS] = [120_000, 200]

/** What became of the stacks, or would become of them. */
export interface PassphraseRotation {
  /** Encrypted anew. */
  rotated: string[]
  /** Were of the new passphrase already. */
  fine: number
  /** A run was at them for too long: the next try takes them. */
  held: string[]
  /** None of the passphrases opens them, or they cannot be read: they are as they were. */
  unreadable: string[]
}

/**
 * Encrypts the secrets of all stacks, and of what the engine keeps of earlier states of them, by another passphrase. One
 * file after the other, each replaced whole: cut off anywhere, it is done again from the beginning. A run of the engine
 * and this keep each other off a stack by the engine's own lock.
 * @param from passphrases until now
 */
export async function rotatePassphrase(
  files: StateFiles,
  { from, to }: { from: readonly string[]; to: string },
  { dryRun = false, patienceMs = PATIENCE_MS }: { dryRun?: boolean; patienceMs?: number } = {},
): Promise<PassphraseRotation> {
  const result: PassphraseRotation = { rotated: [], fine: 0, held: [], unreadable: [] }
  const open = crypters(from, to)
  const fresh = await newCrypter(to)

  /** @returns what was done, or would be */
  async function anew(name: string): Promise<"rotated" | "fine" | "unreadable"> {
    const text = await files.read(name)
    if (text === null) return "fine"
    const salt = saltOf(text)
    if (salt === null) return "unreadable"
    if (salt === "") return "fine"
    const found = await open(salt)
    if (found === null) return "unreadable"
    if (found.isNew) return "fine"
    if (!dryRun) await files.replace(name, reencrypted(text, found.crypter, fresh))
    return "rotated"
  }

  // New stacks are copies of it: the engine makes another one.
  for (const name of await files.list(TEMPLATES)) {
    if (!/\/empty-stack-[^/]*\.json$/.test(name) || (await anew(name)) !== "unreadable") continue
    if (!dryRun) await files.remove(name)
  }
  const stacks = (await files.list(STACKS)).filter(name => name.endsWith(".json"))
  for (const file of stacks) {
    const stack = file.slice(STACKS.length + 1, -".json".length)
    const lock = dryRun ? "" : await hold(files, stack, patienceMs)
    if (lock === null) {
      result.held.push(stack)
      continue
    }
    try {
      // Earlier states first: a run of a state that is new already puts none of those in its place that are not.
      const kept = [`${file}.bak`, ...(await files.list(`${BACKUPS}/${stack}`))].filter(name =>
        /\.json(\.bak)?$/.test(name),
      )
      for (const name of kept) await anew(name)
      const word = await anew(file)
      if (word === "fine") result.fine++
      else result[word].push(stack)
    } finally {
      if (lock) await files.remove(lock)
    }
  }
  return result
}

/** The crypter of a salt, by whichever passphrase opens it; each salt is tried once, since stacks share them. */
function crypters(from: readonly string[], to: string) {
  const known = new Map<string, Promise<{ crypter: Crypter; isNew: boolean } | null>>()
  const find = async (salt: string) => {
    for (const passphrase of [to, ...from]) {
      const crypter = await openCrypter(passphrase, salt)
      if (crypter) return { crypter, isNew: passphrase === to }
    }
    return null
  }
  return (salt: string) => {
    if (!known.has(salt)) known.set(salt, find(salt))
    return known.get(salt) as ReturnType<typeof find>
  }
}

/** Locks a stack as the engine does: says so first, and gives way where somebody else has. @returns the lock's file; null: it is held */
async function hold(files: StateFiles, stack: string, patienceMs: number): Promise<string | null> {
  const folder = `${LOCKS}/${stack}`
  const until = performance.now() + patienceMs
  for (;;) {
    const name = `${folder}/${randomUUID()}.json`
    const lock = { pid: process.pid, username: userInfo().username, hostname: hostname(), timestamp: new Date() }
    await files.writeNew(name, JSON.stringify(lock))
    await removeDeadLocks(files, folder)
    if ((await locksIn(files, folder)).every(one => one.name === name)) return name
    await files.remove(name)
    if (performance.now() > until) return null
    await sleep(LOOK_MS * (1 + Math.random()))
  }
}
