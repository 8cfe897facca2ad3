/**
 * What the pretend Scaleway sells: a few machine types and prices of Scaleway's order of magnitude, so that programs that
 * read them find what they will find there. Nothing here is billed.
 */

export const ZONES = ["fr-par-1", "nl-ams-1"]

/** How many of each there may be. */
export const QUOTAS: Record<string, number> = { instances: 20, ips: 40, volumes: 60 }

const GIB = 1024 ** 3

const type = (ncpus: number, gib: number, hourly: number, more: Record<string, unknown> = {}) => ({
  ...{ alt_names: [], arch: "x86_64", ncpus, ram: gib * GIB, gpu: 0, gpu_info: null, end_of_service: false },
  ...{ hourly_price: hourly, monthly_price: Math.round(hourly * 730 * 1000) / 1000 },
  ...{ volumes_constraint: { min_size: 0, max_size: 0 }, scratch_storage_max_size: 0 },
  per_volume_constraint: { l_ssd: { min_size: 0, max_size: 0 } },
  capabilities: { boot_types: ["local", "rescue"], block_storage: true, private_network: 8, max_file_systems: 0 },
  network: { ipv6_support: true, sum_internal_bandwidth: 7e8, sum_internet_bandwidth: 7e8, interfaces: [] },
  block_bandwidth: 262_144_000,
  ...more,
})

export const TYPES: Record<string, ReturnType<typeof type>> = {
  "PLAY2-MICRO": type(4, 8, 0.055),
  "PRO2-XXS": type(2, 8, 0.056),
  "PRO2-XS": type(4, 16, 0.112),
  "BASIC2-A4C-16G": type(4, 16, 0.07, { arch: "arm64" }),
  "DEV1-L": type(4, 8, 0.045, { end_of_service: true }),
  "RENDER-S": type(10, 42, 1.22, { gpu: 1 }),
  "STARDUST1-S": type(1, 1, 0.002, { capabilities: { block_storage: false } }),
}

const eur = (nanos: number) => ({ currency_code: "EUR", units: 0, nanos })

/** Prices for each GB and hour. */
export const volumeTypes = (zone: string) => [
  {
    ...{ type: "sbs_5k", specs: { perf_iops: 5_000, class: "sbs" }, zone },
    ...{ pricing: eur(118_000), snapshot_pricing: eur(44_000) },
  },
  {
    ...{ type: "sbs_15k", specs: { perf_iops: 15_000, class: "sbs" }, zone },
    ...{ pricing: eur(177_000), snapshot_pricing: eur(44_000) },
  },
]
