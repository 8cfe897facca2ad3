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

/** Asks by a program of its own, so that what it takes of memory is given back. The order may hold a secret: it goes by its input. */
export const obtainBy =
  (program: string, limitMs = LIMIT_MS): Obtain =>
  async order => {
    const child = spawn(process.execPath, ["--max-old-space-size=128", program], {
      stdio: ["pipe", "pipe", "ignore"],
      timeout: limitMs,
      killSignal: "SIGKILL",
    })
    child.on("error", () => {})
    child.stdin.on("error", () => {})
    child.stdin.end(JSON.stringify(order))
    const said = await text(child.stdout).catch(() => "")
    try {
      return JSON.parse(said) as Obtained
    } catch {
      const reason = child.killed ? `no answer within ${limitMs / 1000} seconds` : "the program that asks has ended"
      return { ok: false, kind: child.killed ? "unreachable" : "other", reason, retryAfter: null }
    }
  }
