import { join } from "node:path"
import { pino } from "pino"
import { freePort } from "../../cli/redis-process.ts"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"
import { createNames } from "../../local-cloud/names.ts"
import { startSniRouter } from "../../local-cloud/network/sni-router.ts"
import { registerImage } from "../../local-cloud/system-image.ts"
import { type RunningService, startService } from "../../service/start.ts"
import { cacheDirectory } from "../../tools/setup/paths.ts"
import { startTestCloud, type TestCloud } from "./local-cloud.ts"
import { startTestRedis } from "./redis.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { testEngineConfig } from "./workspace.ts"

/** Browsers send its names to this machine by themselves. */
const ZONE = "foozol.localhost"

/** What `npm start` brings up, within a test's process: service, sign-in, and machines that are real. */
export interface GoldenWorld {
  url: string
  cloud: TestCloud
  /** Folder of the golden image. */
  directory: string
  /** Id of the golden image at the local cloud. */
  image: number
  /** The service that runs now. */
  service(): RunningService
  /** Folders of the engine's state and the usage ledger, and of Redis with all that was ever written to it. */
  kept: { scratch: string; redis: string }
  /** Everything the service has logged. */
  logged(): string
  /** Makes an image's folder known to the local cloud; returns its id there. */
  register(directory: string): Promise<number>
  /** Ends the service and starts it again over the same Redis, with more settings. */
  restart(settings: Record<string, string>): Promise<void>
  close(): Promise<void>
}

/**
 * @param directory folder of the golden image that machines are made from
 * @param settings of the service
 * @param boot `template`: machines begin as copies of one that has booted, where one is prepared
 */
export async function startGoldenWorld(
  directory: string,
  settings: Record<string, string>,
  boot: "cold" | "template" = "cold",
): Promise<GoldenWorld> {
  const scratch = await temporaryDirectory("fc-")
  const [redis, cloud, port] = await Promise.all([
    startTestRedis(),
    startTestCloud({
      ...{ machines: "qemu", settings: { signIn: {} } },
      driver: folder => createQemuMachines({ directory: join(folder, "m"), boot }),
    }),
    freePort(0),
  ])
  const { context, signIn } = cloud.cloud
  if (!signIn) throw new Error("The test's cloud has no sign-in.")
  await cloud.api("POST", "/zones", { name: ZONE, mode: "primary" })
  const about = { architecture: "x86" as const, os_flavor: "debian", os_version: "12", description: "" }
  let registered = 0
  const register = async (folder: string) =>
    (await registerImage(context, { ...about, name: `golden-${registered++}`, directory: folder })).id
  const image = await register(directory)
  const names = createNames(context.store)
  const router = await startSniRouter({
    port: 0,
    lookup: host => {
      const address = names.address(host)
      return address === null ? null : { address, port: hostPort(443) }
    },
  })
  const engine = testEngineConfig(scratch.path, cloud)
  const url = `http://localhost:${port}`
  let env: NodeJS.ProcessEnv = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME },
    ...{ FOOZOL_URL: url, FOOZOL_LISTEN: `127.0.0.1:${port}`, FOOZOL_METRICS_LISTEN: "off" },
    // How machines of the local cloud call this machine's loopback.
    ...{ FOOZOL_MACHINE_URL: `http://${HOST_FROM_MACHINES}:${port}`, FOOZOL_DESKTOP_PORT: String(router.port) },
    ...{ FOOZOL_REDIS_URL: redis.url, FOOZOL_SECRET: "a secret for tests, long enough to be one" },
    ...{ FOOZOL_GITHUB_URL: signIn.url, FOOZOL_GITHUB_CLIENT_ID: signIn.clientId },
    ...{ FOOZOL_GITHUB_CLIENT_SECRET: signIn.clientSecret, FOOZOL_ALLOW: "everyone", FOOZOL_ZONE: ZONE },
    ...{ FOOZOL_IMAGE_BROWSER: String(image), FOOZOL_REGIONS: "fsn1", FOOZOL_FINAL_SNAPSHOT_DAYS: "0" },
    ...{ FOOZOL_PULUMI: engine.pulumi, FOOZOL_PULUMI_VERSION: engine.pulumiVersion, PULUMI_HOME: engine.home },
    ...{ FOOZOL_ENGINE_DIRECTORY: engine.workDirectory, FOOZOL_BACKEND_URL: engine.backendUrl },
    ...{ FOOZOL_STATE_PASSPHRASE: engine.passphrase, HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.apiUrl },
    FOOZOL_USAGE_DIRECTORY: join(scratch.path, "usage"),
    FOOZOL_COMPILE_CACHE: join(cacheDirectory(), "compile-cache"),
    ...settings,
  }
  let lines = ""
  const log = pino({ level: "debug" }, { write: line => (lines += line) })
  let service = await startService(env, { log })
  return {
    ...{ url, cloud, directory, image, register, kept: { scratch: scratch.path, redis: redis.directory } },
    service: () => service,
    logged: () => lines,
    async restart(more) {
      await service.stop()
      env = { ...env, ...more }
      service = await startService(env, { log })
    },
    async close() {
      await service.stop(0)
      await router.close()
      await cloud.close()
      await redis.close()
      await scratch.remove()
    },
  }
}
