import type { EngineEvent } from "../../infra/engine-events.ts"
import type { EndSpan, Recorder } from "./recorder.ts"

/** Takes down what a run of the engine spends its time on, by what it tells. */
export function timeEngine({ begin }: Pick<Recorder, "begin">) {
  let before: EndSpan | null = begin("engine-wait")
  let isStarting = false
  const going = new Map<string, EndSpan>()
  /** Since the last resource; forgotten when another one follows. */
  let after: EndSpan | null = null
  return {
    /** A child has taken it up; again where one died in the middle of it. */
    taken() {
      before?.()
      before = begin("engine-look")
      isStarting = false
    },
    /** @param begun called when the first resource is touched: what follows may be a part of another step */
    heard(event: EngineEvent, begun: () => void): void {
      // Its first process; others may follow, where it has to be run more than once.
      if (event.type === "process" && before && !isStarting) {
        isStarting = true
        before()
        before = begin("engine-start")
      }
      if (event.type !== "resource") return
      const { name, state, change } = event
      if (before) {
        before()
        before = null
        begun()
      }
      // What stays as it is takes no time.
      if (change !== "same") {
        after = null
        going.get(name)?.(state === "failed")
        going.delete(name)
        if (state === "begun") going.set(name, begin("resource", name))
      }
      if (going.size === 0) after ??= begin("engine-end")
    },
    over(failed: boolean): void {
      for (const end of going.values()) end(failed)
      before?.(failed)
      after?.(failed)
    },
  }
}
