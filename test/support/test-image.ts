import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildTestImage } from "../../local-cloud/test-image/build.ts"

const cacheDirectory = join(fileURLToPath(new URL("../..", import.meta.url)), "node_modules/.cache/foozol-cloud")

/** Directory of the small bootable image; built once, then taken from the cache. */
export function testImage(): Promise<string> {
  return buildTestImage({ cacheDirectory, log: line => process.env.VERBOSE && console.log(line) })
}
