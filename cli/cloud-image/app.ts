import { readFile } from "node:fs/promises"
import { z } from "zod"
import type { AppSource } from "../../image-builder/definition.ts"
import { ImageError } from "../../image-builder/errors.ts"

const start = z.string().min(1, "must be the command line that starts it")
const File = z.strictObject({
  kind: z.enum(["deb", "appimage", "tarball"]),
  url: z.url({ protocol: /^https?$/, error: "must be an http or https address" }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/i, "must be the file's SHA-256, 64 hexadecimal digits"),
  start,
})
const Package = z.strictObject({
  kind: z.literal("npm"),
  package: z.string().regex(/^(@[\w.-]+\/)?[\w.-]+@\d[\w.+-]*$/, "must be a package with its version: `name@1.2.3`"),
  start,
})
const App = z.discriminatedUnion("kind", [File, Package], { error: "must be deb, appimage, tarball or npm" })

/** The app of the profile desktop out of the file that names it. @throws ImageError `bad-app` */
export async function readApp(file: string): Promise<AppSource> {
  const bad = (why: string) =>
    new ImageError("bad-app", `--app ${file}: ${why} (\`foozol-cloud image build --help\` shows what it holds).`)
  const text = await readFile(file, "utf8").catch(() => {
    throw bad("the file cannot be read")
  })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw bad("the file is not JSON")
  }
  const parsed = App.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw bad([issue?.path.join("."), issue?.message].filter(Boolean).join(" "))
}
