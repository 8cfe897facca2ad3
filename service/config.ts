import { X509Certificate } from "node:crypto"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseEnv } from "node:util"
import type { z } from "zod"
import { parseProjects } from "../infra/projects.ts"
import { type NamedAuthority, named } from "./certificates/settings.ts"
import { type IdlenessSettings, windowsOf } from "./idleness/settings.ts"
import type { OfferRule } from "./offers/rules.ts"
import { Settings } from "./settings.ts"
import type { ProviderSettings } from "./workspaces/providers.ts"
import { PROVIDERS, type Provider, type StopMode } from "./workspaces/workspace.ts"

/** Raised when the settings make no sense; its message names every wrong one and what it must be. */
export class ConfigError extends Error {
  override name = "ConfigError"
}

/** The settings, parsed; names without their prefix. */
export interface Config {
  url: string
  listen: { host: string; port: number }
  machineUrl: string
  trustProxy: boolean
  metrics: { host: string; port: number } | null
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
    operationsPerProvider: s.FOOZOL_OPERATIONS_PER_PROVIDER,
    engineChildren: s.FOOZOL_ENGINE_CHILDREN,
    engineSilenceMs: s.FOOZOL_ENGINE_SILENCE_SECONDS * 1000,
    readyMs: s.FOOZOL_READY_SECONDS * 1000,
    providerPatienceMs: s.FOOZOL_PROVIDER_PATIENCE_SECONDS * 1000,
    hostLostMs: s.FOOZOL_HOST_LOST_SECONDS * 1000,
    stopMode: s.FOOZOL_STOP_MODE,
    backups: s.FOOZOL_BACKUPS,
    backupDays: s.FOOZOL_BACKUP_DAYS,
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
    logLevel: s.FOOZOL_LOG_LEVEL,
  }
  refuseDangerous(config)
  refuseEmptyOffers(config)
  return config
}

const imagesOf = <Id>(browser: Id | undefined, desktop: Id | undefined) => ({
  ...(browser === undefined ? {} : { browser }),
  ...(desktop === undefined ? {} : { desktop }),
})

/** @throws ConfigError where a provider is offered that is not set up, or two providers would have one domain */
function offeredBy(s: z.output<typeof Settings>, given: NodeJS.ProcessEnv): Provider[] {
  const google = s.FOOZOL_GCP_PROJECTS
  const isSetUp: Record<Provider, boolean> = {
    // Whoever names no other provider means Hetzner, and is told what it lacks.
    hetzner: given.HCLOUD_TOKEN !== undefined || google.length === 0,
    gcp: google.length > 0,
  }
  const needs: Record<Provider, string> = { hetzner: "HCLOUD_TOKEN", gcp: "FOOZOL_GCP_PROJECTS" }
  const lacking = (s.FOOZOL_PROVIDERS ?? []).filter(one => !isSetUp[one]).map(one => `${one} needs ${needs[one]}`)
  if (lacking.length > 0) throw new ConfigError(`FOOZOL_PROVIDERS names what is not set up: ${lacking.join(", ")}`)
  const twice = google.find((one, at) => google.indexOf(one) !== at || one in parseProjects(s.FOOZOL_PROJECTS))
  if (twice !== undefined)
    throw new ConfigError(
      `FOOZOL_GCP_PROJECTS and FOOZOL_PROJECTS must name each project once: ${twice} is there twice`,
    )
  if (isSetUp.hetzner && isSetUp.gcp && (s.FOOZOL_GCP_DNS_ZONE ?? s.FOOZOL_ZONE) === s.FOOZOL_ZONE) {
    throw new ConfigError(
      "FOOZOL_GCP_DNS_ZONE must be another domain than FOOZOL_ZONE, which Hetzner's DNS answers for: a part of it that is delegated to Cloud DNS, such as gcp.desk.example.com",
    )
  }
  return s.FOOZOL_PROVIDERS?.length ? s.FOOZOL_PROVIDERS : PROVIDERS.filter(one => isSetUp[one])
}

/** @throws ConfigError for a rule of what new workspaces cannot have anyway: it was meant otherwise */
function refuseEmptyOffers({ offers, offered, providers }: Config): void {
  for (const { provider, region } of (offers ?? []).flatMap(({ what }) => what)) {
    if (provider !== null && !offered.includes(provider))
      throw new ConfigError(
        `FOOZOL_OFFERS names ${provider}, where new workspaces are not: there is ${offered.join(", ")}`,
      )
    const at = provider === null ? offered : [provider]
    const has = (one: Provider) => providers[one].regions.length === 0 || providers[one].regions.includes(region ?? "")
    if (region !== null && !at.some(has))
      throw new ConfigError(
        `FOOZOL_OFFERS names the region ${region}, which is not offered: there is ${at.flatMap(one => providers[one].regions).join(", ")}`,
      )
  }
}

function nightOf(text: string): Config["backupNight"] {
  const [from = 0, to = 0] = text.split("-").map(Number)
  return { from, to: to % 24 }
}

/** The certificate authorities of machines; what belongs to one makes no sense without it. */
function authoritiesFrom(s: z.output<typeof Settings>): NamedAuthority[] {
  const first = authorityFrom("FOOZOL_ACME_", {
    ...{ directory: s.FOOZOL_ACME_DIRECTORY, contact: s.FOOZOL_ACME_CONTACT, most: s.FOOZOL_ACME_WEEK },
    ...{ kid: s.FOOZOL_ACME_EAB_KID, key: s.FOOZOL_ACME_EAB_KEY },
    ...{ chain: s.FOOZOL_ACME_CHAIN, trust: s.FOOZOL_ACME_TRUST },
  })
  const second = authorityFrom("FOOZOL_ACME_2_", {
    ...{ directory: s.FOOZOL_ACME_2_DIRECTORY, most: s.FOOZOL_ACME_2_WEEK },
    ...{ kid: s.FOOZOL_ACME_2_EAB_KID, key: s.FOOZOL_ACME_2_EAB_KEY },
    ...{ chain: s.FOOZOL_ACME_2_CHAIN, trust: s.FOOZOL_ACME_2_TRUST },
  })
  if (second === null) return first === null ? [] : [first]
  if (first === null) {
    throw new ConfigError("FOOZOL_ACME_2_DIRECTORY is a second authority: name the first one in FOOZOL_ACME_DIRECTORY")
  }
  if (first.id === second.id)
    throw new ConfigError("FOOZOL_ACME_2_DIRECTORY must be another than FOOZOL_ACME_DIRECTORY")
  const { contact } = first.authority
  return [first, { ...second, authority: { ...second.authority, contact } }]
}

interface AuthorityGiven {
  directory: string | undefined
  most: number
  kid: string | undefined
  key: string | undefined
  chain: string | undefined
  trust: string | undefined
  contact?: string | undefined
}

function authorityFrom(prefix: string, given: AuthorityGiven): NamedAuthority | null {
  const { directory, most, kid, key, chain, trust, contact } = given
  if (directory === undefined) {
    if ([kid, key, contact, chain, trust].every(one => one === undefined)) return null
    throw new ConfigError(`${prefix}DIRECTORY is missing: the other settings of ${prefix} belong to it`)
  }
  if ((kid === undefined) !== (key === undefined)) {
    throw new ConfigError(`${prefix}EAB_KID and ${prefix}EAB_KEY belong together: set both, or neither`)
  }
  const binding = kid === undefined || key === undefined ? null : { kid, key }
  const more = { chain: chain ?? null, trust: trustIn(`${prefix}TRUST`, trust) }
  return named({ directory, contact: contact ?? null, binding, ...more }, most)
}

function trustIn(setting: string, file: string | undefined): string | null {
  if (file === undefined) return null
  try {
    const text = readFileSync(file, "utf8")
    new X509Certificate(text)
    return text
  } catch {
    throw new ConfigError(`${setting} names ${file}, in which no certificate could be read`)
  }
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

/** Is this URL's host this machine alone? */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.[\d.]+$/.test(hostname)
  )
}

/** Is this URL's host this machine, or an address of a private network, such as the one between a host and its machines? */
function isPrivate(url: string): boolean {
  const { hostname } = new URL(url)
  return (
    isLoopback(url) ||
    /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(hostname) ||
    /^\[f[cd]/.test(hostname)
  )
}

/** Combinations that would open the door to strangers. */
function refuseDangerous(config: Config): void {
  const { url, github, machineUrl, listen, metrics } = config
  if (new URL(url).pathname !== "/") throw new ConfigError(`FOOZOL_URL must have no path, but is ${url}`)
  for (const [name, place] of Object.entries({ FOOZOL_LISTEN: listen, FOOZOL_METRICS_LISTEN: metrics })) {
    if (place && place.port > 65_535) throw new ConfigError(`${name} must have a port up to 65535, not ${place.port}`)
  }
  const inTheClear: [string, string, boolean, string][] = [
    ["FOOZOL_URL", url, isLoopback(url), "logins"],
    ["FOOZOL_GITHUB_URL", github.url, isLoopback(github.url), "the app's secret and people's tokens"],
    ["FOOZOL_MACHINE_URL", machineUrl, isPrivate(machineUrl), "the keys of workspaces"],
  ]
  for (const [name, address, stays, what] of inTheClear) {
    if (!stays && !address.startsWith("https:")) {
      throw new ConfigError(`${name} is public, so it must be https: ${what} would go over the net in the clear`)
    }
  }
  if (!isLoopback(url) && isLoopback(github.url)) {
    throw new ConfigError(
      "FOOZOL_GITHUB_URL is a sign-in stand-in on this machine, where anybody may be anybody; it is refused together with the public FOOZOL_URL. Remove FOOZOL_GITHUB_URL and name a real GitHub OAuth app.",
    )
  }
}

function hostAndPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":")
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) }
}
