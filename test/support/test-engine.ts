import { createEnginePool, type EnginePool } from "../../infra/engine-pool.ts"
import type { LocalCloudSettings } from "../../local-cloud/config.ts"
import { startTestCloud, type TestCloud } from "./local-cloud.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import { type HetznerConfig, testEngineConfig } from "./workspace.ts"

/** The real engine in processes of its own, a provider, whose machines are records unless they shall boot, and a folder for the state. */
export interface TestEngine {
  cloud: TestCloud
  pool: EnginePool
  config: HetznerConfig
  /** Where its files are. */
  path: string
  close(): Promise<void>
}

/**
 * @param size how many runs at once
 * @param settings of the local cloud
 */
export async function startTestEngine(
  size = 1,
  machines: "none" | "qemu" = "none",
  settings: Partial<LocalCloudSettings> = {},
): Promise<TestEngine> {
  const cloud = await startTestCloud({ machines, settings })
  const directory = await temporaryDirectory("fc-")
  const pool = createEnginePool({ size })
  return {
    ...{ cloud, pool, path: directory.path },
    config: testEngineConfig(directory.path, cloud),
    async close() {
      await pool.close()
      await cloud.close()
      await directory.remove()
    },
  }
}
