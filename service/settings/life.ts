import { z } from "zod"
import { WEIGHT } from "../idleness/settings.ts"
import { STOP_MODES } from "../workspaces/workspace.ts"
import { flag, list, whole } from "./shapes.ts"

/** How workspaces stop, are backed up, proven and judged idle. */
export const life = {
  FOOZOL_STOP_MODE: z
    .enum(STOP_MODES)
    .default("power-off")
    .describe("how workspaces stop unless asked otherwise: power-off (wakes fast) or hibernate (costs storage only)"),
  FOOZOL_BACKUP_DAYS: whole(1, 3650).default(7).describe("days for which daily backups are kept"),
  FOOZOL_BACKUPS: flag
    .default(true)
    .describe("whether workspaces that are used are backed up daily, and backups tried out"),
  FOOZOL_BACKUP_S3_ENDPOINT: z
    .url({
      protocol: /^https?$/,
      error: "must be the address of an S3-compatible storage, such as https://s3.eu-central-1.amazonaws.com",
    })
    .optional()
    .describe("address of the S3-compatible storage for encrypted backups of homes; none are made if unset"),
  FOOZOL_BACKUP_S3_MACHINE_ENDPOINT: z
    .url({
      protocol: /^https?$/,
      error: "must be the address of the same storage as machines reach it, such as http://10.0.0.2:9000",
    })
    .optional()
    .describe("address of that storage as machines reach it; FOOZOL_BACKUP_S3_ENDPOINT if unset"),
  FOOZOL_BACKUP_S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of a bucket")
    .optional()
    .describe("bucket of that storage, which must be there"),
  FOOZOL_BACKUP_S3_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, "must be a region, such as eu-central-1")
    .default("us-east-1")
    .describe("region that requests to that storage are signed for; `auto` at Cloudflare R2"),
  FOOZOL_BACKUP_S3_ACCESS_KEY_ID: z
    .string()
    .regex(/^\S{1,200}$/, "must be an access key's id")
    .optional()
    .describe("access key that may list, read, write and delete in that bucket; it never leaves the service"),
  FOOZOL_BACKUP_S3_SECRET_ACCESS_KEY: z
    .string()
    .regex(/^\S{1,200}$/, "must be an access key's secret")
    .optional()
    .describe("secret of that access key"),
  FOOZOL_BACKUP_S3_PREFIX: z
    .string()
    .regex(/^([A-Za-z0-9._-]+\/)*$/, "must be empty or end with a slash, such as foozol/")
    .default("foozol/")
    .describe("what names of objects in that bucket begin with; services that share a bucket each need their own"),
  FOOZOL_BACKUP_S3_HOURS: whole(1, 720)
    .default(24)
    .describe("hours between two backups of the home of a workspace that is on"),
  FOOZOL_BACKUP_S3_STOP_SECONDS: whole(0, 3600)
    .default(300)
    .describe("seconds that a stop waits at most until the home is backed up; 0: homes are not backed up at stops"),
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
}
