import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseEnv } from "node:util"
import type { z } from "zod"
import type { Bucket } from "../infra/object-storage/sign.ts"
import type { NamedAuthority } from "./certificates/settings.ts"
import { hostAndPort, type Place, refuseDangerous } from "./config/addresses.ts"
import { authoritiesFrom } from "./config/authorities.ts"
import { ConfigError } from "./config/error.ts"
import { offeredBy, refuseEmptyOffers, refuseUselessSpares } from "./config/offered.ts"
import { type IdlenessSettings, windowsOf } from "./idleness/settings.ts"
import type { OfferRule } from "./offers/rules.ts"
import { Settings } from "./settings.ts"
import { type TraceSettings, traceSettings } from "./traces/settings.ts"
import type { WarmSettings } from "./warm/settings.ts"
import type { ProviderSettings } from "./workspaces/providers.ts"
import type { Provider, StopMode } from "./workspaces/workspace.ts"

/** The settings, parsed; names without their prefix. */
export interface Config {
  url: string
  listen: Place
  machineUrl: string
  trustProxy: boolean
  metrics: Place | null
  roles: ("web" | "worker")[]
  redisUrl: string
  secret: string
  /** Those from before, newest first. */
  previousSecrets: string[]
  github: { clientId: string; clientSecret: string; url: string }
  allow: string[]
  operators: string[]
  signUpCap: number
  quota: { desktop: number; total: number }
  login: { idleMs: number; maxMs: number }
  zone: string
  desktopPort: number
  /** Where machines get their certificates, the first one first; none: they sign their own. */
  certificates: NamedAuthority[]
  /** Hosts that repositories may be on, in lower case. */
  repositoryHosts: string[]
  /** Those that new workspaces may be at, the first one unless asked otherwise. */
  offered: Provider[]
  /** Who may take what of it; null: everybody everything. */
  offers: OfferRule[] | null
  /** What the settings say of each provider, offered or not. */
  providers: Record<Provider, ProviderSettings>
  /** By region: an address near it. */
  probes: Record<string, string>
  /** Workspaces that may be in one project of the provider; 0: no such number. */
  projectWorkspaces: number
  /** Spare machines. */
  warm: WarmSettings
  operationsPerProvider: number
  engineChildren: number
  /** After how long without a word an engine run is ended, milliseconds. */
  engineSilenceMs: number
  readyMs: number
  /** How long an operation bears a provider that fails, milliseconds. */
  providerPatienceMs: number
  hostLostMs: number
  stopMode: StopMode
  backups: boolean
  backupDays: number
  /** Where homes are backed up to, and when; null: they are not. */
  homeBackups: { bucket: Bucket; prefix: string; everyMs: number; stopMs: number } | null
  /** Between two looks at what a workspace really has; 0: it is not looked at by itself. */
  driftMs: number
  /** Hours of the day, UTC. */
  backupNight: { from: number; to: number }
  backupsAtOnce: number
  proofEveryMs: number
  proofsAtOnce: number
  proofMs: number
  finalSnapshotDays: number
  idle: IdlenessSettings
  /** So long an agent waits for its person until that person is told. */
  agentWaitMs: number
  /** Folder of the usage ledger. */
  usageDirectory: string
  /** Folder of the audit log. */
  auditDirectory: string
  /** Backups of what the service has stored; null: none are made. */
  stateBackup: { directory: string; everyMs: number; keep: number } | null
  /** Of users who have set none. */
  budget: number | null
  /** Null: no mail is sent. */
  smtp: { url: string; from: string } | null
  /** Where traces are sent; null: nowhere. */
  traces: TraceSettings | null
  logLevel: "debug" | "info" | "warn" | "error" | "silent"
}

const HOUR = 3_600_000

/**
 * Reads the settings of an environment.
 * @throws ConfigError naming every setting that is missing or wrong
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""))
  const parsed = Settings.safeParse(given)
  if (!parsed.success) {
    const lines = parsed.error.issues.map(issue =>
      issue.path[0] === "FOOZOL_ALLOW" && given.FOOZOL_ALLOW === undefined
        ? "FOOZOL_ALLOW is missing: say who may sign in, `everyone` or a list such as `user:NAME, org:NAME`"
        : `${String(issue.path[0])} ${issue.message}`,
    )
    throw new ConfigError(`The settings are not usable:\n  ${lines.join("\n  ")}`)
  }
  const s = parsed.data
  const config: Config = {
    url: s.FOOZOL_URL,
    listen: hostAndPort(s.FOOZOL_LISTEN),
    machineUrl: s.FOOZOL_MACHINE_URL ?? s.FOOZOL_URL,
    trustProxy: s.FOOZOL_TRUST_PROXY,
    metrics: s.FOOZOL_METRICS_LISTEN === "off" ? null : hostAndPort(s.FOOZOL_METRICS_LISTEN),
    roles: s.FOOZOL_ROLES,
    redisUrl: s.FOOZOL_REDIS_URL,
    secret: s.FOOZOL_SECRET,
    previousSecrets: s.FOOZOL_SECRET_PREVIOUS,
    github: {
      clientId: s.FOOZOL_GITHUB_CLIENT_ID,
      clientSecret: s.FOOZOL_GITHUB_CLIENT_SECRET,
      url: s.FOOZOL_GITHUB_URL,
    },
    allow: s.FOOZOL_ALLOW,
    operators: s.FOOZOL_OPERATORS,
    signUpCap: s.FOOZOL_SIGN_UP_CAP,
    quota: { desktop: s.FOOZOL_QUOTA_DESKTOP, total: s.FOOZOL_QUOTA_TOTAL },
    login: { idleMs: s.FOOZOL_LOGIN_IDLE_HOURS * HOUR, maxMs: s.FOOZOL_LOGIN_MAX_HOURS * HOUR },
    zone: s.FOOZOL_ZONE,
    desktopPort: s.FOOZOL_DESKTOP_PORT,
    certificates: authoritiesFrom(s),
    repositoryHosts: s.FOOZOL_REPOSITORY_HOSTS,
    offered: offeredBy(s, given),
    offers: s.FOOZOL_OFFERS ?? null,
    providers: {
      hetzner: {
        zone: s.FOOZOL_ZONE,
        regions: s.FOOZOL_REGIONS,
        images: imagesOf(s.FOOZOL_IMAGE_BROWSER, s.FOOZOL_IMAGE_DESKTOP),
      },
      gcp: {
        zone: s.FOOZOL_GCP_DNS_ZONE ?? s.FOOZOL_ZONE,
        regions: s.FOOZOL_GCP_ZONES,
        ...(s.FOOZOL_GCP_MARKET === "spot" ? { market: "spot" as const } : {}),
        images: imagesOf(s.FOOZOL_GCP_IMAGE_BROWSER, s.FOOZOL_GCP_IMAGE_DESKTOP),
      },
    },
    probes: Object.fromEntries(s.FOOZOL_REGION_PROBES.map(one => one.split(/=(.*)/s).slice(0, 2))),
    projectWorkspaces: s.FOOZOL_PROJECT_WORKSPACES,
    warm: { kinds: s.FOOZOL_WARM, monthly: s.FOOZOL_WARM_MONTHLY, maxAgeMs: s.FOOZOL_WARM_HOURS * HOUR },
    operationsPerProvider: s.FOOZOL_OPERATIONS_PER_PROVIDER,
    engineChildren: s.FOOZOL_ENGINE_CHILDREN,
    engineSilenceMs: s.FOOZOL_ENGINE_SILENCE_SECONDS * 1000,
    readyMs: s.FOOZOL_READY_SECONDS * 1000,
    providerPatienceMs: s.FOOZOL_PROVIDER_PATIENCE_SECONDS * 1000,
    hostLostMs: s.FOOZOL_HOST_LOST_SECONDS * 1000,
    stopMode: s.FOOZOL_STOP_MODE,
    backups: s.FOOZOL_BACKUPS,
    backupDays: s.FOOZOL_BACKUP_DAYS,
    homeBackups: homeBackupsFrom(s),
    driftMs: s.FOOZOL_DRIFT_HOURS * HOUR,
    backupNight: nightOf(s.FOOZOL_BACKUP_NIGHT),
    backupsAtOnce: s.FOOZOL_BACKUPS_AT_ONCE,
    proofEveryMs: s.FOOZOL_PROOF_DAYS * 24 * HOUR,
    proofsAtOnce: s.FOOZOL_PROOFS_AT_ONCE,
    proofMs: s.FOOZOL_PROOF_SECONDS * 1000,
    finalSnapshotDays: s.FOOZOL_FINAL_SNAPSHOT_DAYS,
    idle: {
      windows: windowsOf(s.FOOZOL_IDLE_SECONDS * 1000, s.FOOZOL_IDLE_WEIGHTS),
      stopMs: s.FOOZOL_IDLE_STOP_SECONDS * 1000,
      warningMs: s.FOOZOL_IDLE_WARNING_SECONDS * 1000,
      checkMs: s.FOOZOL_IDLE_CHECK_SECONDS * 1000,
      silentMs: s.FOOZOL_IDLE_SILENT_SECONDS * 1000,
      busyCpu: s.FOOZOL_IDLE_CPU,
      autoStop: s.FOOZOL_AUTO_STOP,
    },
    agentWaitMs: s.FOOZOL_AGENT_WAIT_SECONDS * 1000,
    usageDirectory: s.FOOZOL_USAGE_DIRECTORY ?? resolve(join(given.FOOZOL_DATA ?? ".foozol", "usage")),
    auditDirectory: s.FOOZOL_AUDIT_DIRECTORY ?? resolve(join(given.FOOZOL_DATA ?? ".foozol", "audit")),
    stateBackup:
      s.FOOZOL_STATE_BACKUP_DIRECTORY === undefined
        ? null
        : {
            directory: s.FOOZOL_STATE_BACKUP_DIRECTORY,
            everyMs: s.FOOZOL_STATE_BACKUP_HOURS * HOUR,
            keep: s.FOOZOL_STATE_BACKUP_KEEP,
          },
    budget: s.FOOZOL_BUDGET ?? null,
    smtp: smtpFrom(s.FOOZOL_SMTP_URL, s.FOOZOL_SMTP_FROM),
    traces: traceSettings({
      endpoint: s.OTEL_EXPORTER_OTLP_ENDPOINT,
      tracesEndpoint: s.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
      headers: s.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? s.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      timeoutMs: s.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? s.OTEL_EXPORTER_OTLP_TIMEOUT,
      delayMs: s.OTEL_BSP_SCHEDULE_DELAY,
      serviceName: s.OTEL_SERVICE_NAME,
      attributes: s.OTEL_RESOURCE_ATTRIBUTES ?? {},
      disabled: s.OTEL_SDK_DISABLED,
    }),
    logLevel: s.FOOZOL_LOG_LEVEL,
  }
  refuseDangerous(config)
  refuseEmptyOffers(config)
  refuseUselessSpares(config)
  return config
}

const imagesOf = <Id>(browser: Id | undefined, desktop: Id | undefined) => ({
  ...(browser === undefined ? {} : { browser }),
  ...(desktop === undefined ? {} : { desktop }),
})

/** @throws ConfigError where a part is missing */
function homeBackupsFrom(s: z.output<typeof Settings>): Config["homeBackups"] {
  const endpoint = s.FOOZOL_BACKUP_S3_ENDPOINT
  const name = s.FOOZOL_BACKUP_S3_BUCKET
  const [accessKeyId, secretAccessKey] = [s.FOOZOL_BACKUP_S3_ACCESS_KEY_ID, s.FOOZOL_BACKUP_S3_SECRET_ACCESS_KEY]
  if (endpoint && name && accessKeyId && secretAccessKey) {
    return {
      bucket: {
        ...{ endpoint, name, region: s.FOOZOL_BACKUP_S3_REGION, accessKeyId, secretAccessKey },
        machineEndpoint: s.FOOZOL_BACKUP_S3_MACHINE_ENDPOINT ?? endpoint,
      },
      prefix: s.FOOZOL_BACKUP_S3_PREFIX,
      everyMs: s.FOOZOL_BACKUP_S3_HOURS * HOUR,
      stopMs: s.FOOZOL_BACKUP_S3_STOP_SECONDS * 1000,
    }
  }
  if (!endpoint && !name && !accessKeyId && !secretAccessKey) return null
  throw new ConfigError(
    "FOOZOL_BACKUP_S3_ENDPOINT, FOOZOL_BACKUP_S3_BUCKET, FOOZOL_BACKUP_S3_ACCESS_KEY_ID and FOOZOL_BACKUP_S3_SECRET_ACCESS_KEY belong together: set all four, or none for no home backups",
  )
}

function nightOf(text: string): Config["backupNight"] {
  const [from = 0, to = 0] = text.split("-").map(Number)
  return { from, to: to % 24 }
}

/** The mail server; both settings belong together. */
function smtpFrom(url: string | undefined, from: string | undefined): Config["smtp"] {
  if (url !== undefined && from !== undefined) return { url, from }
  if (url === undefined && from === undefined) return null
  throw new ConfigError("FOOZOL_SMTP_URL and FOOZOL_SMTP_FROM belong together: set both, or neither for no mail")
}

/** The environment with the lines of `.env` beneath it; a missing file is no error. */
export function environmentWithFile(env: NodeJS.ProcessEnv, file: string): NodeJS.ProcessEnv {
  try {
    return { ...parseEnv(readFileSync(file, "utf8")), ...env }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return env
    throw new ConfigError(`${file} could not be read: ${(error as Error).message}`)
  }
}
