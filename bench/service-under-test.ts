import { join } from "node:path"
import { freePort } from "../cli/redis-process.ts"
import { type ServiceProcess, startServiceProcess } from "../cli/service-process.ts"
import { engineEnvironment } from "../cli/settings.ts"
import type { CloudConfig } from "../infra/cloud-config.ts"
import { TEST_ZONE } from "../test/support/workspace.ts"

export interface ServiceUnderTest {
  process: ServiceProcess
  pid: number
  port: number
  url: string
}

/**
 * The service as a process of its own, as `foozol-cloud start` runs it.
 * @param settings besides those every bench has; `FOOZOL_BENCH_PROFILE` names a folder for a CPU profile of it
 */
export async function startServiceUnderTest(
  directory: string,
  parts: { redisUrl: string; secret: string; cloud: CloudConfig },
  settings: Record<string, string> = {},
): Promise<ServiceUnderTest> {
  const port = await freePort(0)
  const url = `http://127.0.0.1:${port}`
  const profile = process.env.FOOZOL_BENCH_PROFILE
  const env = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME },
    ...(profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` } : {}),
    ...{ FOOZOL_URL: url, FOOZOL_LISTEN: `127.0.0.1:${port}`, FOOZOL_METRICS_LISTEN: "off" },
    ...{ FOOZOL_REDIS_URL: parts.redisUrl, FOOZOL_SECRET: parts.secret },
    ...{ FOOZOL_ALLOW: "everyone", FOOZOL_ZONE: TEST_ZONE },
    ...{ FOOZOL_GITHUB_CLIENT_ID: "none", FOOZOL_GITHUB_CLIENT_SECRET: "none" },
    ...engineEnvironment(parts.cloud),
    ...settings,
  }
  const started = await startServiceProcess(env, { url, logFile: join(directory, "service.log") })
  return { process: started, pid: started.child.pid as number, port, url }
}
