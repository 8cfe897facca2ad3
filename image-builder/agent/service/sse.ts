export interface ServerEvent {
  type: string
  data: string
}

/** An unfinished event may not grow beyond this. */
const MAX_EVENT = 1024 * 1024

/**
 * Reads a stream of Server-Sent Events, however it is cut.
 * @returns a function that takes the next text and answers the events completed by it
 */
export function createEventReader(): (text: string) => ServerEvent[] {
  let rest = ""
  let type = ""
  let data: string[] = []
  let size = 0

  function line(text: string): ServerEvent | null {
    if (text === "") {
      const event = data.length > 0 ? { type: type || "message", data: data.join("\n") } : null
      type = ""
      data = []
      size = 0
      return event
    }
    const colon = text.indexOf(":")
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "")
    size += value.length
    if (field === "event") type = value
    else if (field === "data") data.push(value)
    return null
  }

  return text => {
    rest += text
    const events: ServerEvent[] = []
    // A carriage return at the end may be the first half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ""
    for (const one of lines) {
      const event = line(one)
      if (event) events.push(event)
    }
    if (rest.length + size > MAX_EVENT) throw new Error("an event of the service is too long")
    return events
  }
}

/** One event as it goes over the wire; data is JSON, so it has no line breaks. */
export const formatEvent = (type: string, data: unknown) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
