import { join, resolve } from "node:path"
import { Redis } from "ioredis"
import { InfraError } from "../infra/errors.ts"
import { type Config, environmentWithFile, readConfig } from "../service/config.ts"
import { dataDirectory } from "../tools/setup/paths.ts"
import { cloudConfig, compileCache, engineEnvironment } from "./settings.ts"

/** The environment of the service on this machine: what is set comes first; what is not is this machine's set-up. */
export function serviceEnvironment(): NodeJS.ProcessEnv {
  const env = environmentWithFile(process.env, join(process.cwd(), ".env"))
  const data = resolve(dataDirectory(env))
  return {
    FOOZOL_COMPILE_CACHE: compileCache(),
    FOOZOL_USAGE_DIRECTORY: join(data, "usage"),
    FOOZOL_AUDIT_DIRECTORY: join(data, "audit"),
    ...engineEnvironment(cloudConfig(env)),
    ...env,
  }
}

/** The service's settings, and those of its engine, for commands that work on what it has stored. */
export function serviceSettings(): { config: Config; backendUrl: string; workDirectory: string; passphrase: string } {
  const env = serviceEnvironment()
  const config = readConfig(env)
  return {
    config,
    backendUrl: String(env.FOOZOL_BACKEND_URL),
    workDirectory: String(env.FOOZOL_ENGINE_DIRECTORY),
    passphrase: String(env.FOOZOL_STATE_PASSPHRASE),
  }
}

/**
 * Does something with the service's Redis.
 * @throws InfraError `redis-away`
 */
export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on("error", () => {})
  try {
    await redis.connect().catch(error => {
      throw new InfraError(
        "redis-away",
        "retry",
        `Redis cannot be reached at FOOZOL_REDIS_URL: ${(error as Error).message}.`,
      )
    })
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}
