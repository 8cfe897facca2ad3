import type { TestCloud } from "../support/local-cloud.ts"

/** How many resources there are at the provider. @param kinds as its API lists them, a query with it where wanted */
export async function leftOver(cloud: TestCloud, kinds: string[]): Promise<Map<string, number>> {
  const counted = new Map<string, number>()
  for (const kind of kinds) {
    const key = kind.replace(/\?.*/, "")
    const found = (await cloud.api<Record<string, unknown[]>>("GET", `/${kind}`))[key]?.length ?? 0
    if (found > 0) counted.set(key, found)
  }
  return counted
}

/** What a workspace is made of, and what an upgrade uses. */
export const RESOURCES = ["servers", "firewalls", "primary_ips", "volumes"]
