import assert from "node:assert/strict"
import { PROFILES } from "../../service/workspaces/workspace.ts"
import type { TestWorld } from "./service.ts"
import { waitUntil } from "./wait-until.ts"

/** A further project of the provider, as its own token shows it. */
export interface FurtherProject {
  /** Makes golden images there, as their promotion leaves them. @returns the one of the profile browser */
  makeImages(): Promise<number>
  /** What carries a workspace's label there. */
  has(workspace: string): Promise<{ servers: number; firewalls: number; addresses: number; snapshots: number }>
}

/** @param name one of the world's `projects` */
export function furtherProject(world: TestWorld, name: string): FurtherProject {
  const token = new RegExp(`(?:^| )${name}=(\\S+)`).exec(String(world.env.FOOZOL_PROJECTS))?.[1] ?? ""
  return {
    ...projectOfToken(world, token),
    async makeImages() {
      const call = callerOf(world, token)
      const server = { name: "builder", server_type: "cx23", image: world.cloud.imageId, location: "fsn1" }
      // biome-ignore lint/suspicious/noExplicitAny: only what is known of it is read
      const { server: made } = (await call("POST", "/servers", { ...server, start_after_create: false })) as any
      const ids: number[] = []
      for (const profile of PROFILES) {
        const labels = {
          ...{ "managed-by": "foozol-cloud", "foozol-profile": profile },
          ...{ "foozol-image": "0123456789ab", "foozol-image-state": "ready" },
        }
        // biome-ignore lint/suspicious/noExplicitAny: only what is known of it is read
        const { image } = (await call("POST", `/servers/${made.id}/actions/create_image`, { labels })) as any
        await waitUntil("the image is there", async () => {
          // biome-ignore lint/suspicious/noExplicitAny: only what is known of it is read
          return ((await call("GET", `/images/${image.id}`)) as any).image.status === "available"
        })
        ids.push(image.id)
      }
      await call("DELETE", `/servers/${made.id}`)
      return ids[0] as number
    },
  }
}

/** The same of the main project, whose images are the world's own. */
export const mainProject = (world: TestWorld): Pick<FurtherProject, "has"> => projectOfToken(world, world.cloud.token)

function projectOfToken(world: TestWorld, token: string): Pick<FurtherProject, "has"> {
  const call = callerOf(world, token)
  const count = async (kind: string, workspace: string) => {
    const selector = encodeURIComponent(`foozol-workspace==${workspace}`)
    const answer = (await call("GET", `/${kind}?label_selector=${selector}`)) as Record<string, unknown[]>
    return answer[kind]?.length ?? 0
  }
  return {
    async has(workspace) {
      const [servers, firewalls, addresses, snapshots] = await Promise.all(
        ["servers", "firewalls", "primary_ips", "images"].map(kind => count(kind, workspace)),
      )
      return { servers, firewalls, addresses, snapshots } as Awaited<ReturnType<FurtherProject["has"]>>
    },
  }
}

function callerOf(world: TestWorld, token: string) {
  return async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await world.cloud.call(method, path, body, { authorization: `Bearer ${token}` })
    assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
}
