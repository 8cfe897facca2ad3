import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import type { Authority } from "./authority.ts"

/** What is handed to the program that speaks with the authority; see `image-builder/acme/`. */
export interface CertificateOrder {
  name: string
  authority: Authority
  /** Folder of key, certificate and the account's key. */
  folder: string
  socket: string
  socketGid?: number
}

/** What came of it; `retryAfter` is in seconds. */
export type Obtained = { ok: true } | { ok: false; kind: string; reason: string; retryAfter: number | null }

/** Obtains a certificate and puts it in its place; never throws. */
export type Obtain = (order: CertificateOrder) => Promise<Obtained>

/** An authority that says nothing for so long has not answered. */
const LIMIT_MS = 180_000

/** A program that speaks with authorities: it runs, and waits for an order. */
export interface Asker {
  /** For one order. */
  obtain: Obtain
  /** Has it neither ended nor had an order? */
  isWaiting(): boolean
  end(): void
}

/** Starts it. What it takes of memory is given back after its order, or when none has come for a while. */
export function startAsker(program: string, limitMs = LIMIT_MS): Asker {
  const child = spawn(process.execPath, ["--max-old-space-size=128", program], { stdio: ["pipe", "pipe", "ignore"] })
  child.on("error", () => {})
  child.stdin.on("error", () => {})
  const said = text(child.stdout).catch(() => "")
  return {
    async obtain(order) {
      let late = false
      const timer = setTimeout(() => {
        late = true
        child.kill("SIGKILL")
      }, limitMs)
      // The order may hold a secret: it goes by its input.
      child.stdin.end(`${JSON.stringify(order)}\n`)
      const answer = await said.finally(() => clearTimeout(timer))
      try {
        return JSON.parse(answer) as Obtained
      } catch {
        const reason = late ? `no answer within ${limitMs / 1000} seconds` : "the program that asks has ended"
        return { ok: false, kind: late ? "unreachable" : "other", reason, retryAfter: null }
      }
    },
    isWaiting: () => child.exitCode === null && child.signalCode === null && !child.stdin.writableEnded,
    end: () => void child.kill("SIGKILL"),
  }
}

/**
 * Asks by a program of its own for each order.
 * @param waiting one that was started before there was an order, for the first one
 */
export function obtainBy(program: string, limitMs = LIMIT_MS, waiting: Asker | null = null): Obtain {
  let ready = waiting
  return order => {
    const asker = ready?.isWaiting() ? ready : startAsker(program, limitMs)
    ready = null
    return asker.obtain(order)
  }
}
