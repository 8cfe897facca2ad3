/**
 * What the pretend Google sells: a few zones, machine types and prices of Google's order of magnitude, so that programs
 * that read them find what they will find there. Nothing here is billed.
 */

export const ZONES = ["us-central1-a", "us-central1-b", "europe-west3-a"]
export const REGIONS = [...new Set(ZONES.map(zone => zone.replace(/-[a-z]$/, "")))]

/** Quotas of a fresh project, per region. */
export const QUOTAS: Record<string, number> = {
  CPUS: 24,
  SSD_TOTAL_GB: 500,
  INSTANCES: 24,
  IN_USE_ADDRESSES: 8,
  STATIC_ADDRESSES: 8,
}

const TYPES: [string, number, number, boolean][] = [
  ["e2-small", 2, 2_048, true],
  ["e2-standard-2", 2, 8_192, false],
  ["e2-highmem-2", 2, 16_384, false],
  ["e2-standard-4", 4, 16_384, false],
  ["n2-standard-2", 2, 8_192, false],
]

export const machineTypes = (project: string, zone: string) =>
  TYPES.map(([name, guestCpus, memoryMb, isSharedCpu]) => ({
    ...{ kind: "compute#machineType", name, guestCpus, memoryMb, isSharedCpu, zone, architecture: "X86_64" },
    selfLink: `projects/${project}/zones/${zone}/machineTypes/${name}`,
    description: `${guestCpus} vCPUs, ${memoryMb / 1024} GB RAM`,
    imageSpaceGb: 0,
    maximumPersistentDisks: 128,
    maximumPersistentDisksSizeGb: "263168",
  }))

const sku = (description: string, group: string, usageUnit: string, nanos: number, market = "OnDemand") => ({
  description,
  category: {
    serviceDisplayName: "Compute Engine",
    resourceFamily: "Compute",
    resourceGroup: group,
    usageType: market,
  },
  serviceRegions: REGIONS,
  pricingInfo: [
    {
      pricingExpression: {
        usageUnit,
        tieredRates: [{ startUsageAmount: 0, unitPrice: { currencyCode: "USD", units: "0", nanos } }],
      },
    },
  ],
})

export const SKUS = [
  sku("E2 Instance Core running in Americas", "CPU", "h", 21_811_590),
  sku("E2 Instance Ram running in Americas", "RAM", "GiBy.h", 2_923_530),
  sku("Spot Preemptible E2 Instance Core running in Americas", "CPU", "h", 6_543_000, "Preemptible"),
  sku("Spot Preemptible E2 Instance Ram running in Americas", "RAM", "GiBy.h", 877_000, "Preemptible"),
  sku("Balanced PD Capacity", "SSD", "GiBy.mo", 100_000_000),
  sku("Storage PD Snapshot", "StorageImage", "GiBy.mo", 50_000_000),
  sku("External IP Charge on a Standard VM", "ExternalIp", "h", 5_000_000),
]
