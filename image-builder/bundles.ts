import { existsSync } from "node:fs"
import { cp, mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { ImageError } from "./errors.ts"

/** Writes what is compiled from this repository into a directory, as it lies on the machine. */
export type Bundle = (target: string) => Promise<void>

const here = dirname(fileURLToPath(import.meta.url))
const agentEntry = join(here, "agent", "main.ts")
const viewerEntry = join(here, "viewer", "build.ts")

/** The workspace agent as one file, the viewer as one page, and NGINX's pages. */
export const bundle: Bundle = async target => {
  for (const entry of [agentEntry, viewerEntry]) {
    if (!existsSync(entry))
      throw new ImageError("no-bundle", `${entry} is missing; the image cannot be made without it.`)
  }
  const { build } = await import("esbuild")
  await build({
    entryPoints: [agentEntry],
    outfile: join(target, "usr/lib/foozol/agent.cjs"),
    bundle: true,
    platform: "node",
    // As an ES module it would load all that `node:http` can give, a client for `fetch` too: a second of an emulated boot.
    format: "cjs",
    target: "node24",
    minify: true,
    legalComments: "none",
    logLevel: "silent",
  })
  const { buildViewer } = await import("./viewer/build.ts")
  const viewer = join(target, "usr/share/foozol/viewer")
  await mkdir(viewer, { recursive: true })
  await buildViewer({ out: viewer })
  await cp(join(viewer, "pages"), join(target, "usr/share/foozol/pages"), { recursive: true })
}
