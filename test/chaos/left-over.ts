import { engineKind } from "../support/engine-processes.ts"
import type { TestCloud } from "../support/local-cloud.ts"
import { waitUntil } from "../support/wait-until.ts"
import type { Fleet } from "./fleet.ts"

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

/** Processes of the engine that are still there a minute after all is over. */
export async function lingering(fleet: Pick<Fleet, "leftProcesses">): Promise<number[]> {
  await waitUntil("nothing is left", () => fleet.leftProcesses().length === 0, 60_000).catch(() => {})
  return fleet.leftProcesses()
}

/** Says that they are, and what they are. */
export const stays = (left: number[]): string =>
  `processes that nobody will end: ${left.map(pid => `${pid} ${engineKind(pid)}`).join(", ")}`
