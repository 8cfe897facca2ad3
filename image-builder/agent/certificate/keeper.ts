import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { pause } from "../backoff.ts"
import type { Check } from "../checks.ts"
import { type Log, reasonOf } from "../log.ts"
import { type Authority, digestOf } from "./authority.ts"
import { type Facts, readFacts } from "./facts.ts"
import { readMemory, writeMemory } from "./memory.ts"
import { type Memory, nextAsking, type Why } from "./plan.ts"
import type { Obtain } from "./request.ts"
import { type CertificateState, checkOf, stateOf } from "./words.ts"

export interface CertificateKeeper {
  /** The service has said which authority to ask; null for none. */
  use(authority: Authority | null): void
  /** Time has passed that this machine did not see. */
  lookAgain(): void
  /** Whether the desktop is shown to its owner already. */
  check(): Check
  /** For reports. */
  state(): CertificateState | null
  /** Ends when the signal aborts. */
  done: Promise<void>
}

/** Time may be set, and a machine's may stand still: it is looked at again so often. */
const LOOK_MS = 10 * 60_000
/**
 * So long the owner waits for the next try to get a first certificate, or a new one in the place of one that has expired;
 * and for a try under way, which a machine that is just starting needs its time for.
 */
const PATIENCE_MS = 60_000
const TRY_MS = 180_000
/** So long for the word of the service whether there is an authority. */
const WORD_MS = 10_000

/** Sees to it that this machine has a certificate, by the settings of the service. */
export function keepCertificate(options: {
  name: string
  folder: string
  socket: string
  socketGid: number | undefined
  obtain: Obtain
  /** Has NGINX show the new one; streams stay. */
  show(): Promise<void>
  /** Resolves when NGINX listens, without which the authority would find nobody. */
  doorOpen(): Promise<void>
  /** One is asked for, for which somebody may wait, or something has come of it. */
  told(): void
  now(): number
  signal: AbortSignal
  log: Log
}): CertificateKeeper {
  const { name, folder, now, signal, log } = options
  const startedAt = now()
  let authority: Authority | null | undefined
  let since = startedAt
  let facts: Facts | null = null
  let memory: Memory = { directory: null, obtainedAt: 0, tries: null }
  let next: { why: Why; at: number } | null = null
  let asking = false
  let settled = Promise.withResolvers<void>()

  /** What is told changes as a whole: nobody hears of a try that failed with the time of the one before it. */
  async function look(remembered: Memory): Promise<void> {
    const certificate = await readFile(join(folder, "cert.pem"), "utf8").catch(() => "")
    memory = remembered
    facts = readFacts(certificate, name)
    const settings = authority ? { directory: authority.directory, settings: digestOf(authority) } : null
    next = settings && nextAsking({ facts, memory, ...settings, since, now: now() })
  }

  /** @returns what is to be remembered from now on */
  async function ask(by: Authority, why: Why): Promise<Memory> {
    log.info(`asking ${new URL(by.directory).hostname} for a certificate (${why})`)
    await options.doorOpen()
    if (why === "expired") options.told()
    const { socket, socketGid } = options
    const order = { name, authority: by, folder, socket, ...(socketGid === undefined ? {} : { socketGid }) }
    const answer = await options.obtain(order)
    if (signal.aborted) return memory
    let remembered: Memory
    if (answer.ok) {
      remembered = { directory: by.directory, obtainedAt: now(), tries: null }
      await options.show().then(
        () => log.info("the certificate is in use"),
        error => log.warn(reasonOf(error)),
      )
    } else {
      const { kind, reason, retryAfter } = answer
      const settings = digestOf(by)
      const failures = (memory.tries?.settings === settings ? memory.tries.failures : 0) + 1
      const leaveAloneUntil = retryAfter === null ? 0 : now() + retryAfter * 1000
      const { directory } = by
      remembered = { ...memory, tries: { failures, lastAt: now(), kind, reason, leaveAloneUntil, directory, settings } }
      log.warn(`no certificate (${kind}): ${reason}`)
    }
    await writeMemory(folder, remembered).catch(error =>
      log.warn(`this may be asked too soon again: ${reasonOf(error)}`),
    )
    return remembered
  }

  async function keep(): Promise<void> {
    memory = await readMemory(folder)
    while (!signal.aborted) {
      settled = Promise.withResolvers()
      await look(memory)
      if (authority && next && next.at <= now()) {
        asking = true
        const remembered = await ask(authority, next.why).catch(error => {
          log.warn(`no certificate: ${reasonOf(error)}`)
          return memory
        })
        asking = false
        await look(remembered)
        options.told()
      }
      const wait = next === null ? LOOK_MS : Math.min(LOOK_MS, Math.max(1_000, next.at - now()))
      await Promise.race([pause(wait, signal), settled.promise])
    }
  }

  const given = () => ({ known: authority !== undefined, wanted: Boolean(authority), facts, memory, next, asking })
  return {
    use(named) {
      if (authority !== undefined && JSON.stringify(named) === JSON.stringify(authority)) return
      authority = named
      since = now()
      // Until it has been looked at, one may be needed.
      next = named && { why: "first", at: since }
      settled.resolve()
    },
    lookAgain: () => settled.resolve(),
    check: () => {
      const limit = authority === undefined ? startedAt + WORD_MS : since + (asking ? TRY_MS : PATIENCE_MS)
      return checkOf({ ...given(), now: now(), limit })
    },
    state: () => stateOf({ ...given(), now: now() }),
    done: keep(),
  }
}
