import { join } from "node:path"
import type { Runtime } from "../local-cloud/runtime-file.ts"
import { buildTestImage } from "../local-cloud/test-image/build.ts"
import { cacheDirectory } from "../tools/setup/paths.ts"
import type { Progress } from "../tools/setup/progress.ts"

/** Name of the small image every local cloud has. */
export const MINI_IMAGE = "mini"

/** Gives a local cloud its first image, a small Linux that answers on ports 443, 5900 and 6080, unless it has it. */
export async function prepareImage(cloud: Runtime, progress: Progress): Promise<void> {
  const known = await fetch(`${cloud.apiUrl}/images?name=${MINI_IMAGE}`, {
    headers: { authorization: `Bearer ${cloud.token}` },
  })
  const { images } = (await known.json()) as { images: unknown[] }
  if (images.length > 0) return
  const directory =
    cloud.machines === "none"
      ? "/nonexistent"
      : await progress.step(`image "${MINI_IMAGE}": building`, detail =>
          buildTestImage({ cacheDirectory: join(cacheDirectory(), "images"), log: detail }),
        )
  const answer = await fetch(`${cloud.adminUrl}/images`, {
    method: "POST",
    headers: { authorization: `Bearer ${cloud.adminToken}` },
    body: JSON.stringify({ name: MINI_IMAGE, directory, description: "A small Linux that answers over HTTP" }),
  })
  if (!answer.ok) throw new Error(`The image could not be registered: ${await answer.text()}`)
}
