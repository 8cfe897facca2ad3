import { accessSync, constants } from "node:fs"
import { isAbsolute } from "node:path"
import { z } from "zod"
import { GCP_ZONES, GcpEndpoint, GcpProjectId, GcpZone, MARKETS } from "../infra/gcp-settings.ts"
import { parseProjects } from "../infra/projects.ts"
import { COMMON_HOSTS } from "../infra/repositories/repository.ts"
import { WEIGHT } from "./idleness/settings.ts"
import { type OfferRule, parseOffers } from "./offers/rules.ts"
import { PROVIDERS, STOP_MODES } from "./workspaces/workspace.ts"

const list = (text: string) => text.split(/[\s,]+/).filter(part => part !== "")
const flag = z.enum(["true", "false"]).transform(text => text === "true")
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most)
const httpUrl = z
  .url({ protocol: /^https?$/, error: "must be an http or https URL" })
  .transform(text => text.replace(/\/+$/, ""))
const name = z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a name of the provider, in lower case")

const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
/** Scripts may measure over TLS alone, and on this machine for tests. */
const PROBE = /^[a-z][a-z0-9-]{1,31}=(https:\/\/[\w.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d{1,5})?(\/[\w./-]*)?$/
const imageName = z.string().regex(/^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of an image at Google")

/**
 * Every setting of the service, by the environment variable it is read from. `describe` is what README and
 * `foozol-cloud service settings` print.
 */
export const Settings = z.object({
  FOOZOL_URL: httpUrl
    .default("http://127.0.0.1:8080")
    .describe("address of the service as users' browsers reach it; https except on this machine"),
  FOOZOL_LISTEN: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[\w.-]+):\d{1,5}$/, "must be HOST:PORT")
    .default("127.0.0.1:8080")
    .describe("address and port the service listens on"),
  FOOZOL_MACHINE_URL: httpUrl.optional().describe("address of the service as machines reach it; FOOZOL_URL if unset"),
  FOOZOL_TRUST_PROXY: flag
    .default(false)
    .describe("true when a reverse proxy in front sets X-Forwarded-For; without one, anybody could"),
  FOOZOL_METRICS_LISTEN: z
    .string()
    .regex(/^(off|(\[[0-9a-f:]+\]|[\w.-]+):\d{1,5})$/, "must be HOST:PORT or off")
    .default("127.0.0.1:9464")
    .describe("address and port of /metrics, or off"),
  FOOZOL_ROLES: z
    .string()
    .transform(list)
    .pipe(z.array(z.enum(["web", "worker"])).min(1))
    .default(["web", "worker"])
    .describe("what this process does: web, worker, or both"),
  FOOZOL_REDIS_URL: z
    .url({ protocol: /^(rediss?|unix)$/, error: "must be a redis:// or rediss:// URL" })
    .default("redis://127.0.0.1:6379")
    .describe("the Redis that keeps logins, tokens, workspaces and operations; it must be append-only"),
  FOOZOL_SECRET: z
    .string({ error: "is missing: at least 32 random characters, for instance of `openssl rand -base64 48`" })
    .min(32, "must have at least 32 characters, for instance of `openssl rand -base64 48`")
    .describe("the secret all keys are derived from; `foozol-cloud secrets rotate` changes it"),
  FOOZOL_SECRET_PREVIOUS: z
    .string()
    .transform(text => text.split("\n").flatMap(line => line.trim() || []))
    .pipe(z.array(z.string().min(32, "must be secrets of at least 32 characters, one a line, the newest first")))
    .default([])
    .describe("the secret from before (or several, one a line, newest first), accepted until `secrets rotate` is done"),
  FOOZOL_GITHUB_CLIENT_ID: z
    .string({ error: "is missing: the client id of your GitHub OAuth app" })
    .min(1)
    .describe("client id of your GitHub OAuth app; its callback URL is FOOZOL_URL and `/login/github/callback`"),
  FOOZOL_GITHUB_CLIENT_SECRET: z
    .string({ error: "is missing: a client secret of your GitHub OAuth app" })
    .min(1)
    .describe("a client secret of that app"),
  FOOZOL_GITHUB_URL: httpUrl
    .default("https://github.com")
    .describe("GitHub, a GitHub Enterprise Server, or the local cloud's stand-in"),
  FOOZOL_ALLOW: z
    .string()
    .transform(list)
    .pipe(
      z
        .array(
          z.string().regex(/^(everyone|(user|org):[A-Za-z0-9-]{1,39})$/, "must be everyone, user:NAME or org:NAME"),
        )
        .min(1),
    )
    .describe("who may sign in: `everyone`, or a list such as `user:NAME, org:NAME`"),
  FOOZOL_OPERATORS: z
    .string()
    .transform(list)
    .default([])
    .describe("GitHub login names of those who may see and end what others have"),
  FOOZOL_SIGN_UP_CAP: whole(0, 10_000_000).default(0).describe("how many users there may be at most; 0: no limit"),
  FOOZOL_QUOTA_DESKTOP: whole(0, 1000).default(1).describe("workspaces of the profile desktop a user may have"),
  FOOZOL_QUOTA_TOTAL: whole(1, 1000).default(3).describe("workspaces a user may have in all"),
  FOOZOL_LOGIN_IDLE_HOURS: whole(1, 24 * 90)
    .default(72)
    .describe("hours without use after which a login ends"),
  FOOZOL_LOGIN_MAX_HOURS: whole(1, 24 * 365)
    .default(24 * 30)
    .describe("hours after which a login ends in any case"),
  FOOZOL_ZONE: z
    .string({ error: "is missing: the DNS zone workspaces get their names in, such as desk.example.com" })
    .regex(/^([a-z0-9-]+\.)+[a-z0-9-]+$/, "must be a domain, such as desk.example.com")
    .describe("DNS zone at the provider in which workspaces get their names"),
  FOOZOL_PROVIDERS: z
    .string()
    .transform(list)
    .pipe(z.array(z.enum(PROVIDERS, `must name providers: ${PROVIDERS.join(", ")}`)))
    .optional()
    .describe(
      `providers that new workspaces may be at (${PROVIDERS.join(", ")}), the first one unless asked otherwise; those that are set up if unset`,
    ),
  FOOZOL_OFFERS: z
    .string()
    .transform((text, context): OfferRule[] => {
      try {
        return parseOffers(text)
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message })
        return z.NEVER
      }
    })
    .optional()
    .describe(
      "what is offered to whom: `everyone`, `user:NAME`, `org:NAME` (of GitHub) and after `=` PROVIDER/REGION/SIZE, `*` or left out for any; semicolons between, such as `everyone=hetzner/*/small; org:acme=hetzner gcp`; everything to everybody if unset",
    ),
  FOOZOL_GCP_PROJECTS: z
    .string()
    .transform(list)
    .pipe(z.array(GcpProjectId))
    .default([])
    .describe(
      "ids of Google Cloud projects; the first one has the DNS zone, and new workspaces go into the others when it is full; Google is not used if unset",
    ),
  FOOZOL_GCP_ZONES: z
    .string()
    .transform(list)
    .pipe(z.array(GcpZone))
    .default(GCP_ZONES)
    .describe("zones of Google that are offered as regions"),
  FOOZOL_GCP_MARKET: z
    .enum(MARKETS)
    .default("on-demand")
    .describe(
      "how machines at Google are bought: on-demand, or spot, which is cheaper and may be switched off by Google at any moment; of new workspaces",
    ),
  FOOZOL_GCP_CREDENTIALS: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .refine(path => isReadable(path), "must be a file that this process may read")
    .optional()
    .describe(
      "file with Google's credentials for machines (the key of a service account, or a workload identity); GOOGLE_APPLICATION_CREDENTIALS if unset, else what Google's libraries find",
    ),
  FOOZOL_GCP_DNS_ZONE: z
    .string()
    .regex(/^([a-z0-9-]+\.)+[a-z0-9-]+$/, "must be a domain, such as gcp.desk.example.com")
    .optional()
    .describe(
      "DNS zone in Cloud DNS in which workspaces at Google get their names; FOOZOL_ZONE if unset, where Google is the only provider",
    ),
  FOOZOL_GCP_ENDPOINT: GcpEndpoint.optional().describe(
    "address of a stand-in for Google's API on this machine, for tests; Google's own if unset",
  ),
  FOOZOL_ACME_DIRECTORY: z
    .url({ protocol: /^https$/, error: "must be an https URL, such as https://acme-v02.api.letsencrypt.org/directory" })
    .optional()
    .describe(
      "directory of the certificate authority machines get their certificates from (RFC 8555, challenge tls-alpn-01), to whose terms you agree by this; if unset they sign their own",
    ),
  FOOZOL_ACME_CONTACT: z
    .email("must be a mail address")
    .optional()
    .describe("mail address that authority may write to"),
  FOOZOL_ACME_EAB_KID: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "must be the id that the authority has given you")
    .optional()
    .describe("id of the key that binds new accounts to yours, where the authority wants that"),
  FOOZOL_ACME_EAB_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,}={0,2}$/, "must be a key in Base64 for URLs")
    .optional()
    .describe("that key; every machine is given it, and its user is root there: use one that is good for nothing else"),
  FOOZOL_ACME_CHAIN: z
    .string()
    .max(200)
    .optional()
    .describe("common name of an issuer: of several chains the authority offers, the one that has it is taken"),
  FOOZOL_ACME_TRUST: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .optional()
    .describe(
      "file with certificates (PEM) by which machines trust the directory in the place of the public ones, for an authority of your own",
    ),
  FOOZOL_ACME_WEEK: whole(0, 10_000_000)
    .default(50)
    .describe("new names it gives certificates to in 7 days; more wait for theirs; 0: no such number"),
  FOOZOL_ACME_2_DIRECTORY: z
    .url({ protocol: /^https$/, error: "must be an https URL" })
    .optional()
    .describe("directory of a second authority, which is asked where the first one refuses, is down or has no room"),
  FOOZOL_ACME_2_EAB_KID: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "must be the id that the authority has given you")
    .optional()
    .describe("as FOOZOL_ACME_EAB_KID, for the second one"),
  FOOZOL_ACME_2_EAB_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,}={0,2}$/, "must be a key in Base64 for URLs")
    .optional()
    .describe("as FOOZOL_ACME_EAB_KEY, for the second one"),
  FOOZOL_ACME_2_CHAIN: z.string().max(200).optional().describe("as FOOZOL_ACME_CHAIN, for the second one"),
  FOOZOL_ACME_2_TRUST: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .optional()
    .describe("as FOOZOL_ACME_TRUST, for the second one"),
  FOOZOL_ACME_2_WEEK: whole(0, 10_000_000).default(0).describe("as FOOZOL_ACME_WEEK, for the second one"),
  FOOZOL_DESKTOP_PORT: whole(1, 65_535).default(443).describe("port at which browsers reach machines"),
  FOOZOL_REPOSITORY_HOSTS: z
    .string()
    .transform(text => list(text.toLowerCase()))
    .pipe(
      z.array(
        z
          .string()
          .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, "must be names of hosts, such as `github.com, git.example.com`"),
      ),
    )
    .default([...COMMON_HOSTS])
    .describe("hosts that workspaces may be made from git repositories of"),
  FOOZOL_REGIONS: z
    .string()
    .transform(list)
    .pipe(z.array(name))
    .default([])
    .describe("regions offered at Hetzner; empty: all"),
  FOOZOL_REGION_PROBES: z
    .string()
    .transform(list)
    .pipe(
      z.array(
        z.string().regex(PROBE, "must be REGION=URL, with spaces between, such as `fsn1=https://near.example.com`"),
      ),
    )
    .default([])
    .describe(
      "an address near each region (REGION=URL, with spaces between) by which browsers measure in the form how far it is, and are told the nearest; they ask there, so name what you trust; none: nothing is measured",
    ),
  FOOZOL_IMAGE_BROWSER: whole(1, 2 ** 52)
    .optional()
    .describe("image of the profile browser at Hetzner; the newest promoted one if unset"),
  FOOZOL_IMAGE_DESKTOP: whole(1, 2 ** 52)
    .optional()
    .describe("the same for the profile desktop"),
  FOOZOL_GCP_IMAGE_BROWSER: imageName
    .optional()
    .describe("image of the profile browser at Google; the newest promoted one if unset"),
  FOOZOL_GCP_IMAGE_DESKTOP: imageName.optional().describe("the same for the profile desktop"),
  FOOZOL_PROJECTS: z
    .string()
    .default("")
    .superRefine((text, context) => {
      try {
        parseProjects(text)
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message })
      }
    })
    .describe(
      "further projects of Hetzner for new workspaces when the one of HCLOUD_TOKEN is full: NAME=TOKEN, with spaces between",
    ),
  FOOZOL_PROJECT_WORKSPACES: whole(0, 1_000_000)
    .default(0)
    .describe("workspaces that may be in one project of the provider; 0: as many as its limits allow"),
  FOOZOL_OPERATIONS_PER_PROVIDER: whole(1, 1000)
    .default(8)
    .describe("operations that may go on at once at one provider"),
  FOOZOL_ENGINE_CHILDREN: whole(1, 64).default(2).describe("engine runs that may go on at once in this process"),
  FOOZOL_ENGINE_SILENCE_SECONDS: whole(30, 24 * 3600)
    .default(600)
    .describe("after how long without a word an engine run is ended and tried again: the provider has forgotten it"),
  FOOZOL_READY_SECONDS: whole(10, 3600)
    .default(420)
    .describe("how long a machine may take to report ready before its creation or start has failed"),
  FOOZOL_PROVIDER_PATIENCE_SECONDS: whole(0, 24 * 3600)
    .default(900)
    .describe("how long an operation tries again by itself while the provider fails; 0: it fails at once"),
  FOOZOL_HOST_LOST_SECONDS: whole(60, 24 * 3600)
    .default(600)
    .describe(
      "after how long without a sign of life a host counts as lost where several share the engine's backend: its locks are removed",
    ),
  FOOZOL_STOP_MODE: z
    .enum(STOP_MODES)
    .default("power-off")
    .describe("how workspaces stop unless asked otherwise: power-off (wakes fast) or hibernate (costs storage only)"),
  FOOZOL_BACKUP_DAYS: whole(1, 3650).default(7).describe("days for which daily backups are kept"),
  FOOZOL_BACKUPS: flag
    .default(true)
    .describe("whether workspaces that are used are backed up daily, and backups tried out"),
  FOOZOL_DRIFT_HOURS: whole(0, 720)
    .default(24)
    .describe(
      "hours after which it is looked again whether each workspace is at the provider as it shall be; 0: never",
    ),
  FOOZOL_BACKUP_NIGHT: z
    .string()
    .regex(/^([01]?\d|2[0-3])-([01]?\d|2[0-4])$/, "must be two hours of the day, such as 22-6")
    .default("22-6")
    .describe(
      "from which hour to which (UTC) it is night: workspaces of whose use little is known are backed up then; the others in the hour in which they are used least",
    ),
  FOOZOL_BACKUPS_AT_ONCE: whole(1, 1000).default(4).describe("daily backups that may be made at once"),
  FOOZOL_PROOF_DAYS: whole(1, 7)
    .default(7)
    .describe(
      "days after which a newest backup of every workspace is restored on trial again, on a machine of its own",
    ),
  FOOZOL_PROOFS_AT_ONCE: whole(1, 1000).default(1).describe("such trials that may go on at once"),
  FOOZOL_PROOF_SECONDS: whole(30, 86_400)
    .default(900)
    .describe(
      "how long a machine made from a backup may take to start and to check itself before the trial has failed",
    ),
  FOOZOL_FINAL_SNAPSHOT_DAYS: whole(0, 3650)
    .default(30)
    .describe("days for which a deleted workspace can be had back; 0: not at all"),
  FOOZOL_IDLE_SECONDS: whole(1, 30 * 86_400)
    .default(1800)
    .describe("seconds a workspace counts as in use after the last sign of it"),
  FOOZOL_IDLE_WEIGHTS: z
    .string()
    .transform(list)
    .pipe(z.array(z.string().regex(WEIGHT, "must be SIGNAL=WEIGHT or PROFILE.SIGNAL=WEIGHT")))
    .default([])
    .describe(
      "how many of these spans a signal counts, 0 for not at all, such as `files=0.5, desktop.ssh=0`; signals: input, viewer (merely open; 0 unless set), visit, output, agent, work, files, ssh, webUi, start",
    ),
  FOOZOL_IDLE_CPU: z.coerce
    .number()
    .min(0.001)
    .max(64)
    .default(0.1)
    .describe("share of one core from which an agent's process is at work"),
  FOOZOL_IDLE_SILENT_SECONDS: whole(1, 3600)
    .default(90)
    .describe("seconds without a report after which nobody knows whether a machine is in use: it is not stopped then"),
  FOOZOL_IDLE_STOP_SECONDS: whole(1, 30 * 86_400)
    .default(900)
    .describe("seconds from idle to the stop"),
  FOOZOL_IDLE_WARNING_SECONDS: whole(1, 86_400).default(300).describe("least seconds between the warning and the stop"),
  FOOZOL_IDLE_CHECK_SECONDS: whole(1, 3600).default(15).describe("so often all workspaces are judged"),
  FOOZOL_AUTO_STOP: flag
    .default(true)
    .describe("whether idle workspaces are stopped whose owner has not said otherwise"),
  FOOZOL_AGENT_WAIT_SECONDS: whole(1, 86_400)
    .default(60)
    .describe("seconds a coding agent waits for its person after it has worked until that person is told"),
  FOOZOL_USAGE_DIRECTORY: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .optional()
    .describe(
      "folder of the ledger of what every workspace was and when, shared by all processes and in your backups; `usage` in FOOZOL_DATA if unset",
    ),
  FOOZOL_AUDIT_DIRECTORY: z
    .string()
    .refine(path => isAbsolute(path), "must be an absolute path")
    .optional()
    .describe(
      "folder of the audit log of who did what, shared by all processes and in your backups; `audit` in FOOZOL_DATA if unset",
    ),
  FOOZOL_STATE_BACKUP_DIRECTORY: z
    .string()
    .refine(isAbsolute, "must be an absolute path")
    .optional()
    .describe("folder in which encrypted backups of all the service has stored are kept; none are made if unset"),
  FOOZOL_STATE_BACKUP_HOURS: whole(1, 24 * 7)
    .default(24)
    .describe("hours between such backups"),
  FOOZOL_STATE_BACKUP_KEEP: whole(1, 1000).default(7).describe("how many of them are kept"),
  FOOZOL_BUDGET: z.coerce
    .number()
    .positive()
    .max(1_000_000)
    .optional()
    .describe("budget per calendar month of a user who has set none, in the currency of the prices; none if unset"),
  FOOZOL_SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: "must be smtp://USER:PASSWORD@HOST:PORT, or smtps://" })
    .optional()
    .describe("mail server for notifications; no mail is sent if unset"),
  FOOZOL_SMTP_FROM: z
    .string()
    .regex(/^[^\r\n<>]*<?[^\s<>@]+@[^\s<>@]+>?$/, "must be an address, such as `foozol Cloud <cloud@example.com>`")
    .optional()
    .describe("sender of those mails"),
  FOOZOL_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("least weight of what is logged: debug, info, warn, error or silent"),
})
