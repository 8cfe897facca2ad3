import { setTimeout as sleep } from "node:timers/promises"
import type { z } from "zod"
import { InfraError } from "../infra/errors.ts"
import { isOver, type OperationEvent, STEPS, type StepName } from "../service/operations/operation.ts"
import { stepWords } from "../service/pages/operation-words.ts"
import { OperationSchema } from "../service/routes/api/schemas.ts"
import type { Api } from "./api-client.ts"

export type ApiOperation = z.output<typeof OperationSchema>

/** The service says something on a stream every 15 s. */
const SILENCE_MS = 60_000
/** Tries to find the stream again, a second apart: a service that is started anew is back by then. */
const TRIES = 30

/**
 * Waits for the end of an operation and says its steps on standard error, over interruptions of the connection.
 * @throws InfraError the operation's failure, or why it cannot be followed any more
 */
export async function followOperation(api: Api, operation: ApiOperation, say = console.error): Promise<ApiOperation> {
  const steps: readonly StepName[] = STEPS[operation.kind]
  const show = (event: OperationEvent) => {
    if (event.type === "step" && event.state === "begun") {
      say(stepWords(operation.kind, steps.indexOf(event.step)))
    }
  }
  const place = { last: null as string | null }
  for (let tries = 0; ; ) {
    const before = place.last
    try {
      await readEvents(api, operation.id, place, show)
      const now = await api.call("GET", `/operations/${operation.id}`, OperationSchema)
      if (isOver(now)) return ended(now)
    } catch (error) {
      // Another try does not help against a refusal.
      if (error instanceof InfraError && error.next !== "retry") throw error
    }
    tries = place.last === before ? tries + 1 : 0
    if (tries >= TRIES) {
      throw new InfraError(
        "lost-sight",
        "retry",
        `The service does not answer any more, but what was begun goes on: look again with \`foozol-cloud workspace show ${operation.workspace}\`.`,
      )
    }
    await sleep(1_000)
  }
}

function ended(operation: ApiOperation): ApiOperation {
  const { state, failure } = operation
  if (state === "succeeded") return operation
  if (failure) throw new InfraError(failure.id, "fail", failure.message, `operation ${operation.id}`)
  throw new InfraError("cancelled", "retry", "It was cancelled: something else was asked for meanwhile.")
}

/** Reads events from a place on, and moves the place, until the stream ends or falls silent. */
async function readEvents(
  api: Api,
  operation: string,
  place: { last: string | null },
  show: (event: OperationEvent) => void,
): Promise<void> {
  const silent = new AbortController()
  const timer = setTimeout(() => silent.abort(), SILENCE_MS)
  try {
    const headers = place.last === null ? {} : { "last-event-id": place.last }
    const answer = await api.raw("GET", `/operations/${operation}/events`, { headers, signal: silent.signal })
    let rest = ""
    for await (const text of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      timer.refresh()
      const blocks = (rest + text).split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data === undefined) continue
        place.last = /^id: (.*)$/m.exec(block)?.[1] ?? place.last
        show(JSON.parse(data) as OperationEvent)
      }
    }
  } finally {
    clearTimeout(timer)
  }
}
