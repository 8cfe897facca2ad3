import { cleanName, type Terminal } from "./list.ts"

/**
 * What goes between the page and the agent: one WebSocket, binary messages. The first byte says what it is, the
 * second which of the page's terminals (its channel) it is about; JSON (channel 0) says the rest.
 */
export const KIND = {
  /** Both ways: a `Wish` or a `Word`. */
  json: 0,
  /** To the page: output. From the page: keys. */
  bytes: 1,
  /** To the page: output that makes the terminal anew. */
  anew: 2,
  /** To the page: output, told by what it shares with the output before it (`like.ts`). */
  like: 5,
  /** From the page: text to paste. */
  paste: 3,
  /** From the page: how many bytes of output it has taken in all, as a 64-bit float. */
  taken: 4,
} as const

export const HEADER = 2
/** Terminals one page may look at. */
export const MAX_CHANNELS = 16
/** Longest message from a page: a paste. */
export const MAX_MESSAGE = 1024 * 1024
const MAX_JSON = 4_096
/** Sizes that a terminal can have. */
const SIZES = { cols: [10, 500], rows: [3, 300] } as const

export type Wish =
  | { do: "watch"; channel: number; id: string }
  | { do: "leave"; channel: number }
  | { do: "size"; channel: number; cols: number; rows: number }
  | { do: "create"; name: string | null }
  | { do: "rename"; id: string; name: string }
  | { do: "end"; id: string }
  | { do: "view-only"; on: boolean }

export type Word =
  | { is: "terminals"; all: Terminal[] }
  | { is: "size"; channel: number; cols: number; rows: number }
  | { is: "ended"; channel: number }
  | { is: "created"; id: string }
  /** A sentence for the person. */
  | { is: "refused"; why: string }

/** What a page asks for, or null when it is nothing that can be asked. */
export function readWish(bytes: Uint8Array): Wish | null {
  if (bytes.length > MAX_JSON) return null
  let given: Record<string, unknown>
  try {
    given = JSON.parse(new TextDecoder().decode(bytes)) ?? {}
  } catch {
    return null
  }
  const channel = whole(given.channel, [1, MAX_CHANNELS])
  const id = typeof given.id === "string" && /^%\d{1,9}$/.test(given.id) ? given.id : null
  const [cols, rows] = [whole(given.cols, SIZES.cols), whole(given.rows, SIZES.rows)]
  switch (given.do) {
    case "watch":
      return channel !== null && id !== null ? { do: "watch", channel, id } : null
    case "leave":
      return channel !== null ? { do: "leave", channel } : null
    case "size":
      return channel !== null && cols !== null && rows !== null ? { do: "size", channel, cols, rows } : null
    case "create": {
      const name = given.name == null ? null : cleanName(given.name)
      return given.name == null || name !== null ? { do: "create", name } : null
    }
    case "rename": {
      const name = cleanName(given.name)
      return id !== null && name !== null ? { do: "rename", id, name } : null
    }
    case "end":
      return id !== null ? { do: "end", id } : null
    case "view-only":
      return { do: "view-only", on: given.on === true }
    default:
      return null
  }
}

function whole(value: unknown, [least, most]: readonly [number, number]): number | null {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most ? value : null
}

/** A message of two parts. */
export function message(kind: number, channel: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(HEADER + payload.length)
  whole[0] = kind
  whole[1] = channel
  whole.set(payload, HEADER)
  return whole
}

export const say = (value: Wish | Word) => message(KIND.json, 0, new TextEncoder().encode(JSON.stringify(value)))
