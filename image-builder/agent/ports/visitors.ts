import { type Admission, GRACE_MS, hashToken, judge, monotonic } from "../admission.ts"

/** Who may see a port's server, and what of theirs is open. */
export interface Visitors {
  /** May the holder of this token see this port now? A yes of the service holds for `recheckMs`. */
  admit(token: string, port: number): Promise<Admission>
  /**
   * Notes a connection of somebody who was admitted, which is ended when they no longer are.
   * @returns what forgets it; null where they are not admitted any more
   */
  hold(token: string, port: number, end: () => void): (() => void) | null
  /** Wall clock of the last that was begun, or is still open. */
  usedAt(): number | null
  /** Ends what was opened with a token now, and remembers it for what is just coming in. */
  revoke(tokenHash: string): void
  revokeAll(): void
  /** Asks about every token with something open at once; for when pushed messages may have been lost. */
  recheck(): Promise<void>
  close(): void
}

/** What one token has open at one port. */
interface Visitor {
  token: string
  port: number
  hash: string
  open: Set<() => void>
  goodAt: number
  asking: Promise<Admission> | null
}

/** A token lives 30 minutes after its last use. */
const FORGET_MS = 30 * 60_000

/** @param options.authorize asks the service; anything but a clear answer is `unknown`, which lets nobody in */
export function createVisitors(options: {
  authorize(token: string, port: number): Promise<Admission>
  now?: () => number
  clock?: () => number
  recheckMs?: number
  graceMs?: number
}): Visitors {
  const { now = Date.now, clock = monotonic, recheckMs = 10_000, graceMs = GRACE_MS } = options
  const visitors = new Map<string, Visitor>()
  // A push can come between the service's yes and the connection's beginning.
  const revoked = new Map<string, number>()
  let used: number | null = null

  const keyOf = (hash: string, port: number) => `${hash} ${port}`

  function drop(visitor: Visitor): void {
    visitors.delete(keyOf(visitor.hash, visitor.port))
    for (const end of visitor.open) end()
    visitor.open.clear()
  }

  function ask(visitor: Visitor): Promise<Admission> {
    const asked = clock()
    visitor.asking ??= options
      .authorize(visitor.token, visitor.port)
      .then(answer => {
        if (revoked.has(visitor.hash)) return "signed-out" as const
        if (answer === "admitted") visitor.goodAt = asked
        return answer
      })
      .finally(() => {
        visitor.asking = null
      })
    return visitor.asking
  }

  async function check(visitor: Visitor): Promise<void> {
    // A service that is silent must not keep anybody in for as long as it is.
    if (judge("unknown", visitor.goodAt, clock(), graceMs) !== null) return drop(visitor)
    if (judge(await ask(visitor), visitor.goodAt, clock(), graceMs) !== null) drop(visitor)
  }

  async function recheck(): Promise<void> {
    for (const [hash, at] of revoked) if (clock() - at > FORGET_MS) revoked.delete(hash)
    for (const visitor of visitors.values()) {
      if (visitor.open.size === 0 && visitor.asking === null && clock() - visitor.goodAt > recheckMs) drop(visitor)
    }
    await Promise.all([...visitors.values()].filter(one => one.open.size > 0).map(check))
  }

  const rechecking = setInterval(() => void recheck(), recheckMs)
  return {
    async admit(token, port) {
      const hash = hashToken(token)
      if (revoked.has(hash)) return "signed-out"
      const known = visitors.get(keyOf(hash, port))
      if (known && clock() - known.goodAt < recheckMs) return "admitted"
      const goodAt = Number.NEGATIVE_INFINITY
      const visitor = known ?? { token, port, hash, open: new Set<() => void>(), goodAt, asking: null }
      visitors.set(keyOf(hash, port), visitor)
      const answer = await ask(visitor)
      // What is open goes on until a re-check says no; somebody new is no visitor without a yes.
      if (answer !== "admitted" && visitor.open.size === 0) drop(visitor)
      return answer
    },
    hold(token, port, end) {
      const visitor = visitors.get(keyOf(hashToken(token), port))
      if (visitor === undefined) return null
      visitor.open.add(end)
      used = now()
      return () => void visitor.open.delete(end)
    },
    usedAt: () => ([...visitors.values()].some(one => one.open.size > 0) ? now() : used),
    revoke(hash) {
      revoked.set(hash, clock())
      for (const visitor of [...visitors.values()]) if (visitor.hash === hash) drop(visitor)
    },
    revokeAll() {
      for (const visitor of [...visitors.values()]) {
        revoked.set(visitor.hash, clock())
        drop(visitor)
      }
    },
    recheck,
    close() {
      clearInterval(rechecking)
      for (const visitor of [...visitors.values()]) drop(visitor)
    },
  }
}
