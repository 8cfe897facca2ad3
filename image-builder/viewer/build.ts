import { createHash } from "node:crypto"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const HERE = import.meta.dirname
const TERMINAL = join(HERE, "..", "terminal")
const FILES = join(HERE, "..", "files")
const AGENTS = join(HERE, "..", "agents")

/**
 * Writes `index.html` (the viewer, everything inlined), `terminal.html`, `files.html` and `agents.html` (the terminals,
 * the files and the conversations with agents, likewise), `csp.conf` (one NGINX line with the hashes of what is inlined) and `pages/*.html` (what NGINX shows in their place; the same policy
 * covers them).
 */
export async function buildViewer({ out }: { out: string }): Promise<void> {
  const pages = [
    { name: "index.html", of: HERE, entry: "viewer", notice: await novncNotice() },
    { name: "terminal.html", of: TERMINAL, entry: "terminal", notice: await xtermNotice() },
    { name: "files.html", of: FILES, entry: "files", notice: "" },
    { name: "agents.html", of: AGENTS, entry: "agents", notice: "" },
  ]
  const pageStyle = await bundle(join(HERE, "style/page.css"))
  await mkdir(join(out, "pages"), { recursive: true })
  const written = await Promise.all(
    pages.map(async ({ name, of, entry, notice }) => {
      const [script, style] = await Promise.all([
        bundle(join(of, `${entry}.ts`), notice),
        bundle(join(of, "style", `${entry}.css`)),
      ])
      const text = await withParts(await readFile(join(of, "index.html"), "utf8"))
      await writeFile(join(out, name), inline(inline(text, "style", style), "script", script))
      return { script, style }
    }),
  )

  for (const name of await readdir(join(HERE, "pages"))) {
    const text = await readFile(join(HERE, "pages", name), "utf8")
    await writeFile(join(out, "pages", name), inline(text, "style", pageStyle))
  }
  const policy = contentPolicy(
    written.map(({ script }) => script),
    [...written.map(({ style }) => style), pageStyle],
  )
  await writeFile(join(out, "csp.conf"), `set $viewer_csp "${policy}";\n`)
}

/** The policy admits these very scripts and styles and nothing else; `'self'` covers wss: to the page's own host. */
export function contentPolicy(scripts: string[], styles: string[]): string {
  const hashes = (texts: string[]) =>
    texts.map(text => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).join(" ")
  return [
    "default-src 'none'",
    `script-src ${hashes(scripts)}`,
    `style-src ${hashes(styles)}`,
    "connect-src 'self'",
    "img-src 'self' data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ")
}

async function bundle(entry: string, banner = ""): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    // noVNC awaits at its top level, which only a module may.
    format: "esm",
    target: "es2022",
    legalComments: "none",
    charset: "utf8",
    write: false,
    logLevel: "silent",
  })
  const [file] = result.outputFiles
  if (file === undefined) throw new Error(`${entry} gave no output`)
  return `${banner}${file.text.trim()}`
}

/** noVNC's licence asks that whoever gets the bundle can find its source. */
async function novncNotice(): Promise<string> {
  const main = fileURLToPath(import.meta.resolve("@novnc/novnc"))
  const { version } = JSON.parse(await readFile(join(dirname(main), "../package.json"), "utf8"))
  return `/* Contains noVNC ${version} (MPL-2.0, https://github.com/novnc/noVNC) and pako (MIT) */\n`
}

/** xterm.js asks that its notice goes along. */
async function xtermNotice(): Promise<string> {
  const main = fileURLToPath(import.meta.resolve("@xterm/xterm"))
  const { version } = JSON.parse(await readFile(join(dirname(main), "../package.json"), "utf8"))
  return `/* Contains xterm.js ${version} (MIT, Copyright (c) 2014-2024 The xterm.js authors, Copyright (c) 2012-2013 Christopher Jeffrey) */\n`
}

/** Puts in what all pages have: `<!-- cover: WORDS -->`, with the words it opens with, and `<!-- notices -->`. */
async function withParts(template: string): Promise<string> {
  let text = template
  for (const name of ["cover", "notices"]) {
    const part = await readFile(join(HERE, "parts", `${name}.html`), "utf8")
    const mark = new RegExp(`<!-- ${name}(?:: (.*))? -->\n`)
    if (!mark.test(text)) throw new Error(`A template has no place for its ${name}`)
    text = text.replace(mark, (_, words = "") => part.replace("<!-- words -->", words))
  }
  return text
}

function inline(html: string, tag: "script" | "style", text: string): string {
  const mark = `<!-- ${tag} -->`
  if (!html.includes(mark)) throw new Error(`A template has no place for its ${tag}`)
  // Either would end the element early; a carriage return is dropped by the parser and changes the hash.
  if (new RegExp(`</${tag}|<!--|\\r`, "i").test(text)) throw new Error(`The bundled ${tag} cannot be inlined as it is`)
  const opening = tag === "script" ? `<script type="module">` : "<style>"
  return html.replace(mark, () => `${opening}${text}</${tag}>`)
}
