import { isLost, type Response } from "./transport.ts"

/** Why there is no certificate. */
export interface Problem {
  /** The authority's own word for it, such as `rateLimited`; `unreachable` when it did not answer; else `other`. */
  kind: string
  /** In the words of the authority, or of the system. */
  reason: string
  /** Seconds that the authority wants to be left alone; null where it says nothing. */
  retryAfter: number | null
}

const URN = "urn:ietf:params:acme:error:"
const MOST = 400

/** Listens to what the authority answers: the client's own errors have the text of answers alone. */
export function createProblemReader(): { heard(answer: Response): void; problem(error: unknown): Problem } {
  let said: Problem | null = null
  return {
    heard(answer) {
      said = problemIn(answer) ?? said
    },
    /** What was wrong, by the error in which it all ended. */
    problem(error) {
      if (isLost(error)) return { kind: "unreachable", reason: short(textOf(error)), retryAfter: null }
      return said ?? { kind: "other", reason: short(textOf(error as Error)), retryAfter: null }
    },
  }
}

/** The problem in an answer (RFC 7807); a challenge that was not met is an ordinary answer with the problem inside. */
function problemIn(answer: Response): Problem | null {
  const { type, detail, error } = (answer.data ?? {}) as Record<string, unknown>
  const found = answer.status >= 400 ? { type, detail } : (error as { type?: unknown; detail?: unknown } | undefined)
  const retryAfter = secondsOf(answer.headers["retry-after"])
  if (typeof found?.type === "string" && found.type !== `${URN}badNonce`) {
    const kind = found.type.startsWith(URN) ? found.type.slice(URN.length) : "other"
    return { kind, reason: short(String(found.detail ?? kind)), retryAfter }
  }
  return answer.status >= 500 ? { kind: "serverInternal", reason: `it answered ${answer.status}`, retryAfter } : null
}

/** Seconds out of a header that has seconds or a date. */
export function secondsOf(header: unknown, now = Date.now()): number | null {
  if (typeof header !== "string" || header === "") return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000
  return Number.isFinite(seconds) && seconds > 0 ? Math.ceil(seconds) : null
}

/** A failed attempt at several addresses has its reasons inside. */
const textOf = (error: Error & { code?: string; errors?: Error[] }) =>
  error.message || error.errors?.map(one => one.message).join("; ") || error.code || "it does not answer"

/** One line without what a terminal or a page could take for more than text. */
const short = (text: string) => text.replace(/\p{Cc}+/gu, " ").slice(0, MOST)
