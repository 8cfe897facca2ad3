import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { HOST_FROM_MACHINES } from "../local-cloud/host-address.ts"
import type { Runtime } from "../local-cloud/runtime-file.ts"
import { cacheDirectory, dataDirectory } from "../tools/setup/paths.ts"
import { LOCAL_ZONE } from "./first-contents.ts"
import { keptPort } from "./kept-port.ts"
import { keptSecret } from "./kept-secret.ts"
import { type RedisProcess, startRedis } from "./redis-process.ts"
import { startServiceProcess } from "./service-process.ts"
import { cloudConfig, engineEnvironment } from "./settings.ts"

/** The address at which this checkout's service runs already, or null. */
export async function runningWorld(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const file = join(dataDirectory(env), "service-port")
  if (!existsSync(file)) return null
  const url = `http://127.0.0.1:${readFileSync(file, "utf8")}`
  const said = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })
    .then(answer => answer.text())
    .catch(() => "")
  return said === "ready\n" ? siteUrl(readFileSync(file, "utf8")) : null
}

const siteUrl = (port: number | string) => `http://localhost:${port}`

/** Ports that are tried first. */
const WANTED = { service: 8080, redis: 6389 }

/** Redis and the service, started over a local cloud that runs. */
export interface World {
  url: string
  logFile: string
  redis: RedisProcess
  /** Resolves when the service has ended, whoever ended it. */
  ended: Promise<void>
  stop(): Promise<void>
}

/**
 * Starts Redis and the service on this machine, with machines of the local cloud and its sign-in.
 * @param images the images of the local cloud that workspaces are made from
 * @param env settings of one's own come before those chosen here
 */
export async function startWorld(
  cloud: Runtime,
  images: { browser?: number; desktop?: number },
  env: NodeJS.ProcessEnv = process.env,
): Promise<World> {
  const data = dataDirectory(env)
  const port = await keptPort(data, "service-port", WANTED.service)
  // Another name than the sign-in's, as GitHub is another site than an app: cookies and origins are told apart.
  const url = siteUrl(port)
  const redis = await startRedis({
    directory: join(data, "redis"),
    port: WANTED.redis,
    password: keptSecret(data, "redis-password"),
  })
  const logFile = join(data, "service.log")
  try {
    const settings = serviceEnvironment({ cloud, images, port, url, redisUrl: redis.url, data }, env)
    const service = await startServiceProcess(settings, { url: `http://127.0.0.1:${port}`, logFile })
    const ended = new Promise<void>(resolve => service.child.once("exit", () => resolve()))
    return {
      ...{ url, logFile, redis, ended },
      async stop() {
        await service.stop()
        await redis.stop()
      },
    }
  } catch (error) {
    await redis.stop()
    throw error
  }
}

interface Parts {
  cloud: Runtime
  images: { browser?: number; desktop?: number }
  port: number
  url: string
  redisUrl: string
  data: string
}

function serviceEnvironment(parts: Parts, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { cloud, images, port, url, redisUrl, data } = parts
  const engine = cloudConfig({ ...env, HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.apiUrl })
  const { signIn } = cloud
  return {
    FOOZOL_ALLOW: "everyone",
    ...(signIn
      ? {
          FOOZOL_GITHUB_URL: signIn.url,
          FOOZOL_GITHUB_CLIENT_ID: signIn.clientId,
          FOOZOL_GITHUB_CLIENT_SECRET: signIn.clientSecret,
        }
      : {}),
    FOOZOL_METRICS_LISTEN: "127.0.0.1:0",
    // What the local cloud sells everywhere; one place is enough on one machine.
    FOOZOL_REGIONS: "fsn1, nbg1, hel1",
    FOOZOL_USAGE_DIRECTORY: join(resolve(data), "usage"),
    FOOZOL_COMPILE_CACHE: join(cacheDirectory(), "compile-cache"),
    ...env,
    FOOZOL_URL: url,
    FOOZOL_LISTEN: `127.0.0.1:${port}`,
    FOOZOL_MACHINE_URL: `http://${HOST_FROM_MACHINES}:${port}`,
    FOOZOL_REDIS_URL: redisUrl,
    FOOZOL_SECRET: keptSecret(data, "service-secret"),
    FOOZOL_ZONE: LOCAL_ZONE,
    FOOZOL_DESKTOP_PORT: String(cloud.routerPort),
    ...(images.browser === undefined ? {} : { FOOZOL_IMAGE_BROWSER: String(images.browser) }),
    ...(images.desktop === undefined ? {} : { FOOZOL_IMAGE_DESKTOP: String(images.desktop) }),
    ...engineEnvironment(engine),
  }
}
