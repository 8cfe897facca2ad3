import { createServer, type Server } from "node:http"
import { join } from "node:path"
import { type Logger, pino } from "pino"
import { backendEnvironment, CloudConfig } from "../infra/cloud-config.ts"
import type { EnginePool } from "../infra/engine-pool.ts"
import { gcpCloud } from "../infra/gcp-settings.ts"
import type { Machines } from "../infra/machines/contract.ts"
import { parseProjects } from "../infra/projects.ts"
import { createApp } from "./app.ts"
import { ConfigError } from "./config/error.ts"
import { type Config, environmentWithFile, readConfig } from "./config.ts"
import { createMetrics, serveMetrics, watchStore } from "./metrics.ts"
import { watchFaults } from "./routes/health.ts"
import { openServices, type Services } from "./services.ts"

/** How long operations under way may go on when the process stops; the rest is left for the next worker. */
const DRAIN_MS = 25_000

export interface RunningService {
  /** Where the web role listens; null without one. */
  url: string | null
  services: Services
  /** Takes nothing new, waits for what goes on (operations for 25 s at most, or as given), then gives everything back. */
  stop(drainMs?: number): Promise<void>
}

/**
 * Starts the roles that the settings name.
 * @param options.now and what follows it: other parts than those the settings say, for tests
 * @throws ConfigError with every setting that is wrong; Error when Redis or a port cannot be had
 */
export async function startService(
  given: NodeJS.ProcessEnv,
  { log: givenLog, ...parts }: { log?: Logger; now?: () => number; machines?: Machines; pool?: EnginePool } = {},
): Promise<RunningService> {
  const env = environmentWithFile(given, join(process.cwd(), ".env"))
  const config = readConfig(env)
  const log = givenLog ?? createLog(config)
  const compileCache = env.FOOZOL_COMPILE_CACHE
  const services = await openServices(config, {
    cloud: cloudFrom(env),
    log,
    ...parts,
    ...(compileCache ? { compileCache } : {}),
  })
  let stopping = false
  const metrics = createMetrics()
  const fault = watchFaults(services, () => stopping)
  watchStore(metrics, services)
  const worker = config.roles.includes("worker") ? services.startWorker() : null
  const watch = worker ? services.startWatch() : null
  const chores = worker ? services.startChores() : null
  if (worker) void services.pool.warm()
  let web: Server | null = null
  let measured: Server | null = null
  try {
    if (config.metrics) measured = await serveMetrics(metrics, fault, config.metrics)
    if (config.roles.includes("web")) web = await listen(createApp(services, metrics, fault), config)
  } catch (error) {
    measured?.close()
    await watch?.close()
    await chores?.close()
    await worker?.close(0)
    await services.close()
    throw error
  }
  log.info({ roles: config.roles, url: config.url }, "service started")
  return {
    url: web ? config.url : null,
    services,
    async stop(drainMs = DRAIN_MS) {
      stopping = true
      log.info("service stops")
      web?.close()
      web?.closeIdleConnections()
      await watch?.close()
      await worker?.close(drainMs)
      // After the operations: what they have changed is brought to the ledger by whoever is here then.
      await chores?.close()
      // Streams of events never end by themselves; their readers come back to whoever is here then.
      web?.closeAllConnections()
      measured?.close()
      measured?.closeAllConnections()
      await services.close()
      log.info("service stopped")
    },
  }
}

function createLog({ logLevel }: Config): Logger {
  return pino({
    level: logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Nothing secret is logged on purpose; this is for what a library puts into an error.
    redact: {
      paths: [
        "*.authorization",
        "*.cookie",
        "*.token",
        "*.secret",
        "*.password",
        "*.ticket",
        "err.config",
        "err.command.args",
        "err.request",
        "err.headers",
      ],
      censor: "[redacted]",
    },
  })
}

async function listen(handle: Parameters<typeof createServer>[1], { listen: at }: Config): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 15_000 }, handle)
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(at.port, at.host, resolve))
  return server
}

/** What engine runs need, from the environment; see `foozol-cloud start` for how it comes there on one machine. */
function cloudFrom(env: NodeJS.ProcessEnv): CloudConfig {
  // Its settings have been checked with the others.
  const gcp = gcpCloud(env)
  const parsed = CloudConfig.safeParse({
    pulumi: env.FOOZOL_PULUMI,
    pulumiVersion: env.FOOZOL_PULUMI_VERSION,
    home: env.PULUMI_HOME,
    workDirectory: env.FOOZOL_ENGINE_DIRECTORY,
    backendUrl: env.FOOZOL_BACKEND_URL,
    backendEnv: backendEnvironment(env),
    passphrase: env.FOOZOL_STATE_PASSPHRASE,
    ...(env.FOOZOL_STATE_PASSPHRASE_PREVIOUS ? { previousPassphrase: env.FOOZOL_STATE_PASSPHRASE_PREVIOUS } : {}),
    ...(env.HCLOUD_TOKEN || gcp === null
      ? {
          hetzner: {
            token: env.HCLOUD_TOKEN,
            endpoint: env.HCLOUD_ENDPOINT,
            further: parseProjects(env.FOOZOL_PROJECTS ?? ""),
          },
        }
      : {}),
    ...(gcp === null ? {} : { gcp }),
  })
  if (parsed.success) return parsed.data
  const names: Record<string, string> = {
    pulumi: "FOOZOL_PULUMI",
    pulumiVersion: "FOOZOL_PULUMI_VERSION",
    home: "PULUMI_HOME",
    workDirectory: "FOOZOL_ENGINE_DIRECTORY",
    backendUrl: "FOOZOL_BACKEND_URL",
    passphrase: "FOOZOL_STATE_PASSPHRASE",
    "hetzner.token": "HCLOUD_TOKEN",
    "hetzner.endpoint": "HCLOUD_ENDPOINT",
  }
  const missing = parsed.error.issues.map(issue => names[issue.path.join(".")] ?? issue.path.join("."))
  throw new ConfigError(
    `The settings of the cloud are missing or wrong: ${missing.join(", ")}. \`foozol-cloud service run\` fills them in from this machine's set-up.`,
  )
}
