import { z } from "zod"
import { InfraError } from "../../infra/errors.ts"
import type { Machines, Price } from "../../infra/machines/contract.ts"
import type { HetznerApi } from "../../infra/machines/hetzner-api.ts"
import { HETZNER_SYSTEM } from "./steps.ts"

/** A builder as the provider sells it now, and what the image costs that stays. Before tax. */
export interface BuilderOffer extends Pick<Price, "currency" | "hourly"> {
  size: string
  region: string
  /** For each GB and month; null where the provider's list does not say it. */
  imageGbMonthly: number | null
}

/** What a builder of this size costs at this place. @throws InfraError `unknown-size`, `unknown-region`, `provider-no-capacity` */
export async function builderOffer(
  machines: Pick<Machines, "sizes">,
  { size, region }: { size: string; region: string },
  signal?: AbortSignal,
): Promise<Omit<BuilderOffer, "imageGbMonthly">> {
  const sizes = await machines.sizes(signal ? { signal } : {}).catch(error => {
    if (!(error instanceof InfraError && error.id === "provider-not-found")) throw error
    // Google is asked for the machine types of a zone.
    throw new InfraError(
      "unknown-region",
      "fail",
      `The provider knows no "${region}", or not this project: choose another --region or --project.`,
    )
  })
  const regions = sizes.find(one => one.name === size)?.regions ?? {}
  const offer = regions[region]
  const others = Object.keys(regions).filter(one => one !== region && regions[one]?.available)
  const choose = others.length > 0 ? `choose another one: --region ${others.join(", ")}` : "choose another --region"
  if (!offer)
    throw new InfraError("unknown-region", "fail", `The builder (${size}) cannot be had in "${region}": ${choose}.`)
  if (!offer.available)
    throw new InfraError(
      "provider-no-capacity",
      "retry",
      `The builder (${size}) is sold out in "${region}" now: ${choose}, or try again later.`,
    )
  return { size, region, currency: offer.price.currency, hourly: offer.price.hourly }
}

/** @throws InfraError `no-builder-system` where there is nothing that a builder could start from, as in most local clouds */
export async function requireSystem(api: HetznerApi, endpoint: string, signal?: AbortSignal): Promise<void> {
  const found = await api.list(`/images?name=${HETZNER_SYSTEM}`, "images", z.object({ id: z.number() }), { signal })
  if (found.length > 0) return
  throw new InfraError(
    "no-builder-system",
    "fail",
    `The provider at ${endpoint} has no image "${HETZNER_SYSTEM}", which a builder starts from. If it is the local cloud, leave --provider out: its images are built on this machine.`,
  )
}
