import { z } from "zod"
import { InfraError } from "../errors.ts"
import { SCALEWAY_DISK_GB, VOLUME_CLASS } from "../scaleway-names.ts"
import type { Machines, Size } from "./contract.ts"
import { orNull } from "./or-null.ts"
import type { ScalewayApi } from "./scaleway-api.ts"
import { scalewayRecords } from "./scaleway-records.ts"
import { OneImage } from "./scaleway-snapshots.ts"

/** Scaleway's prices are by the hour, without a monthly cap; its own monthly ones are of so many. */
const HOURS_OF_MONTH = 730

const GIB = 1024 ** 3

const Type = z.object({
  ncpus: z.number(),
  ram: z.number(),
  arch: z.string(),
  gpu: z.number().nullish(),
  hourly_price: z.number(),
  end_of_service: z.boolean().default(false),
  capabilities: z.object({ block_storage: z.boolean().nullish() }).nullish(),
})
type Type = z.output<typeof Type>
const Availability = z.object({ availability: z.string() })
const Money = z
  .object({ currency_code: z.string(), units: z.number().default(0), nanos: z.number().default(0) })
  .transform(({ currency_code: currency, units, nanos }) => ({ currency, amount: units + nanos / 1e9 }))
/** Prices are for each GB and hour. */
const VolumeType = z.object({ type: z.string(), pricing: Money, snapshot_pricing: Money })

type Call = { signal?: AbortSignal | undefined }

/** What Scaleway offers: sizes with prices, and whether one could be had. */
export function scalewayOffer(api: ScalewayApi): Pick<Machines, "sizes" | "sidePrices" | "check"> {
  const { zones, ipv4Hourly } = api.project
  const products = (zone: string) => `/instance/v1/zones/${zone}/products/servers`
  const typesOf = async (zone: string, call: Call) => {
    const [types, available] = await Promise.all([
      api.named(products(zone), "servers", Type, call),
      api.named(`${products(zone)}/availability`, "servers", Availability, call),
    ])
    const soldOut = new Set(available.filter(([, one]) => one.availability === "shortage").map(([name]) => name))
    return types.filter(isOffered).map(([name, type]) => ({ name, type, isSoldOut: soldOut.has(name) }))
  }
  const storage = async (zone: string, call: Call) => {
    const all = await api.list(`/block/v1/zones/${zone}/volume-types`, "volume_types", VolumeType, call)
    const own = all.find(one => one.type === VOLUME_CLASS.type)
    if (own) return own
    throw new InfraError(
      "provider-refused",
      "investigate",
      `Scaleway's list of volume types has no "${VOLUME_CLASS.type}" in ${zone}, which disks are of.`,
    )
  }

  return {
    async sizes({ signal } = {}) {
      const sizes = new Map<string, Size>()
      await Promise.all(
        zones.map(async zone => {
          const [types, { pricing }] = await Promise.all([typesOf(zone, { signal }), storage(zone, { signal })])
          for (const { name, type, isSoldOut } of types) {
            const hourly = type.hourly_price + pricing.amount * SCALEWAY_DISK_GB
            const price = { currency: pricing.currency, hourly, monthly: hourly * HOURS_OF_MONTH }
            const size = sizes.get(name) ?? sized(name, type)
            size.regions[zone] = { price, available: !isSoldOut }
            sizes.set(name, size)
          }
        }),
      )
      return [...sizes.values()]
    },

    async sidePrices({ signal } = {}) {
      const { snapshot_pricing: snapshot } = await storage(zones[0] ?? "none", { signal })
      return {
        currency: snapshot.currency,
        snapshotGbMonthly: snapshot.amount * HOURS_OF_MONTH,
        ipv4Monthly: Object.fromEntries(zones.map(zone => [zone, ipv4Hourly * HOURS_OF_MONTH])),
      }
    },

    async check({ size, region, image, zone: domain }, { signal } = {}) {
      if (!zones.includes(region)) {
        throw new InfraError(
          "unknown-region",
          "fail",
          `Machines cannot be had in "${region}", only in ${zones.join(", ")}.`,
        )
      }
      const [types, made, hasZone] = await Promise.all([
        typesOf(region, { signal }),
        orNull(api.request("GET", `/instance/v1/zones/${region}/images/${image}`, OneImage, { signal })),
        scalewayRecords(api).hasZone(domain, signal),
      ])
      const found = types.find(({ name }) => name === size)
      if (!found || found.type.end_of_service) {
        throw new InfraError(
          "unknown-size",
          "fail",
          `Scaleway has no machine type "${size}" in "${region}"; \`foozol-cloud sizes\` lists the ones it has.`,
        )
      }
      if (found.isSoldOut) {
        throw new InfraError(
          "provider-no-capacity",
          "retry",
          `Machine type "${size}" is sold out in "${region}": choose another size or zone, or try again later.`,
        )
      }
      if (made?.state !== "available") {
        throw new InfraError(
          "unknown-image",
          "fail",
          `Scaleway has no usable image ${image} in "${region}", and images are of one zone each; build or promote a golden image there first.`,
        )
      }
      if (made.arch !== found.type.arch) {
        throw new InfraError(
          "unknown-image",
          "fail",
          `Image ${image} is for ${made.arch}, machine type "${size}" is ${found.type.arch}; choose one that fits.`,
        )
      }
      if (!hasZone) {
        throw new InfraError(
          "unknown-zone",
          "fail",
          `Scaleway's Domains and DNS has no zone "${domain}" in this project; create it there first.`,
        )
      }
    },
  }
}

/** Machines with graphics processors, with Windows, and those whose disk is in the hypervisor, are not offered. */
const isOffered = ([name, type]: [string, Type]) =>
  type.capabilities?.block_storage === true && !type.gpu && !name.endsWith("-WIN")

const sized = (name: string, type: Type): Size => ({
  name,
  cores: type.ncpus,
  memoryGb: type.ram / GIB,
  diskGb: SCALEWAY_DISK_GB,
  architecture: type.arch === "x86_64" ? "x86" : "arm",
  orderable: !type.end_of_service,
  regions: {},
})
