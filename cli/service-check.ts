import { backendEnvironment } from "../infra/cloud-config.ts"
import { dataFolders, protectFolders } from "../service/folders.ts"
import { formatOf, MIGRATIONS, readFormat, refusalOf } from "../service/formats/format.ts"
import { createKeys } from "../service/keys.ts"
import { presentProcesses } from "../service/processes/processes.ts"
import { judgeRedis, readRedisFacts } from "../service/redis/safety.ts"
import { requireKnownSecret } from "../service/secrets/secret-mark.ts"
import { serviceEnvironment, serviceSettings, withRedis } from "./service-settings.ts"

/** Something that was looked at. */
export interface Checked {
  part: string
  state: "ok" | "wrong" | "unknown"
  says: string
}

const wrong = (part: string, says: string): Checked => ({ part, state: "wrong", says })

/** Is what the service is told safe with this Redis? */
export async function checkRedis(url: string): Promise<Checked[]> {
  return withRedis(url, async redis => {
    const facts = await readRedisFacts(redis)
    const { findings, unknown } = judgeRedis(facts)
    const all = findings.map(({ says }) => wrong("redis", says))
    if (unknown.length > 0) {
      const says = `It does not tell ${unknown.join(", ")}: see in its console that it is append-only and evicts nothing.`
      all.push({ part: "redis", state: "unknown", says })
    }
    return all.length > 0
      ? all
      : [{ part: "redis", state: "ok", says: `version ${facts.version}, append-only, evicts nothing` }]
  })
}

/** Are the stacks kept somewhere where they can be had back from? Those in a folder are in the service's own backups. */
export async function checkStacks(backendUrl: string, env: Record<string, string>): Promise<Checked> {
  if (backendUrl.startsWith("file://"))
    return { part: "stacks", state: "ok", says: "in a folder, which backups of the service have" }
  const unknown = (says: string): Checked => ({ part: "stacks", state: "unknown", says })
  if (!backendUrl.startsWith("s3://"))
    return unknown("Backups of the service leave them out: see in the bucket's console that it keeps versions.")
  // Amazon's client takes long to load, and most have no use for it.
  const { keepsVersions } = await import("../infra/state-files/s3.ts")
  try {
    if (await keepsVersions(backendUrl, env))
      return { part: "stacks", state: "ok", says: "in a bucket that keeps versions" }
  } catch (error) {
    return unknown((error as Error).message)
  }
  return wrong(
    "stacks",
    "Their bucket keeps no versions, and backups of the service leave them out: switch versioning on in the bucket's settings.",
  )
}

/** Looks at everything that the service's data rests on; changes nothing. */
export async function checkService(): Promise<Checked[]> {
  const { config, ...cloud } = serviceSettings()
  const redis = await checkRedis(config.redisUrl)
  const rest = await withRedis(config.redisUrl, async redis => {
    const format = await readFormat(redis)
    const refusal = refusalOf(format, formatOf(MIGRATIONS))
    const keys = createKeys(config.secret, config.previousSecrets)
    const secret = await requireKnownSecret(redis, keys).then(
      mark =>
        mark.inUse === keys.fingerprints[0]
          ? null
          : "Another secret than FOOZOL_SECRET is in use still: run `foozol-cloud secrets rotate`.",
      (error: Error) => error.message,
    )
    const processes = await presentProcesses(redis)
    return [
      refusal ? wrong("format", refusal) : { part: "format", state: "ok" as const, says: String(format.version) },
      secret ? wrong("secret", secret) : { part: "secret", state: "ok" as const, says: "the one in use" },
      {
        part: "processes",
        state: "ok" as const,
        says: processes.map(one => `${one.pid} on ${one.host} (${one.roles.join(", ")})`).join("; ") || "none runs",
      },
    ]
  })
  const { warnings } = await protectFolders(dataFolders(config, cloud), { mend: false })
  const stacks = await checkStacks(cloud.backendUrl, backendEnvironment(serviceEnvironment()))
  const folders = warnings.map(says => wrong("folders", says))
  return [
    ...redis,
    ...rest,
    stacks,
    ...(folders.length > 0 ? folders : [{ part: "folders", state: "ok" as const, says: "nobody else reads them" }]),
  ]
}
