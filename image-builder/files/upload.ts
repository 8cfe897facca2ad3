/// <reference lib="dom" />
import { call, isLost, lost, query, Refusal, read } from "./api.ts"

/** Bytes of one request: what is sent again at most after a lost connection. The workspace takes 16 MiB. */
const PIECE = 8 * 1024 * 1024
/** Waits between tries, in ms; the last one is repeated. */
const WAITS = [500, 1_000, 2_000, 5_000, 10_000]

export type OnTaken = "ask" | "number" | "replace"

export interface Upload {
  file: File
  /** The folder it goes to, and its path below that. */
  folder: string
  name: string
}

interface Given {
  signal: AbortSignal
  /** Bytes that have arrived. */
  progress: (arrived: number) => void
  /** What to do where the name is taken; null to leave the file. Asked once at most. */
  taken: (refusal: Refusal) => Promise<"number" | "replace" | null>
  /** Resolves when it is worth another try. */
  connected?: () => Promise<void>
}

/** Where a file went, or null where it was left. `full` as programs of the workspace call it. */
export type Sent = { path: string; full: string } | null

/**
 * Sends a file to the workspace in pieces, and goes on where it was cut off, also by an earlier page: the workspace
 * keeps what has arrived for three days.
 * @throws Refusal that trying again would not change; AbortError
 */
export async function upload({ file, folder, name }: Upload, given: Given): Promise<Sent> {
  const { signal, progress } = given
  const wish = { folder, name, size: file.size, modified: file.lastModified }
  const key = crypto.randomUUID()
  let [offset, tries]: [number, number] = [0, 0]
  let onTaken: OnTaken = "ask"
  // Of a small one it is as quick to send it as to ask.
  let asks = file.size > PIECE

  for (;;) {
    signal.throwIfAborted()
    try {
      if (asks) {
        const found = await call<{ offset: number; done: Sent }>(
          "GET",
          `/files/upload?${query({ ...wish, key })}`,
          undefined,
          signal,
        )
        asks = false
        if (found.done !== null) return found.done
        offset = Math.min(found.offset, file.size)
      }
      progress(offset)
      const piece = file.slice(offset, offset + PIECE)
      const address = `/files/upload?${query({ ...wish, key, offset, taken: onTaken })}`
      const answer = await put(address, piece, signal, sent => progress(offset + sent))
      offset = answer.offset
      tries = 0
      if (answer.done) return { path: answer.path, full: answer.full }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Refusal)) throw error
      if (error.id === "exists" && onTaken === "ask") {
        const answer = await given.taken(error)
        if (answer === null) {
          await call("DELETE", `/files/upload?${query(wish)}`).catch(() => {})
          return null
        }
        onTaken = answer
      } else if (error.id === "offset" && tries < WAITS.length) {
        tries++
      } else if (isLost(error)) {
        // A file that is gone or was changed looks like a lost connection.
        await requireReadable(file)
        await pause(WAITS[Math.min(tries++, WAITS.length - 1)] ?? 0, signal)
        await given.connected?.()
      } else throw error
      asks = true
    }
  }
}

/** Forgets what has arrived of a file. */
export const discard = (wish: { folder: string; name: string; size: number; modified: number }) =>
  call("DELETE", `/files/upload?${query(wish)}`)

type Answer = { offset: number; done: false } | { offset: number; done: true; path: string; full: string }

/** By XMLHttpRequest: `fetch` does not say how much has been sent. */
function put(address: string, piece: Blob, signal: AbortSignal, progress: (sent: number) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const abort = () => request.abort()
    request.open("PUT", address)
    request.setRequestHeader("content-type", "application/octet-stream")
    request.upload.addEventListener("progress", ({ loaded }) => progress(loaded))
    request.addEventListener("load", () => {
      try {
        resolve(read<Answer>(request.status, request.responseText))
      } catch (error) {
        reject(error)
      }
    })
    for (const name of ["error", "abort", "timeout"]) request.addEventListener(name, () => reject(lost()))
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort))
    signal.addEventListener("abort", abort)
    request.send(piece)
  })
}

async function requireReadable(file: File): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer()
  } catch {
    throw new Refusal("unreadable", 0, "The file was changed or removed on your device. Choose it again.")
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })
