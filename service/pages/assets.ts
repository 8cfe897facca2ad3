import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { basename, join } from "node:path"
import { FAVICON } from "./icons.ts"

export interface Asset {
  body: Buffer
  /** For `content-type`. */
  type: string
}

const HERE = import.meta.dirname
const CLIENT = join(HERE, "client")
const IMPORT = /(\bfrom\s*)"(\.[^"]+\.ts)"/g

interface Built {
  assets: Map<string, Asset>
  /** Address by name: "site.css" → "/assets/site.3f2a….css". */
  urls: Map<string, string>
  /** Names of the scripts a script imports, and what those import. */
  imports: Map<string, string[]>
  /** File by script, to find two that would have the same address. */
  files: Map<string, string>
}

let built: Built | undefined

/**
 * Everything the pages load, by path. The path names the content (a hash is in it), so it may be cached for ever.
 * The first call reads the files and turns the client's TypeScript into JavaScript.
 */
export function assets(): Map<string, Asset> {
  return all().assets
}

/**
 * Address of an asset, such as "site.css" or "operation.js".
 * @throws Error for a name there is none of
 */
export function assetUrl(name: string): string {
  const url = all().urls.get(name)
  if (url === undefined) throw new Error(`There is no asset ${name}`)
  return url
}

/** Addresses of the scripts that come along with one, so that the browser need not discover them one by one. */
export const importsOf = (name: string): string[] => (all().imports.get(name) ?? []).map(assetUrl)

function all(): Built {
  built ??= build()
  return built
}

function build(): Built {
  const result: Built = { assets: new Map(), urls: new Map(), imports: new Map(), files: new Map() }
  add(result, "mark.svg", FAVICON, "image/svg+xml")
  add(result, "site.css", styles(), "text/css; charset=utf-8")
  for (const file of readdirSync(CLIENT)) if (file.endsWith(".ts")) addScript(result, join(CLIENT, file))
  return result
}

function add({ assets, urls }: Built, name: string, text: string, type: string): void {
  const body = Buffer.from(text)
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 16)
  const dot = name.lastIndexOf(".")
  const url = `/assets/${name.slice(0, dot)}.${hash}${name.slice(dot)}`
  assets.set(url, { body, type })
  urls.set(name, url)
}

/** One sheet out of the files in `style/`, in the order of their names. */
function styles(): string {
  const folder = join(HERE, "style")
  const files = readdirSync(folder).filter(file => file.endsWith(".css"))
  return files
    .sort()
    .map(file => readFileSync(join(folder, file), "utf8"))
    .join("\n")
}

/** Adds a script after all it imports, so that it can name them by their hashes. */
function addScript(result: Built, file: string): string {
  const name = basename(file).replace(/\.ts$/, ".js")
  const known = result.files.get(name)
  if (known === file) return name
  if (known !== undefined) throw new Error(`Two scripts would be called ${name}: ${known} and ${file}`)
  result.files.set(name, file)
  const imported: string[] = []
  const code = stripTypeScriptTypes(readFileSync(file, "utf8")).replace(IMPORT, (_, from: string, path: string) => {
    const other = addScript(result, join(file, "..", path))
    imported.push(other, ...(result.imports.get(other) ?? []))
    return `${from}"${result.urls.get(other)}"`
  })
  result.imports.set(name, [...new Set(imported)])
  // Where types stood, spaces are left.
  add(result, name, code.replace(/[ \t]+$/gm, "").replace(/\n{2,}/g, "\n"), "text/javascript; charset=utf-8")
  return name
}
