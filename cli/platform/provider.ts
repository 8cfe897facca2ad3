import { z } from "zod"
import { imageLabels } from "../../image-builder/cloud/builder.ts"
import { readyImage } from "../../image-builder/cloud/image-list.ts"
import { PLATFORM_PROFILE } from "../../image-builder/platform/definition.ts"
import { type CloudConfig, hetznerOf } from "../../infra/cloud-config.ts"
import { InfraError } from "../../infra/errors.ts"
import { createHetznerApi } from "../../infra/machines/hetzner-api.ts"
import { createHetznerImages } from "../../infra/machines/hetzner-images.ts"
import { IMAGE_LABELS } from "../../infra/machines/images.ts"
import { Secret } from "../../infra/secret.ts"

/** What a plan asks of the provider. */
export function providerFacts(config: CloudConfig) {
  const hetzner = hetznerOf(config)
  const api = createHetznerApi({ endpoint: hetzner.endpoint, token: new Secret(hetzner.token) })
  return {
    /** Is there such a zone in the project? */
    async hasZone(zone: string): Promise<boolean> {
      const named = z.object({ name: z.string() })
      return (await api.list(`/zones?name=${encodeURIComponent(zone)}`, "zones", named)).length > 0
    },
    /** The newest image of the platform that may be used. @throws InfraError `no-image` */
    async image(): Promise<number> {
      const { [IMAGE_LABELS.hash]: _, ...labels } = imageLabels({ profile: PLATFORM_PROFILE, hash: "" }, "ready")
      const found = readyImage(await createHetznerImages(api).list(labels))
      if (found) return Number(found.id)
      throw new InfraError(
        "no-image",
        "fail",
        "There is no image of the platform in this project: `foozol-cloud platform image --from YOUR-IPV4-ADDRESS` makes one there.",
      )
    },
  }
}
