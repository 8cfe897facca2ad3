/// <reference lib="dom" />
import { Refusal } from "../files/api.ts"
import type { Given } from "../files/given.ts"
import { upload } from "../files/upload.ts"
import { countWords, sizeWords } from "../files/words.ts"

/** Folder of the home that gets what is pasted or dropped into a terminal; made where it is not there. */
const FOLDER = "uploads"
/** Of what takes longer it is said how far it is, so often (ms). */
const TELL_MS = 4_000

/**
 * Files for a program in a terminal: they are uploaded, and their paths are typed, as a terminal on one's own machine
 * does with what is dropped on it. Coding agents take pictures that way.
 */
export function createFileSender(options: {
  say: (text: string, kind?: "warning") => void
  /** Resolves when there is a connection. */
  connected: () => Promise<void>
}) {
  const { say, connected } = options
  const signal = new AbortController().signal

  return async ({ files, empty }: Given, type: (text: string) => void): Promise<void> => {
    if (files.length === 0) {
      if (empty.length > 0) say("There is nothing in that folder.")
      return
    }
    const total = files.reduce((sum, { file }) => sum + file.size, 0)
    const what = files.length === 1 ? `"${files[0]?.path}"` : countWords(files.length, "file")
    let [done, arrived] = [0, 0]
    const telling = setInterval(() => {
      say(`Uploading ${what}: ${sizeWords(done + arrived)} of ${sizeWords(total)}.`)
    }, TELL_MS)
    const tops = new Set<string>()
    try {
      for (const { file, path } of files) {
        const progress = (bytes: number) => {
          arrived = bytes
        }
        const sent = await upload(
          { file, folder: "", name: `${FOLDER}/${path}` },
          { signal, progress, connected, taken: async () => "number" },
        )
        done += file.size
        arrived = 0
        if (sent !== null) tops.add(topOf(sent.full, path))
      }
    } catch (error) {
      say(error instanceof Refusal ? error.message : `${what} could not be uploaded.`, "warning")
    } finally {
      clearInterval(telling)
    }
    if (tops.size > 0) type(`${[...tops].map(quoted).join(" ")} `)
  }
}

/** Of a folder's file the folder itself. @param full where it went @param path below the folder of uploads */
export function topOf(full: string, path: string): string {
  const depth = path.split("/").length - 1
  return full
    .split("/")
    .slice(0, depth === 0 ? undefined : -depth)
    .join("/")
}

/** A path as shells take it, and as terminals type what is dropped on them. */
export const quoted = (path: string) => path.replace(/[^\p{L}\p{M}\p{N}_\-./+@:,%]/gu, "\\$&")
