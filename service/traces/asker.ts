import { AsyncLocalStorage } from "node:async_hooks"
import { type Asker, readTraceparent } from "./span.ts"

const asking = new AsyncLocalStorage<Asker>()

/** Does what a request wants: operations that are begun in it belong to the trace that its `traceparent` names. */
export function inTraceOf<T>(traceparent: string, work: () => T): T {
  const asker = readTraceparent(traceparent)
  return asker === null ? work() : asking.run(asker, work)
}

/** The trace of the request that is being answered; null where it has none. */
export const asker = (): Asker | null => asking.getStore() ?? null
