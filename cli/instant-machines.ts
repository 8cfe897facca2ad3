import { openMachines } from "../infra/cloud-config.ts"
import type { Runtime } from "../local-cloud/runtime-file.ts"
import { offeredSizes, USUAL_CLASS } from "../service/workspaces/sizes.ts"
import type { Progress } from "../tools/setup/progress.ts"
import { cloudConfig } from "./settings.ts"

/**
 * Has the local cloud boot a machine of the size that new workspaces have unless another one is wished for, so that
 * theirs begin as copies of it. About 20 s the first time an image is used. Where it cannot be done, machines boot.
 */
export async function prepareMachines(cloud: Runtime, images: number[], progress: Progress): Promise<void> {
  const config = cloudConfig({ ...process.env, HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.apiUrl })
  const size = offeredSizes(await openMachines(config).sizes(), []).find(one => one.class === USUAL_CLASS.hetzner)?.size
    .name
  if (size === undefined) return
  for (const image of images) {
    await progress.step("a machine that new ones are copies of", async () => {
      const answer = await fetch(`${cloud.adminUrl}/templates`, {
        method: "POST",
        headers: { authorization: `Bearer ${cloud.adminToken}` },
        body: JSON.stringify({ image, server_type: size }),
      })
      if (!answer.ok) {
        const { error } = (await answer.json()) as { error?: string }
        progress.say(`  none was made, so new machines boot: ${error ?? answer.status}`)
      }
    })
  }
}
