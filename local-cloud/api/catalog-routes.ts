import { LOCATIONS, type Location, price, SERVER_TYPES, type ServerType, typePrices, VAT_RATE } from "../catalog.ts"
import type { Context } from "../context.ts"
import { ApiError, notFound } from "../errors.ts"
import { type Call, ok, page } from "./request.ts"
import type { Route } from "./routes.ts"

/** Locations, server types and prices: what the provider sells. */
export const catalogRoutes: Route[] = [
  { method: "GET", path: "/locations", handle: (_, call) => page(call, "locations", LOCATIONS, one => ({ ...one })) },
  {
    method: "GET",
    path: "/locations/:id",
    handle: (_, call) => ok(() => ({ location: find(LOCATIONS, call, "location") })),
  },
  {
    method: "GET",
    path: "/server_types",
    handle: (context, call) => page(call, "server_types", SERVER_TYPES, type => presentServerType(context, type)),
  },
  {
    method: "GET",
    path: "/server_types/:id",
    handle: (context, call) =>
      ok(() => ({ server_type: presentServerType(context, find(SERVER_TYPES, call, "server type")) })),
  },
  // Gone since 2026-10-01: answers as Hetzner does.
  ...["/datacenters", "/datacenters/:id"].map(
    (path): Route => ({
      method: "GET",
      path,
      handle: () => {
        throw new ApiError(410, "deprecated_api_endpoint", "datacenters were removed; use locations")
      },
    }),
  ),
  { method: "GET", path: "/isos", handle: (_, call) => page(call, "isos", [], () => ({})) },
  { method: "GET", path: "/isos/:id", handle: (_, call) => never("iso", call) },
  { method: "GET", path: "/pricing", handle: () => ok(() => ({ pricing: pricing() })) },
]

function find<T extends { id: number }>(all: T[], call: Call, kind: string): T {
  const found = all.find(one => String(one.id) === call.params.id)
  if (!found) throw notFound(kind, call.params.id ?? "")
  return found
}

function never(kind: string, call: Call): never {
  throw notFound(kind, call.params.id ?? "")
}

/** A server type as the API shows it, availability as it is now. */
export function presentServerType({ soldOut }: Pick<Context, "soldOut">, type: ServerType) {
  const deprecation = type.unavailableAfter && {
    announced: "2025-10-16T00:00:00Z",
    unavailable_after: type.unavailableAfter,
  }
  return {
    id: type.id,
    name: type.name,
    description: type.name.toUpperCase(),
    category: type.category,
    cores: type.cores,
    memory: type.memory,
    disk: type.disk,
    storage_type: "local",
    cpu_type: type.cpu_type,
    architecture: type.architecture,
    deprecated: deprecation !== null,
    deprecation,
    prices: typePrices(type),
    locations: type.locations.map(name => ({
      id: locationByName(name)?.id ?? 0,
      name,
      deprecation,
      available: !deprecation && !soldOut.has(`${type.name}@${name}`),
      recommended: false,
    })),
  }
}

export const locationByName = (name: string): Location | undefined => LOCATIONS.find(one => one.name === name)

function pricing() {
  const everywhere = (monthly: number) =>
    LOCATIONS.map(({ name }) => ({ location: name, price_hourly: price(monthly / 625), price_monthly: price(monthly) }))
  return {
    currency: "EUR",
    vat_rate: (VAT_RATE * 100).toFixed(6),
    primary_ips: [
      { type: "ipv4", prices: everywhere(0.5) },
      { type: "ipv6", prices: everywhere(0) },
    ],
    floating_ip: { price_monthly: price(1.19) },
    floating_ips: ["ipv4", "ipv6"].map(type => ({
      type,
      prices: LOCATIONS.map(({ name }) => ({ location: name, price_monthly: price(3) })),
    })),
    image: { price_per_gb_month: price(0.011) },
    load_balancer_types: [],
    server_backup: { percentage: "20.0000000000" },
    server_types: SERVER_TYPES.map(type => ({ id: type.id, name: type.name, prices: typePrices(type) })),
    traffic: { price_per_tb: price(1) },
    volume: { price_per_gb_month: price(0.044) },
  }
}
