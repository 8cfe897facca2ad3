import { z } from "zod"

/** Google's price list for Compute Engine, read: https://cloud.google.com/billing/docs/how-to/get-pricing-information-api */

/** The service "Compute Engine" in Google's list. */
export const COMPUTE_SKUS = "/v1/services/6F81-5844-456A/skus"

const Money = z.object({
  currencyCode: z.string().default("USD"),
  // Whole units as text, as Google writes 64-bit numbers, and billionths.
  units: z.coerce.number().default(0),
  nanos: z.number().default(0),
})
export const Sku = z.object({
  description: z.string(),
  category: z.object({
    resourceFamily: z.string().default(""),
    resourceGroup: z.string().default(""),
    usageType: z.string().default(""),
  }),
  serviceRegions: z.array(z.string()).default([]),
  pricingInfo: z
    .array(
      z.object({
        pricingExpression: z.object({
          usageUnit: z.string(),
          tieredRates: z.array(z.object({ startUsageAmount: z.number().default(0), unitPrice: Money })).default([]),
        }),
      }),
    )
    .default([]),
})
export type Sku = z.output<typeof Sku>

/** What of a region is priced, in USD: by the hour, storage by GB and month. Null where the list does not say it. */
export interface RegionPrices {
  core: (family: string, market: "OnDemand" | "Preemptible") => number | null
  memoryGb: (family: string, market: "OnDemand" | "Preemptible") => number | null
  diskGb: number | null
  snapshotGb: number | null
  /** Of an address that a machine has. */
  address: number | null
}

/** The prices of a region out of the list. Pure. */
export function regionPrices(skus: readonly Sku[], region: string): RegionPrices {
  const here = skus.filter(sku => sku.serviceRegions.includes(region))
  const price = (market: string, description: RegExp) => {
    const found = here.find(sku => sku.category.usageType === market && description.test(sku.description))
    return found ? rateOf(found) : null
  }
  const machine = (what: "Core" | "Ram") => (family: string, market: "OnDemand" | "Preemptible") =>
    price(
      market,
      new RegExp(`^${market === "Preemptible" ? "Spot Preemptible " : ""}${family.toUpperCase()} Instance ${what} `),
    )
  return {
    core: machine("Core"),
    memoryGb: machine("Ram"),
    diskGb: price("OnDemand", /^Balanced PD Capacity/),
    snapshotGb: price("OnDemand", /^(Regional )?Storage PD Snapshot/),
    address: price("OnDemand", /^External IP Charge on a Standard VM/),
  }
}

/** The rate of the highest step: the lowest one may be a free allowance for the whole account. */
function rateOf({ pricingInfo }: Sku): number | null {
  const rates = pricingInfo.at(-1)?.pricingExpression.tieredRates ?? []
  const rate = [...rates].sort((a, b) => b.startUsageAmount - a.startUsageAmount)[0]
  return rate ? rate.unitPrice.units + rate.unitPrice.nanos / 1e9 : null
}
