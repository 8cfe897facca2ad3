import { heardTime } from "./heard-time.ts"

/**
 * What those say that answer, in the order of the questions; null for one that fails, or takes longer than that once another
 * has answered.
 * @param patienceMs milliseconds
 * @throws what the first of them failed with, where none answers
 */
export async function thoseThatAnswer<T>(asked: Promise<T>[], patienceMs: number): Promise<({ answer: T } | null)[]> {
  const timer = new AbortController()
  const late = Promise.any(asked).then(
    () =>
      heardTime(patienceMs, timer.signal).then(
        () => null,
        () => null,
      ),
    () => null,
  )
  const found = await Promise.allSettled(asked.map(one => Promise.race([one.then(answer => ({ answer })), late])))
  timer.abort()
  const all = found.map(one => (one.status === "fulfilled" ? one.value : null))
  const failed = found.find(one => one.status === "rejected")
  if (failed && all.every(one => one === null)) throw failed.reason
  return all
}
