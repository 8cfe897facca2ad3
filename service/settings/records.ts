import { isAbsolute } from "node:path"
import { z } from "zod"
import { whole } from "./shapes.ts"

/** What is written down, sent and said. */
export const records = {
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
}
