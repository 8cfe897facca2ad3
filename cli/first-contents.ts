import { join } from "node:path"
import type { Runtime } from "../local-cloud/runtime-file.ts"
import { buildTestImage } from "../local-cloud/test-image/build.ts"
import { cacheDirectory } from "../tools/setup/paths.ts"
import type { Progress } from "../tools/setup/progress.ts"

/** The small image every local cloud has. */
export const MINI_IMAGE = "mini"
/** The DNS zone every local cloud has; browsers send `*.localhost` to this machine by themselves. */
export const LOCAL_ZONE = "foozol.localhost"

/** Gives a local cloud its image, a small Linux that answers over HTTP on port 443, and its zone, unless it has them. */
export async function addFirstContents(cloud: Runtime, progress: Progress): Promise<void> {
  const [images, zones] = await Promise.all([
    list(cloud, `/images?name=${MINI_IMAGE}`, "images"),
    list(cloud, `/zones?name=${LOCAL_ZONE}`, "zones"),
  ])
  if (zones.length === 0)
    await post(`${cloud.apiUrl}/zones`, cloud.token, { name: LOCAL_ZONE, mode: "primary", ttl: 60 })
  if (images.length > 0) return
  const directory =
    cloud.machines === "none"
      ? "/nonexistent"
      : await progress.step(`image "${MINI_IMAGE}": building`, detail =>
          buildTestImage({ cacheDirectory: join(cacheDirectory(), "images"), log: detail }),
        )
  const description = "A small Linux that answers over HTTP"
  await registerImage(cloud, { name: MINI_IMAGE, directory, description })
}

/** Makes an image of a folder known to the local cloud and returns its id. */
export async function registerImage(
  cloud: Runtime,
  about: { name: string; directory: string; description: string },
): Promise<number> {
  const answer = await post(`${cloud.adminUrl}/images`, cloud.adminToken, about)
  return ((await answer.json()) as { image: { id: number } }).image.id
}

async function list(cloud: Runtime, path: string, key: string): Promise<unknown[]> {
  const answer = await fetch(`${cloud.apiUrl}${path}`, { headers: { authorization: `Bearer ${cloud.token}` } })
  return ((await answer.json()) as Record<string, unknown[]>)[key] ?? []
}

async function post(url: string, token: string, body: object): Promise<Response> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return answer
}
