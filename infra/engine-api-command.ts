import { rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { SemVer } from "semver"
import type { RunOptions } from "./engine.ts"
import { type CommandOutput, runCommand } from "./engine-command.ts"
import type { EngineConfig } from "./engine-config.ts"
import { engineError } from "./engine-errors.ts"
import { InfraError } from "./errors.ts"
import { endOrphanPlugins, keepEndingOrphanPlugins } from "./plugin-orphans.ts"
import type { StateBackend } from "./state-backend.ts"
import { opens } from "./state-secrets.ts"

/** How long a lock of another run is waited for; one that is cut off ends at its next resource. */
const LOCK_PATIENCE_MS = 120_000
const LOCK_LOOK_MS = 500
/** How often a run changes to the other passphrase while stacks are encrypted anew. */
const OTHER_PASSPHRASES = 2

/** Of one run's calls. */
interface CallOptions {
  extraArgs?: string[] | undefined
  /** Exports hold secrets in clear text. */
  showsSecrets?: boolean
}

/**
 * The CLI as the Automation API calls it, through the API's own seam for it: without the calls that tell nothing new,
 * and with patience for a stack that an earlier run still holds.
 * @param env what the engine runs with, secrets included
 * @param backend null where only the engine can read it
 */
export function apiCommand(
  config: EngineConfig,
  env: Record<string, string>,
  backend: StateBackend | null,
  options: RunOptions,
  { extraArgs = [], showsSecrets = false }: CallOptions = {},
) {
  const earlier = config.previousPassphrase?.reveal()
  let isEarlier = false

  /**
   * Is a stack not encrypted anew yet? Of a backend that only the engine can read a run finds out; but one whose stack
   * holds no secret so far notices at the first one, when it has made something already.
   */
  async function isOfEarlier(stack: string): Promise<boolean> {
    if (earlier === undefined || !backend) return false
    const salt = await backend.salt(stack)
    return salt !== null && opens(earlier, salt)
  }

  async function runOnce(args: string[], cwd: string, apiEnv: Record<string, string>, listen: Listeners) {
    const passphrase = isEarlier && earlier ? { PULUMI_CONFIG_PASSPHRASE: earlier } : {}
    const done = await runCommand(config.pulumi, [...args, ...extraArgs, "--non-interactive", "--color", "never"], {
      cwd,
      env: { ...apiEnv, ...env, ...passphrase, PULUMI_AUTOMATION_API: "true" },
      signal: options.signal,
      onProcess: pgid => options.onEvent?.({ type: "process", pgid }),
      ...listen,
    })
    if (done.killed) {
      await backend?.removeLockOf(done.pid)
      await endOrphanPlugins(config.home)
    }
    return done
  }

  keepEndingOrphanPlugins(config.home)
  return {
    command: config.pulumi,
    version: new SemVer(config.pulumiVersion),
    async run(
      args: string[],
      cwd: string,
      apiEnv: Record<string, string>,
      onOutput?: (text: string) => void,
      onError?: (text: string) => void,
    ) {
      // After an `up` the API asks for outputs and history in three more processes. The program's own closure holds
      // the outputs and the event stream the summary, so these get an empty answer.
      if (args[0] === "stack" && args[1] === "output") return { stdout: "{}", stderr: "", code: 0 }
      if (args[0] === "stack" && args[1] === "history") return { stdout: "[]", stderr: "", code: 0 }
      // Selecting writes a note of the current stack for people at a shell; every call of ours names its stack.
      if (args[0] === "stack" && args[1] === "select") return { stdout: "", stderr: "", code: 0 }
      // An export is for looking at and for keeping; hardly anybody needs the secrets in it in clear text.
      const wanted = showsSecrets ? args : args.filter(arg => arg !== "--show-secrets")
      const stack = args[args.indexOf("--stack") + 1] ?? ""
      // The engine leaves settings beside a stack that it has made itself: a salt that may be another than the state's by now.
      await rm(join(cwd, `Pulumi.${stack}.yaml`), { force: true })
      isEarlier = await isOfEarlier(stack)
      let others = earlier ? OTHER_PASSPHRASES : 0
      for (const patience = performance.now() + LOCK_PATIENCE_MS; ; ) {
        const done = await runOnce(wanted, cwd, apiEnv, { onOutput, onError })
        if (done.code === 0) return done
        if (options.signal?.aborted)
          throw new InfraError("cancelled", "retry", "The run was cancelled; what it had done is recorded.")
        const error = done.killed ? ENGINE_DIED() : engineError(saidBy(done, wanted))
        // Nothing was touched then. A stack may be encrypted anew between two looks.
        if (error.id === "wrong-passphrase" && others-- > 0) {
          isEarlier = backend ? await isOfEarlier(stack) : !isEarlier
          continue
        }
        if (error.id !== "stack-locked" || performance.now() > patience) throw error
        // Whoever runs this holds the workspace's lease: the lock is that of a run which was cut off and may still be
        // putting its state in order, or is dead.
        if (await backend?.removeDeadLocks(stack)) await endOrphanPlugins(config.home)
        else await sleep(LOCK_LOOK_MS)
      }
    },
  }
}

/** What a run has printed that failed; of one that printed nothing, which it was. */
const saidBy = ({ stderr, stdout, code }: CommandOutput, [first, second]: string[]) =>
  `${stderr}\n${stdout}`.trim() || `\`pulumi ${first} ${second?.replace(/^-.*/, "") ?? ""}\` ended with ${code}`

const ENGINE_DIED = () =>
  new InfraError(
    "engine-died",
    "retry",
    "The engine was ended in the middle of a run; what it had done is recorded, run it again.",
  )

interface Listeners {
  onOutput: ((text: string) => void) | undefined
  onError: ((text: string) => void) | undefined
}
