import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { get } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { type Asker, startAsker } from "./certificate/request.ts"
import type { Log } from "./log.ts"
import { rehearse } from "./rehearsal.ts"
import type { Run } from "./run.ts"

/** What the boot leaves on a machine that others will be copies of. */
const MARK = "/run/foozol/standby"
const ADDRESS = "http://169.254.169.254/foozol/v1/standby"
/** Read once, so that they lie in the memory that every copy begins with. */
const WARM =
  "cat /usr/sbin/nginx /usr/bin/openssl /usr/bin/perl /usr/bin/tmux /usr/lib/chromium/* /usr/lib/foozol/acme.cjs > /dev/null 2>&1; true"
const ANSWER_MS = 1_000
const ASKER = "/usr/lib/foozol/acme.cjs"
/** What asks for certificates has started by then. */
const ASKER_MS = 5_000

/** What the host says: wait and ask again, or who this machine is. */
type Answer = { againInMs: number } | { machine: string; now: number; seed: string }

/** @throws when the machine could not be made its own after all */
type OpenDoor = () => Promise<void>

/** What a machine has that stood by. */
export interface StoodBy {
  /** What asks for its certificate waits already. */
  asker: Asker
  /** Opens the machine's door; to be called as soon as this agent listens behind it. */
  openDoor: OpenDoor
}

export const isStandby = (): boolean => existsSync(MARK)

/**
 * On a machine that is nobody's: waits until its desktop stands and has come to rest, then asks the host until it is
 * somebody's, and has the machine made its own. In between the host has kept the machine's memory, and what goes on is a
 * copy of it. Nothing here may draw on randomness before the machine is its own.
 * @throws when that cannot be done: then this agent ends, and the next one tries again
 */
export async function standBy({ run, runLong, log }: { run: Run; runLong: Run; log: Log }): Promise<StoodBy> {
  await runLong("sh", ["-c", WARM])
  await rehearse(run)
  const asker = startAsker(ASKER)
  await sleep(ASKER_MS)
  log.info("stands by")
  for (;;) {
    // No answer: the question was under way when the memory was kept.
    const answer = await ask().catch(() => null)
    if (answer === null) continue
    if ("againInMs" in answer) await sleep(answer.againInMs)
    else return { asker, openDoor: await becomeOwn(answer) }
  }
}

function ask(): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(ADDRESS, { agent: false, timeout: ANSWER_MS }, response => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", part => (text += part))
      response.on("end", () => {
        try {
          resolve(JSON.parse(text))
        } catch (error) {
          reject(error)
        }
      })
    })
    request.on("timeout", () => request.destroy(new Error("no answer")))
    request.on("error", reject)
  })
}

/**
 * Has the machine made its own. Resolves when the agent may begin, with what opens the door once it listens.
 */
function becomeOwn({ machine, now, seed }: { machine: string; now: number; seed: string }): Promise<OpenDoor> {
  const args = [machine, String(Math.round(now / 1_000))]
  // This agent's own group is the one that may read secrets; what is made now is root's.
  const wake = spawn("/usr/lib/foozol/wake", args, { gid: 0, stdio: ["pipe", "pipe", "pipe"] })
  let said = ""
  const own = Promise.withResolvers<void>()
  const done = new Promise<void>((resolve, reject) => {
    const hear = (text: string) => {
      said += text
      if (/^own$/m.test(said)) own.resolve()
    }
    wake.stdout.setEncoding("utf8").on("data", hear)
    wake.stderr.setEncoding("utf8").on("data", hear)
    wake.once("error", reject)
    // Not `close`: what goes on behind it has these streams for a moment.
    wake.once("exit", code => {
      if (code === 0) resolve()
      else reject(new Error(`this machine could not be made its own: ${said.trim() || `it ended with ${code}`}`))
    })
  })
  done.catch(own.reject)
  // A program that has ended reads nothing; its end is what tells.
  wake.stdin.on("error", () => {})
  wake.stdin.write(`${seed}\n`)
  return own.promise.then(() => () => {
    wake.stdin.end("listens\n")
    return done
  })
}
