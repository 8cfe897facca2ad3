/** An event of an operation, as it came over the wire. */
export interface ReadEvent {
  id: string
  type: string
  data: Record<string, unknown>
}

export interface EventReader {
  /** What has come so far. */
  events: ReadEvent[]
  /** Resolves when the service has ended the stream. */
  ended: Promise<void>
  close(): void
}

/** Reads an operation's Server-Sent Events over real HTTP while they come. */
export async function readEvents(
  url: string,
  { token, operation, after }: { token: string; operation: string; after?: string },
): Promise<EventReader> {
  const closing = new AbortController()
  const answer = await fetch(`${url}/api/v1/operations/${operation}/events`, {
    headers: { authorization: `Bearer ${token}`, ...(after === undefined ? {} : { "last-event-id": after }) },
    signal: closing.signal,
  })
  if (answer.status !== 200) throw new Error(`The events cannot be read: ${answer.status} ${await answer.text()}`)
  const events: ReadEvent[] = []
  async function read(): Promise<void> {
    let rest = ""
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      rest += chunk
      const blocks = rest.split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? ""
        if (field("data")) events.push({ id: field("id"), type: field("event"), data: JSON.parse(field("data")) })
      }
    }
  }
  const ended = read()
  // A reader that was closed here has not failed.
  ended.catch(() => {})
  return { events, ended, close: () => closing.abort() }
}

/** The states an operation went through, as its events tell. */
export const statesOf = (events: ReadEvent[]) =>
  events.filter(one => one.type === "state").map(one => one.data.state as string)

/** Its steps, with how each ended. */
export const stepsOf = (events: ReadEvent[]) =>
  events.filter(one => one.type === "step").map(one => `${one.data.step} ${one.data.state}`)
