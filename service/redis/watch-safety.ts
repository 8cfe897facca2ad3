import type { Redis } from "ioredis"
import type { Logger } from "pino"
import { ConfigError } from "../config/error.ts"
import { judgeRedis, type RedisFinding, readRedisFacts } from "./safety.ts"

export interface RedisSafety {
  /** What is wrong with it now. @throws while it is away */
  look(): Promise<RedisFinding[]>
}

/**
 * Looks whether what Redis is told is safe with it: now, and whenever it comes back, since another one may be there then.
 * What is wrong is logged once each.
 * @throws ConfigError where what it is told would be lost without a word
 */
export async function watchRedisSafety(redis: Redis, log: Logger): Promise<RedisSafety> {
  const said = new Set<string>()
  const look = async () => {
    const { findings, unknown } = judgeRedis(await readRedisFacts(redis))
    for (const { what, says } of findings) if (!said.has(what)) log.warn({ what }, says)
    said.clear()
    for (const { what } of findings) said.add(what)
    return { findings, unknown }
  }
  const { findings, unknown } = await look()
  const refused = findings.find(one => one.refuses)
  if (refused) throw new ConfigError(`${refused.says} Until then the service does not start.`)
  if (unknown.length > 0) {
    log.info(
      { unknown },
      "this Redis does not tell all of its settings: see in its console that it is append-only and evicts nothing",
    )
  }
  redis.on("ready", () => void look().catch(() => {}))
  return { look: async () => (await look()).findings }
}
