import type { Dirent } from "node:fs"
import { lstat, readdir, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { readClaude } from "./claude.ts"
import { readCodex } from "./codex.ts"
import { readGemini } from "./gemini.ts"
import { readEnds, type Tool, type Transcript } from "./transcript.ts"

/** Files that are looked at, and conversations that are told of: the newest. */
const [MOST_FILES, MOST] = [2_000, 20]

interface File {
  tool: Tool
  path: string
  mtimeMs: number
  size: number
}

/** Finds the newest conversations there are; what has not changed since the last look is not read again. */
export function createFinder(): (folders: Record<Tool, string>) => Promise<Transcript[]> {
  let known = new Map<string, { of: string; transcript: Transcript | null }>()
  return async folders => {
    const [claude, codex, gemini] = [
      join(folders.claude, "projects"),
      join(folders.codex, "sessions"),
      join(folders.gemini, "tmp"),
    ]
    const found = [
      ...(await files("claude", claude, 2, /^[\w-]{8,64}\.jsonl$/)),
      ...(await files("codex", codex, 4, /^rollout-.*\.jsonl$/)),
      ...(await files("gemini", gemini, 3, /^session-.*\.jsonl$/)),
    ].sort((a, b) => b.mtimeMs - a.mtimeMs)
    const transcripts: Transcript[] = []
    const next: typeof known = new Map()
    for (const file of found) {
      if (transcripts.length === MOST) break
      const of = `${file.mtimeMs} ${file.size}`
      const before = known.get(file.path)
      const transcript = before?.of === of ? before.transcript : await read(file)
      next.set(file.path, { of, transcript })
      if (transcript) transcripts.push(transcript)
    }
    known = next
    return transcripts
  }
}

async function read({ tool, path, mtimeMs }: File): Promise<Transcript | null> {
  const ends = await readEnds(path)
  if (ends === null) return null
  const transcript =
    tool === "claude"
      ? readClaude((path.split("/").at(-1) ?? "").replace(/\.jsonl$/, ""), ends)
      : tool === "codex"
        ? readCodex(ends)
        : readGemini(await projectRoot(dirname(dirname(path))), ends)
  return transcript && { ...transcript, at: transcript.at || mtimeMs, path }
}

const projectRoot = async (folder: string) =>
  (await readFile(join(folder, ".project_root"), "utf8").catch(() => "")).trim()

/** Files so deep below a folder, the last by name first; links are not followed. */
async function files(tool: Tool, root: string, depth: number, form: RegExp): Promise<File[]> {
  const all: File[] = []
  async function visit(folder: string, left: number): Promise<void> {
    const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.sort((a, b) => (a.name < b.name ? 1 : -1))) {
      if (all.length >= MOST_FILES) return
      const path = join(folder, entry.name)
      if (left > 1 && entry.isDirectory()) await visit(path, left - 1)
      if (left > 1 || !entry.isFile() || !form.test(entry.name)) continue
      const found = await lstat(path).catch(() => null)
      if (found) all.push({ tool, path, mtimeMs: found.mtimeMs, size: found.size })
    }
  }
  await visit(root, depth)
  return all
}
