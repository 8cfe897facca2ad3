import { fileURLToPath } from "node:url"
import type { StateFiles } from "./contract.ts"
import { folderFiles } from "./folder.ts"

/**
 * The files of the engine's backend; null for one that the engine alone can read (`gs://`, `azblob://`).
 * @param env what the engine is given to reach it
 */
export function openStateFiles(backendUrl: string, env: Record<string, string>): StateFiles | null {
  if (backendUrl.startsWith("file://")) return folderFiles(fileURLToPath(backendUrl))
  // Amazon's client takes long to load, and most have no use for it.
  if (backendUrl.startsWith("s3://")) return atFirstUse(async () => (await import("./s3.ts")).s3Files(backendUrl, env))
  return null
}

function atFirstUse(open: () => Promise<StateFiles>): StateFiles {
  let opened: Promise<StateFiles> | null = null
  const files = () => (opened ??= open())
  return {
    read: async name => (await files()).read(name),
    list: async folder => (await files()).list(folder),
    writeNew: async (name, text) => (await files()).writeNew(name, text),
    replace: async (name, text) => (await files()).replace(name, text),
    isThere: async name => (await files()).isThere(name),
    move: async (name, to) => (await files()).move(name, to),
    remove: async name => (await files()).remove(name),
  }
}
