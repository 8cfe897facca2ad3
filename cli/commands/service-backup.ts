import { readFileSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import type { Command } from "commander"
import { InfraError } from "../../infra/errors.ts"
import { dataFolders } from "../../service/folders.ts"
import { createKeys, fingerprintOf } from "../../service/keys.ts"
import { requireKnownSecret } from "../../service/secrets/secret-mark.ts"
import type { ArchiveKey } from "../../service/state-backup/archive.ts"
import { backUp, type Counts, type Manifest, verifyBackup } from "../../service/state-backup/backup.ts"
import { restoreBackup } from "../../service/state-backup/restore.ts"
import { scheduledFile } from "../../service/state-backup/schedule.ts"
import { audited } from "../audit-direct.ts"
import { serviceSettings, withRedis } from "../service-settings.ts"

interface Given {
  passphraseFile?: string
  json?: boolean
}
interface RestoreGiven extends Given {
  from: string
  replace?: boolean
  dryRun?: boolean
  withoutTokens?: boolean
}

/** @throws InfraError `no-file` where there is no such folder; an Error of the file system */
async function amongScheduled(directory: string | undefined): Promise<string> {
  if (!directory)
    throw new InfraError(
      "no-file",
      "fail",
      "Say where the backup goes: --to FILE, or set FOOZOL_STATE_BACKUP_DIRECTORY, where the service makes them by itself.",
    )
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return scheduledFile(directory, Date.now())
}

/** `foozol-cloud service backup` and `service restore`: everything the service has stored, in one file. */
export function addServiceBackup(service: Command): void {
  const passphrase = [
    "--passphrase-file <file>",
    "encrypt with what is in this file (or in FOOZOL_BACKUP_PASSPHRASE), not with FOOZOL_SECRET",
  ] as const
  const backup = service
    .command("backup")
    .description("write everything the service has stored into one encrypted file, while it runs")
    .option(
      "--to <file>",
      "where to; else among those that the service makes by itself (FOOZOL_STATE_BACKUP_DIRECTORY)",
    )
    .option(...passphrase)
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action(async ({ to: given, json, passphraseFile }: Given & { to?: string }) => {
      const { config, ...cloud } = serviceSettings()
      const to = given ?? (await amongScheduled(config.stateBackup?.directory))
      const keys = createKeys(config.secret, config.previousSecrets)
      const made = await withRedis(config.redisUrl, async redis => {
        await requireKnownSecret(redis, keys)
        await audited({ action: "service-backup", input: { to } }, async () => {})
        return backUp(to, archiveKey(config, passphraseFile), {
          ...{ redis, folders: dataFolders(config, cloud), now: Date.now },
          ...{ secret: keys.inUse, passphrase: fingerprintOf(cloud.passphrase) },
        })
      })
      tell(to, made, json)
    })

  backup
    .command("verify <file>")
    .description("read a backup to its end, and say what is in it")
    .option(...passphrase)
    .option("--json", "print JSON")
    .action(async (file: string, _: Given, command: Command) => {
      const { passphraseFile, json } = command.optsWithGlobals<Given>()
      tell(file, await verifyBackup(file, archiveKey(serviceSettings().config, passphraseFile)), json)
    })

  service
    .command("restore")
    .description("put a backup of what the service has stored back; none of its processes may run")
    .requiredOption("--from <file>", "the backup")
    .option(...passphrase)
    .option("--replace", "put it in the place of what is here; folders that were here are kept beside")
    .option("--without-tokens", "leave tokens for scripts out: revoked ones would be good again")
    .option("--dry-run", "change nothing, and say whether it can be done")
    .option("--json", "print JSON")
    .action(async ({ from, passphraseFile, json, ...wish }: RestoreGiven) => {
      const { config, ...cloud } = serviceSettings()
      const { fingerprints } = createKeys(config.secret, config.previousSecrets)
      const target = {
        ...{ folders: dataFolders(config, cloud), secrets: fingerprints, passphrase: fingerprintOf(cloud.passphrase) },
        now: Date.now,
      }
      const done = await withRedis(config.redisUrl, redis =>
        restoreBackup(from, archiveKey(config, passphraseFile), { ...target, redis }, wish),
      )
      // Of one that was refused there is nothing to tell, and its line would lie where the log is to be put back.
      if (!wish.dryRun) await audited({ action: "service-restore", input: { from, ...wish } }, async () => {})
      tell(from, done, json)
      if (json) return
      for (const folder of done.keptAside) console.log(`What was there before lies in ${folder}.`)
      console.log(
        wish.dryRun
          ? "It can be restored; nothing was changed."
          : "Restored. Start the service: its first sweep compares every workspace with the provider. People sign in again.",
      )
    })
}

const HELP = `
In it are Redis (without logins), the usage ledger, and the engine's state where FOOZOL_BACKEND_URL is a folder. Not in it,
and needed for a restore: FOOZOL_SECRET and FOOZOL_STATE_PASSPHRASE.

Examples:
  foozol-cloud service backup --to /backups/foozol-$(date +%F)
  foozol-cloud service backup verify /backups/foozol-2026-11-21
  foozol-cloud service restore --from /backups/foozol-2026-11-21 --dry-run`

function archiveKey(config: { secret: string; previousSecrets: string[] }, file: string | undefined): ArchiveKey {
  const given = file === undefined ? process.env.FOOZOL_BACKUP_PASSPHRASE : readPassphrase(file)
  if (!given) return { secrets: [config.secret, ...config.previousSecrets] }
  if (given.length >= 16) return { passphrase: given }
  throw new InfraError("weak-passphrase", "fail", "The passphrase of a backup must have at least 16 characters.")
}

function readPassphrase(file: string): string {
  try {
    return readFileSync(file, "utf8").trim()
  } catch {
    throw new InfraError("no-passphrase", "fail", `There is no passphrase file "${file}" that could be read.`)
  }
}

function tell(file: string, { manifest, counts }: { manifest: Manifest; counts: Counts }, json?: boolean): void {
  if (json) {
    console.log(JSON.stringify({ file, ...manifest, ...counts }, null, 2))
    return
  }
  console.log(
    `${file}: of ${new Date(manifest.made).toISOString()}, whole; ${counts.workspaces} workspaces, ${counts.keys} keys, ${counts.files} files (${Math.ceil(counts.bytes / 1024)} kB)`,
  )
}
