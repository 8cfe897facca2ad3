import { lstat, mkdir, open, readdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join, normalize, sep } from "node:path"

/** A piece of a file below one of the service's folders. */
export interface FilePiece {
  /** By the setting that names the folder. */
  folder: string
  /** Below the folder, with slashes. */
  path: string
  /** Base64. Pieces of a file follow one another; an empty one is an empty file. */
  data: string
}

const PIECE = 48 * 1024
/** Of a state that is being written half is there for moments. */
const TRIES = 20
const AGAIN_MS = 50

/** The engine's locks and what was never finished are of the moment. */
const isLeftOut = (path: string) => path.startsWith(".pulumi/locks/") || /\.(new|half)$/.test(path)
const isStack = (path: string) => path.startsWith(".pulumi/stacks/") && path.endsWith(".json")

/** All files below a folder, in pieces. One that grows meanwhile is taken as it was when it was opened. */
export async function* readFolder(folder: string, root: string): AsyncGenerator<FilePiece> {
  for await (const path of filesBelow(root, "")) {
    if (isLeftOut(path)) continue
    if (isStack(path)) {
      const data = await readWhole(join(root, path))
      if (data) yield* cut(folder, path, data)
      continue
    }
    const file = await open(join(root, path)).catch(() => null)
    if (!file) continue
    try {
      const { size } = await file.stat()
      let at = 0
      do {
        const { buffer, bytesRead } = await file.read(
          Buffer.alloc(Math.min(PIECE, size - at)),
          0,
          Math.min(PIECE, size - at),
          at,
        )
        yield { folder, path, data: buffer.subarray(0, bytesRead).toString("base64") }
        if (bytesRead === 0) break
        at += bytesRead
      } while (at < size)
    } finally {
      await file.close()
    }
  }
}

/** A stack's state, which the engine does not write in one piece; null when it has gone meanwhile. */
async function readWhole(path: string): Promise<Buffer | null> {
  for (let tries = 0; ; tries++) {
    const data = await readFile(path).catch(() => null)
    if (data === null) return null
    try {
      JSON.parse(data.toString("utf8"))
      return data
    } catch {
      // What stays unreadable is taken too: the engine's own backups beside it mend it.
      if (tries === TRIES) return data
      await new Promise(resolve => setTimeout(resolve, AGAIN_MS))
    }
  }
}

function* cut(folder: string, path: string, data: Buffer): Generator<FilePiece> {
  for (let at = 0; at === 0 || at < data.length; at += PIECE) {
    yield { folder, path, data: data.subarray(at, at + PIECE).toString("base64") }
  }
}

async function* filesBelow(root: string, below: string): AsyncGenerator<string> {
  for (const name of (await readdir(join(root, below)).catch(() => [])).sort()) {
    const path = below === "" ? name : `${below}/${name}`
    const found = await lstat(join(root, path)).catch(() => null)
    if (found?.isDirectory()) yield* filesBelow(root, path)
    else if (found?.isFile()) yield path
  }
}

/** Is there any file below a folder? */
export async function hasFiles(root: string): Promise<boolean> {
  for await (const _ of filesBelow(root, "")) return true
  return false
}

/** Appends a piece to its file. @throws when its path leads elsewhere */
export async function writePiece(root: string, { path, data }: FilePiece): Promise<void> {
  const clean = normalize(path)
  if (clean !== path.replaceAll("/", sep) || clean.startsWith("..") || clean.startsWith(sep)) {
    throw new Error(`A backup names a file outside of its folder: ${path}`)
  }
  const file = join(root, clean)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, Buffer.from(data, "base64"), { flag: "a", mode: 0o600 })
}
