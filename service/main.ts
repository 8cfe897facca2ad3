/**
 * The service's process: the web role (pages, API, admission) and the worker role (operations), both or one of them.
 * Settings come from the environment and from `.env`; see config.ts.
 */
import { enableCompileCache } from "node:module"

enableCompileCache(process.env.FOOZOL_COMPILE_CACHE)
const [{ startService }, { ConfigError }] = await Promise.all([import("./start.ts"), import("./config/error.ts")])

try {
  const service = await startService(process.env)
  // What nobody waited for must not end everybody's desktop with it; it is a fault of ours, and written down.
  process.on("unhandledRejection", error => service.services.log.error({ err: error }, "an error nobody waited for"))
  let stopping = false
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      // A second signal does not wait.
      if (stopping) process.exit(1)
      stopping = true
      void service.stop().then(() => process.exit(0))
    })
  }
} catch (error) {
  console.error(
    error instanceof ConfigError ? error.message : `The service could not start: ${(error as Error).message}`,
  )
  process.exit(1)
}
