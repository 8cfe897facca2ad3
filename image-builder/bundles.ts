import { existsSync } from "node:fs"
import { cp, mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Plugin } from "esbuild"
import { ImageError } from "./errors.ts"

/** Writes what is compiled from this repository into a directory, as it lies on the machine. */
export type Bundle = (target: string) => Promise<void>

const here = dirname(fileURLToPath(import.meta.url))
const agentEntry = join(here, "agent", "main.ts")
const acmeEntry = join(here, "acme", "main.ts")
const filesEntry = join(here, "file-server", "main.ts")
const viewerEntry = join(here, "viewer", "build.ts")

/** How programs of a machine are compiled. */
export const compiled = {
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  // As an ES module it would load all that `node:http` can give, a client for `fetch` too: a second of an emulated boot.
  format: "cjs",
  target: "node24",
  minify: true,
  legalComments: "none",
  logLevel: "silent",
} as const

/** The workspace agent as one file, what it asks for certificates with and what has the home's files as others, the pages, and NGINX's. */
export const bundle: Bundle = async target => {
  for (const entry of [agentEntry, acmeEntry, filesEntry, viewerEntry]) {
    if (!existsSync(entry))
      throw new ImageError("no-bundle", `${entry} is missing; the image cannot be made without it.`)
  }
  const { build } = await import("esbuild")
  const programs = join(target, "usr/lib/foozol")
  await build({ ...compiled, outdir: programs, entryPoints: { agent: agentEntry, files: filesEntry } })
  await bundleAcme(programs)
  const { buildViewer } = await import("./viewer/build.ts")
  const viewer = join(target, "usr/share/foozol/viewer")
  await mkdir(viewer, { recursive: true })
  await buildViewer({ out: viewer })
  await cp(join(viewer, "pages"), join(target, "usr/share/foozol/pages"), { recursive: true })
}

/** What asks for certificates, as `acme.cjs` in a folder. */
export async function bundleAcme(outdir: string): Promise<void> {
  const { build } = await import("esbuild")
  await build({ ...compiled, outdir, entryPoints: { acme: acmeEntry }, plugins: [withoutIdleParts] })
}

/** What the ACME client is made of that is read at every start: its HTTP client and its cryptography are ours, others idle. */
const withoutIdleParts: Plugin = {
  name: "without idle parts",
  setup({ onResolve, onLoad }) {
    const of = (importer: string) => importer.includes(join("node_modules", "acme-client"))
    onResolve({ filter: /^\.\/(axios|crypto)$/ }, ({ path, importer }) =>
      of(importer) ? { path: join(here, "acme", path === "./axios" ? "transport.ts" : "pem.ts") } : undefined,
    )
    // Its older cryptography (node-forge), what would look at challenges before the authority does, and a logger.
    onResolve({ filter: /^(\.\/crypto\/forge|\.\/verify|\.\/auto|debug)$/ }, ({ path, importer }) =>
      of(importer) ? { path, namespace: "idle" } : undefined,
    )
    onLoad({ filter: /./, namespace: "idle" }, () => ({ contents: "module.exports = () => () => {}" }))
  },
}
