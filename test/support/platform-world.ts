import { handOver, type ServerDoor, serviceReady } from "../../cli/platform/hand-over.ts"
import { type KeptPlatform, keptPlatform } from "../../cli/platform/kept.ts"
import { localChoices } from "../../cli/platform/local.ts"
import { type PlatformPlan, planPlatform } from "../../cli/platform/plan.ts"
import { openCloud } from "../../infra/open-cloud.ts"
import { applyPlatform, type PlatformCloud } from "../../infra/platform/platform-stack.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { createNames, platformAddress } from "../../local-cloud/names.ts"
import { startServiceDoor } from "../../local-cloud/network/service-door.ts"
import { startSniRouter } from "../../local-cloud/network/sni-router.ts"
import { registerImage } from "../../local-cloud/system-image.ts"
import { startTestCloud, type TestCloud } from "./local-cloud.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { testEngineConfig } from "./workspace.ts"

const ZONE = "foozol.localhost"
const HOST = `cloud.${ZONE}`
const MINUTES = 60_000

/** A local cloud with real machines, and on it what `foozol-cloud platform up` makes. */
export interface PlatformWorld {
  cloud: TestCloud
  platform: PlatformCloud
  kept: KeptPlatform
  url: string
  /** Where the server's HTTPS is. */
  door(): ServerDoor
  plan(change?: { image?: number; env?: Record<string, string> }): Promise<PlatformPlan>
  /** Makes the platform what the plan says, hands over, and waits until the service is ready. */
  up(plan: PlatformPlan): Promise<void>
  register(directory: string): Promise<number>
  /** What the server's console and journal say. */
  console(): Promise<string>
  close(): Promise<void>
}

/** @param images folders of the platform's image and of a golden one */
export async function startPlatformWorld(images: { platform: string; browser?: string }): Promise<PlatformWorld> {
  const scratch = await temporaryDirectory("fc-")
  const cloud = await startTestCloud({ machines: "qemu", settings: { signIn: {} } })
  const { context, signIn } = cloud.cloud
  await cloud.api("POST", "/zones", { name: ZONE, mode: "primary" })
  const about = { architecture: "x86" as const, os_flavor: "debian", os_version: "12", description: "" }
  let registered = 0
  const register = async (directory: string) =>
    (await registerImage(context, { ...about, name: `image-${registered++}`, directory })).id
  const platformImage = await register(images.platform)
  const browser = images.browser === undefined ? undefined : await register(images.browser)
  const names = createNames(context.store)
  const at = (address: string | null) => (address === null ? null : { address, port: hostPort(443) })
  const router = await startSniRouter({ port: 0, lookup: host => at(names.address(host)) })
  const way = await startServiceDoor({ port: 0, lookup: () => at(platformAddress(context.store)) })
  const config = testEngineConfig(scratch.path, cloud)
  const platform = openCloud(config)
  const kept = keptPlatform("main", { FOOZOL_DATA: scratch.path })
  const runtime = { apiUrl: cloud.apiUrl, token: cloud.token, routerPort: router.port, doorPort: way.port, signIn }
  const choices = localChoices(runtime, HOST, browser === undefined ? {} : { browser })
  const door = () => ({ host: HOST, address: platformAddress(context.store) ?? "", port: hostPort(443) })
  return {
    ...{ cloud, platform, kept, door, register },
    url: choices.needed.FOOZOL_URL as string,
    plan: ({ image = platformImage, env = {} } = {}) =>
      planPlatform(
        { name: "main" },
        kept,
        { FOOZOL_FINAL_SNAPSHOT_DAYS: "0", ...env },
        { hasZone: async () => true, image: async () => image },
        choices,
      ),
    async up({ spec, given }) {
      await applyPlatform(platform, spec, kept)
      kept.keep(spec)
      await handOver(door(), kept, given, { waitMs: 10 * MINUTES })
      await serviceReady(door(), kept, { waitMs: 10 * MINUTES })
    },
    async console() {
      const { readFile } = await import("node:fs/promises")
      const [server] = context.store.all("server")
      const file = server && context.machines.consoleLog(server.id)
      return file ? readFile(file, "utf8").catch(() => "") : ""
    },
    async close() {
      await router.close()
      await way.close()
      await cloud.close()
      await scratch.remove()
    },
  }
}
