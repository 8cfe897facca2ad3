import type { google } from "@google-cloud/compute/build/protos/protos.js"
import { z } from "zod"
import { InfraError } from "../errors.ts"
import { diskSource, GCP_DISK_GB, managedZone, regionOfZone } from "../gcp-names.ts"
import type { Market } from "../gcp-settings.ts"
import type { Machines, Size } from "./contract.ts"
import type { GcpApi } from "./gcp-api.ts"
import { COMPUTE_SKUS, type RegionPrices, regionPrices, Sku } from "./gcp-prices.ts"
import { gcpRecords } from "./gcp-records.ts"
import { orNull } from "./or-null.ts"

/** As Google counts a month for its prices. */
const HOURS_OF_MONTH = 730

/** The family of machine types that is offered: others have prices of other parts. */
const FAMILY = "e2"

type MachineType = google.cloud.compute.v1.IMachineType
type Call = { signal?: AbortSignal | undefined }

/** What Google offers: sizes with prices, and whether one could be had. */
export function gcpOffer(api: GcpApi, main: GcpApi = api): Pick<Machines, "sizes" | "sidePrices" | "check"> {
  const { project, zones, market } = api.project
  const regions = [...new Set(zones.map(regionOfZone))]

  async function skus({ signal }: Call): Promise<Sku[]> {
    const Page = z.object({ skus: z.array(Sku).default([]), nextPageToken: z.string().default("") })
    const all: Sku[] = []
    for (let token: string | null = ""; token !== null; ) {
      const path: string = `${COMPUTE_SKUS}?pageSize=5000&pageToken=${encodeURIComponent(token)}`
      const page: z.output<typeof Page> = Page.parse((await api.rest("cloudbilling", "GET", path, { signal })) ?? {})
      all.push(...page.skus)
      token = page.nextPageToken || null
    }
    return all
  }
  const prices = async (call: Call) => {
    const all = await skus(call)
    return new Map(regions.map(region => [region, regionPrices(all, region)]))
  }

  return {
    async sizes({ signal } = {}) {
      const [priced, typed] = await Promise.all([
        prices({ signal }),
        Promise.all(
          zones.map(async zone => {
            const types = await api.ask(({ machineTypes }) => machineTypes.list({ project, zone }), signal)
            return types.filter(isOffered).map(type => ({ zone, type }))
          }),
        ),
      ])
      const sizes = new Map<string, Size>()
      for (const { zone, type } of typed.flat()) {
        const price = priceOf(type, priced.get(regionOfZone(zone)), market)
        if (!price) continue
        const size = sizes.get(type.name as string) ?? sized(type)
        // Google does not say beforehand where it has room.
        size.regions[zone] = { price, available: true }
        sizes.set(size.name, size)
      }
      return [...sizes.values()]
    },

    async sidePrices({ signal } = {}) {
      const priced = await prices({ signal })
      const first = priced.get(regions[0] ?? "")
      const monthly = (zone: string) => (priced.get(regionOfZone(zone))?.address ?? 0) * HOURS_OF_MONTH
      return {
        currency: "USD",
        snapshotGbMonthly: first?.snapshotGb ?? 0,
        ipv4Monthly: Object.fromEntries(zones.map(zone => [zone, monthly(zone)])),
      }
    },

    async check({ size, region: zone, image, zone: domain }, { signal } = {}) {
      const region = regionOfZone(zone)
      const source = diskSource(String(image))
      const [place, type, made, quotas, hasZone] = await Promise.all([
        orNull(api.ask(one => one.zones.get({ project, zone }), signal)),
        orNull(api.ask(one => one.machineTypes.get({ project, zone, machineType: size }), signal)),
        orNull(
          "image" in source
            ? api.ask(one => one.images.get({ project, image: String(image) }), signal)
            : api.ask(one => one.snapshots.get({ project, snapshot: String(image) }), signal),
        ),
        orNull(api.ask(one => one.regions.get({ project, region }), signal)),
        gcpRecords(main).hasZone(managedZone(domain), domain, signal),
      ])
      if (place?.status !== "UP" || !zones.includes(zone)) {
        throw new InfraError(
          "unknown-region",
          "fail",
          `Machines cannot be had in "${zone}", only in ${zones.join(", ")}.`,
        )
      }
      if (!type || type.deprecated?.state === "OBSOLETE" || type.deprecated?.state === "DELETED") {
        throw new InfraError(
          "unknown-size",
          "fail",
          `Google has no machine type "${size}" in "${zone}"; \`foozol-cloud sizes\` lists the ones it has.`,
        )
      }
      if (made?.status !== "READY") {
        throw new InfraError(
          "unknown-image",
          "fail",
          `Google has no usable image "${image}" in this project; build or promote a golden image first.`,
        )
      }
      const architecture = made.architecture ?? "X86_64"
      if (architecture !== (type.architecture ?? "X86_64")) {
        throw new InfraError(
          "unknown-image",
          "fail",
          `Image "${image}" is for ${architecture}, machine type "${size}" is ${type.architecture}; choose one that fits.`,
        )
      }
      if (!hasZone) {
        throw new InfraError(
          "unknown-zone",
          "fail",
          `Cloud DNS has no zone "${managedZone(domain)}" for "${domain}" in this project; create it there first.`,
        )
      }
      const wanted = {
        CPUS: type.guestCpus ?? 0,
        SSD_TOTAL_GB: GCP_DISK_GB,
        INSTANCES: 1,
        IN_USE_ADDRESSES: 1,
        STATIC_ADDRESSES: 1,
      }
      for (const { metric, limit, usage } of quotas?.quotas ?? []) {
        const more = wanted[String(metric) as keyof typeof wanted] ?? 0
        if (more === 0 || (usage ?? 0) + more <= (limit ?? 0)) continue
        throw new InfraError(
          "provider-limit",
          "fail",
          `The Google project's quota ${metric} in ${region} is ${limit}, of which ${usage} are in use: remove something, or have it raised (IAM & Admin, Quotas).`,
        )
      }
    },
  }
}

/** Machine types that share a processor cost a part of it that Google's list does not say. */
const isOffered = (type: MachineType) => type.name?.startsWith(`${FAMILY}-`) && !type.isSharedCpu && !type.deprecated

const sized = (type: MachineType): Size => ({
  name: type.name as string,
  cores: type.guestCpus ?? 0,
  memoryGb: (type.memoryMb ?? 0) / 1024,
  diskGb: GCP_DISK_GB,
  architecture: type.architecture === "ARM64" ? "arm" : "x86",
  orderable: true,
  regions: {},
})

/** Of a machine that is on all the time, with its disk. */
function priceOf(type: MachineType, prices: RegionPrices | undefined, market: Market = "on-demand") {
  const usage = market === "spot" ? "Preemptible" : "OnDemand"
  const [core, memory] = [prices?.core(FAMILY, usage), prices?.memoryGb(FAMILY, usage)]
  if (!prices || core == null || memory == null || prices.diskGb === null) return null
  const machine = core * (type.guestCpus ?? 0) + memory * ((type.memoryMb ?? 0) / 1024)
  const disk = (prices.diskGb * GCP_DISK_GB) / HOURS_OF_MONTH
  const hourly = machine + disk
  return { currency: "USD", hourly, monthly: hourly * HOURS_OF_MONTH, offHourly: disk }
}
