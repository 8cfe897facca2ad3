import { z } from "zod"
import { InfraError } from "../errors.ts"
import { createHetznerMachines } from "./hetzner.ts"
import type { HetznerApi } from "./hetzner-api.ts"
import { IMAGE_LABELS, type ProviderImages } from "./images.ts"

const Identified = z.object({ id: z.number() })
const MadeFrom = z.object({ image: Identified.nullable() })

/** Golden images at Hetzner: snapshots. */
export function createHetznerImages(api: HetznerApi): ProviderImages {
  const machines = createHetznerMachines(api)
  return {
    list: machines.listSnapshots,
    remove: machines.removeSnapshot,
    async inUse({ signal } = {}) {
      const servers = await api.list("/servers", "servers", MadeFrom, { signal })
      return [...new Set(servers.flatMap(({ image }) => (image ? [String(image.id)] : [])))]
    },
    async removeBuilder(builder, { signal } = {}) {
      const labelled = encodeURIComponent(`${IMAGE_LABELS.builder}==${builder}`)
      const find = (kind: string) => api.list(`/${kind}?label_selector=${labelled}`, kind, Identified, { signal })
      for (const { id } of await find("servers")) await machines.remove(String(id), signal ? { signal } : {})
      // A firewall in use is refused; now it is not.
      for (const kind of ["firewalls", "ssh_keys"])
        for (const { id } of await find(kind)) await removeOne(api, `/${kind}/${id}`, signal)
    },
  }
}

async function removeOne(api: HetznerApi, path: string, signal: AbortSignal | undefined): Promise<void> {
  await api.request("DELETE", path, z.object({}), { signal }).catch(error => {
    if (!(error instanceof InfraError) || error.id !== "provider-not-found") throw error
  })
}
