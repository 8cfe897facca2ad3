/**
 * What the pretend provider sells. Names, sizes and the order of magnitude of prices follow Hetzner's, so that
 * programs that read them find what they will find there; nothing here is billed.
 */

export interface Location {
  id: number
  name: string
  description: string
  country: string
  city: string
  latitude: number
  longitude: number
  network_zone: string
}

const location = (
  id: number,
  name: string,
  city: string,
  country: string,
  latitude: number,
  longitude: number,
  network_zone: string,
): Location => ({
  id,
  name,
  description: `${city} DC Park ${id}`,
  country,
  city,
  latitude,
  longitude,
  network_zone,
})

export const LOCATIONS: Location[] = [
  location(1, "fsn1", "Falkenstein", "DE", 50.47612, 12.370071, "eu-central"),
  location(2, "nbg1", "Nuremberg", "DE", 49.452102, 11.076665, "eu-central"),
  location(3, "hel1", "Helsinki", "FI", 60.169855, 24.938379, "eu-central"),
  location(4, "ash", "Ashburn, VA", "US", 39.045821, -77.487073, "us-east"),
  location(5, "hil", "Hillsboro, OR", "US", 45.54222, -122.951924, "us-west"),
  location(6, "sin", "Singapore", "SG", 1.283333, 103.833333, "ap-southeast"),
]

export interface ServerType {
  id: number
  name: string
  category: string
  cores: number
  /** GB */
  memory: number
  /** GB */
  disk: number
  cpu_type: "shared" | "dedicated"
  architecture: "x86" | "arm"
  /** EUR a month, net, in Europe. */
  monthly: number
  locations: string[]
  /** Since when it cannot be ordered any more, or null. */
  unavailableAfter: string | null
}

const EUROPE = ["fsn1", "nbg1", "hel1"]
const EVERYWHERE = [...EUROPE, "ash", "hil", "sin"]
const OLD_CX_END = "2026-01-01T00:00:00Z"

type Row = [name: string, cores: number, memory: number, disk: number, monthly: number]
const family = (
  first: number,
  rows: Row[],
  rest: Pick<ServerType, "category" | "cpu_type" | "architecture" | "locations"> & { unavailableAfter?: string },
): ServerType[] =>
  rows.map(([name, cores, memory, disk, monthly], i) => ({
    unavailableAfter: null,
    ...rest,
    id: first + i,
    name,
    cores,
    memory,
    disk,
    monthly,
  }))

export const SERVER_TYPES: ServerType[] = [
  ...family(
    104,
    [
      ["cx22", 2, 4, 40, 3.79],
      ["cx32", 4, 8, 80, 6.8],
      ["cx42", 8, 16, 160, 16.4],
      ["cx52", 16, 32, 320, 32.4],
    ],
    {
      category: "cost_optimized",
      cpu_type: "shared",
      architecture: "x86",
      locations: EUROPE,
      unavailableAfter: OLD_CX_END,
    },
  ),
  ...family(
    114,
    [
      ["cx23", 2, 4, 40, 2.99],
      ["cx33", 4, 8, 80, 4.99],
      ["cx43", 8, 16, 160, 9.49],
      ["cx53", 16, 32, 320, 17.49],
    ],
    {
      category: "cost_optimized",
      cpu_type: "shared",
      architecture: "x86",
      locations: EUROPE,
    },
  ),
  ...family(
    22,
    [
      ["cpx11", 2, 2, 40, 4.99],
      ["cpx21", 3, 4, 80, 8.99],
      ["cpx31", 4, 8, 160, 15.99],
      ["cpx41", 8, 16, 240, 29.99],
      ["cpx51", 16, 32, 360, 64.99],
    ],
    {
      category: "regular_purpose",
      cpu_type: "shared",
      architecture: "x86",
      locations: EVERYWHERE,
    },
  ),
  ...family(
    45,
    [
      ["cax11", 2, 4, 40, 3.29],
      ["cax21", 4, 8, 80, 5.99],
      ["cax31", 8, 16, 160, 11.99],
      ["cax41", 16, 32, 320, 23.99],
    ],
    {
      category: "cost_optimized",
      cpu_type: "shared",
      architecture: "arm",
      locations: EUROPE,
    },
  ),
  ...family(
    96,
    [
      ["ccx13", 2, 8, 80, 12.49],
      ["ccx23", 4, 16, 160, 24.49],
      ["ccx33", 8, 32, 240, 48.49],
      ["ccx43", 16, 64, 360, 96.49],
    ],
    {
      category: "general_purpose",
      cpu_type: "dedicated",
      architecture: "x86",
      locations: EVERYWHERE,
    },
  ),
]

/** German VAT; only `gross` prices use it. */
export const VAT_RATE = 0.19
const HOURS_A_MONTH = 625

/** A price in Hetzner's form: decimal texts, net and gross. */
export function price(net: number): { net: string; gross: string } {
  return { net: net.toFixed(10), gross: (net * (1 + VAT_RATE)).toFixed(16) }
}

/** Prices of a type at each of its locations; outside Europe it costs a fifth more. */
export function typePrices(type: ServerType) {
  return type.locations.map(name => {
    const monthly = type.monthly * (EUROPE.includes(name) ? 1 : 1.2)
    return {
      location: name,
      price_hourly: price(monthly / HOURS_A_MONTH),
      price_monthly: price(monthly),
      included_traffic: EUROPE.includes(name) ? 21_990_232_555_520 : 1_099_511_627_776,
      price_per_tb_traffic: price(1),
    }
  })
}
