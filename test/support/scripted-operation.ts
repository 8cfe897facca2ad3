import type { ServerResponse } from "node:http"
import type { Operation, OperationEvent } from "../../service/operations/operation.ts"
import { isOver } from "../../service/operations/operation.ts"
import { operationPage } from "../../service/pages/index.ts"
import type { Span } from "../../service/traces/span.ts"
import { operation, signedIn, workspace } from "./page-samples.ts"

/** Until a form is answered. */
export const FORM_MS = 250

/**
 * An operation whose events a test tells one by one: its page and its stream, which is replayed from the beginning
 * or from what a listener had last.
 */
export function scriptedOperation(more: Partial<Operation> = {}) {
  const told: { id: string; event: OperationEvent }[] = []
  const listeners = new Set<ServerResponse>()
  /** `Last-Event-ID` of everyone who came; null for the first time. */
  const came: (string | null)[] = []
  const control = { status: 200, now: operation({ state: "queued", startedAt: null, ...more }), spans: [] as Span[] }
  const began = Date.now()

  const send = (listener: ServerResponse, { id, event }: (typeof told)[number]) =>
    listener.write(`id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)

  return {
    control,
    came,
    /** Tells an event; one that ends or begins the operation changes the operation as well. */
    tell(event: Record<string, unknown> & { type: OperationEvent["type"] }) {
      const at = Date.now()
      const whole = { at, ...event } as OperationEvent
      if (whole.type === "state") {
        const { state } = whole
        control.now = {
          ...control.now,
          state,
          startedAt: state === "running" ? at : control.now.startedAt,
          failure: whole.failure ?? null,
        }
        if (isOver(control.now)) control.now.finishedAt = at
      }
      // As Redis makes them: several in one millisecond differ in the second part only.
      const entry = { id: `${began}-${told.length}`, event: whole }
      told.push(entry)
      for (const listener of listeners) send(listener, entry)
    },
    /** Ends every open stream as a broken line does. */
    drop() {
      for (const listener of listeners) listener.destroy()
    },
    listening: () => listeners.size,
    routes: (path: string) => {
      const { now, spans } = control
      if (path.startsWith("/operations/")) {
        const events = told.map(({ event }) => event)
        const its = workspace(now.state === "failed" || now.state === "cancelled" ? { state: "FAILED" } : {})
        return operationPage({ ...signedIn, operation: now, workspace: its, events, spans, address: "https://w.test" })
      }
      if (path === "/form") {
        // What a form is answered with that has asked for an operation: the way to its page.
        return (_: unknown, response: ServerResponse) =>
          void setTimeout(() => response.writeHead(303, { location: `/operations/${now.id}?open=1` }).end(), FORM_MS)
      }
      if (path === "/connect") return "<title>Desktop</title>"
      if (path !== `/api/v1/operations/${now.id}/events`) return undefined
      return (request: { headers: Record<string, unknown> }, response: ServerResponse) => {
        const last = (request.headers["last-event-id"] as string | undefined) ?? null
        came.push(last)
        if (control.status !== 200) return void response.writeHead(control.status).end()
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write("retry: 200\n\n")
        const from = told.findIndex(({ id }) => id === last) + 1
        for (const entry of told.slice(from)) send(response, entry)
        listeners.add(response)
        response.on("close", () => listeners.delete(response))
      }
    },
  }
}
