import { join } from "node:path"
import type { Command } from "commander"
import { InfraError } from "../../infra/errors.ts"
import { type PassphraseRotation, rotatePassphrase } from "../../infra/rotate-passphrase.ts"
import { openStateFiles } from "../../infra/state-files/open.ts"
import { environmentWithFile } from "../../service/config.ts"
import { createKeys } from "../../service/keys.ts"
import { passphrasesKnown } from "../../service/secrets/passphrases-known.ts"
import { type Rotation, rotateSecrets } from "../../service/secrets/rotate.ts"
import { audited } from "../audit-direct.ts"
import { serviceSettings, withRedis } from "../service-settings.ts"
import { cloudConfig } from "../settings.ts"
import { addUserSecrets } from "./user-secrets.ts"

/** `foozol-cloud secrets …`: those of a user for their machines, and for operators those of the service. */
export function addSecrets(program: Command): void {
  const secrets = program
    .command("secrets")
    .description("what your machines are given as environment: set, list, remove; for operators: the service's own")
  addUserSecrets(secrets)
  secrets
    .command("rotate")
    .description("for operators: go over to a new FOOZOL_SECRET while the service runs")
    .option("--dry-run", "change nothing, and say what would be")
    .option("--earlier-is-lost", "nobody has the secret in use any more: go on without what was sealed with it")
    .option("--json", "print JSON")
    .addHelpText("after", HELP)
    .action(async ({ json, ...options }: { json?: boolean; dryRun?: boolean; earlierIsLost?: boolean }) => {
      const { config } = serviceSettings()
      const keys = createKeys(config.secret, config.previousSecrets)
      const rotate = () => withRedis(config.redisUrl, redis => rotateSecrets({ redis, keys }, options))
      const rotation = await (options.dryRun
        ? rotate()
        : audited({ action: "secrets-rotate", input: { ...options } }, rotate))
      if (json) return console.log(JSON.stringify(rotation, null, 2))
      console.log(words(rotation, options.dryRun ?? false))
      if (rotation.unreadable > 0 && !options.earlierIsLost) process.exitCode = 1
    })
  addRotateState(secrets)
}

function addRotateState(secrets: Command): void {
  secrets
    .command("rotate-state")
    .description(
      "for operators: encrypt the state of all stacks with a new FOOZOL_STATE_PASSPHRASE while the service runs",
    )
    .option("--dry-run", "change nothing, and say what would be")
    .option("--without-service", "no service works on these stacks: ask none whether it knows the new passphrase")
    .option("--json", "print JSON")
    .addHelpText("after", STATE_HELP)
    .action(async ({ json, dryRun = false, withoutService }: StateOptions) => {
      const { backendUrl, backendEnv, passphrase, previousPassphrase } = cloudConfig(
        environmentWithFile(process.env, join(process.cwd(), ".env")),
      )
      if (!previousPassphrase)
        throw new InfraError(
          "no-previous",
          "fail",
          "Set FOOZOL_STATE_PASSPHRASE to the new passphrase, and FOOZOL_STATE_PASSPHRASE_PREVIOUS to the one until now.",
        )
      const files = openStateFiles(backendUrl, backendEnv)
      if (!files)
        throw new InfraError(
          "backend-closed",
          "fail",
          "Only the engine can read this backend: run `pulumi stack change-secrets-provider passphrase` for each stack while no service runs.",
        )
      if (!withoutService)
        await withRedis(serviceSettings().config.redisUrl, redis =>
          passphrasesKnown(redis, [passphrase, previousPassphrase]),
        )
      const rotate = () => rotatePassphrase(files, { from: [previousPassphrase], to: passphrase }, { dryRun })
      const done = await (dryRun ? rotate() : audited({ action: "secrets-rotate-state" }, rotate))
      if (done.held.length > 0 || done.unreadable.length > 0) process.exitCode = 1
      console.log(json ? JSON.stringify(done, null, 2) : stateWords(done, dryRun))
    })
}

interface StateOptions {
  json?: boolean
  dryRun?: boolean
  withoutService?: boolean
}

const STATE_HELP = `
1. Give every process a new FOOZOL_STATE_PASSPHRASE, and the one until now as FOOZOL_STATE_PASSPHRASE_PREVIOUS; start
   them again, one by one. They work on stacks of either.
2. Run this with the same two; again, until it says that all stacks are of the new one.
3. Take FOOZOL_STATE_PASSPHRASE_PREVIOUS away. Backups of the service from before need the earlier passphrase: keep it
   for as long as you keep those.`

function stateWords({ rotated, fine, held, unreadable }: PassphraseRotation, dryRun: boolean): string {
  const lines = [
    `${count(rotated.length, "stack", "stacks")} ${dryRun ? "to be encrypted anew" : "encrypted anew"}; of the new passphrase already: ${fine}.`,
  ]
  if (held.length > 0) lines.push(`Held by a run for too long, so run this again: ${held.join(", ")}.`)
  if (unreadable.length > 0)
    lines.push(`Of neither passphrase, or not readable, and left as they are: ${unreadable.join(", ")}.`)
  if (held.length + unreadable.length === 0 && !dryRun)
    lines.push("FOOZOL_STATE_PASSPHRASE_PREVIOUS can be taken away.")
  return lines.join("\n")
}

const HELP = `
1. Give every process a new FOOZOL_SECRET, and the one until now as FOOZOL_SECRET_PREVIOUS; start them again, one by one.
2. Run this with the same two.
3. Take FOOZOL_SECRET_PREVIOUS away, an hour later: forms that are open and trials of backups that go on are of the
   earlier one until then.`

function words({ processes, resealed, unreadable, noted, machines }: Rotation, dryRun: boolean): string {
  const lines = [
    `${count(processes, "process", "processes")} of the service; ${dryRun ? "to be sealed anew" : "sealed anew"}: ${resealed}; ${dryRun ? "keys of machines to be noted" : "keys of machines noted"}: ${noted}.`,
  ]
  if (unreadable > 0) {
    lines.push(
      `${count(unreadable, "secret", "secrets")} cannot be opened with any of these: their owners have to set them again.`,
    )
  } else if (!dryRun) lines.push("The earlier secret can be removed from FOOZOL_SECRET_PREVIOUS in an hour.")
  if (machines > 0) {
    lines.push(
      `${count(machines, "machine has", "machines have")} a key of an earlier secret, and go on by a note in Redis. Where that secret became known to others, hibernate and wake them: a new machine has a new key.`,
    )
  }
  return lines.join("\n")
}

const count = (number: number, one: string, several: string) => `${number} ${number === 1 ? one : several}`
