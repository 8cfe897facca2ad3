import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { type Asker, startAsker } from "./certificate/request.ts"
import type { Log } from "./log.ts"
import { rehearse } from "./rehearsal.ts"
import type { Run } from "./run.ts"
import { askHost, type Woken } from "./sleep/host.ts"

/** What the boot leaves on a machine that others will be copies of. */
const MARK = "/run/foozol/standby"
/** Read once, so that they lie in the memory that every copy begins with. */
const WARM =
  "cat /usr/sbin/nginx /usr/bin/openssl /usr/bin/perl /usr/bin/tmux /usr/lib/chromium/* /usr/lib/foozol/acme.cjs > /dev/null 2>&1; true"
const ASKER = "/usr/lib/foozol/acme.cjs"
/** What asks for certificates has started by then. */
const ASKER_MS = 5_000

/** What the host says: wait and ask again, or who this machine is. */
type Answer = { againInMs: number; practise?: Origin } | Woken
/** What makes a copy unlike every other one. */
type Origin = Omit<Woken, "machine">

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
    const answer = (await askHost("standby").catch(() => null))?.said as Answer | null | undefined
    if (!answer) continue
    if ("againInMs" in answer) {
      if (answer.practise) await practise(answer.practise, { run, runLong, log })
      await sleep(answer.againInMs)
    } else return { asker, openDoor: await becomeOwn(answer) }
  }
}

/**
 * On a copy that is made before anybody wants it: makes it unlike all others, then does once what will be done when it
 * becomes somebody's. An emulator keeps what it has translated of a program, so the second time takes half as long. A
 * practice that fails is no harm: the machine is slower then.
 */
async function practise({ now, seed }: Origin, { run, runLong, log }: { run: Run; runLong: Run; log: Log }) {
  await unlikeOthers(now, seed)
  const { code, stderr } = await runLong("/usr/lib/foozol/practise", [])
  if (code !== 0) log.warn(`it could not practise: ${stderr.trim() || `code ${code}`}`)
  await rehearse(run, true).catch(error => log.warn(`it could not practise: ${error}`))
}

/** @throws when it stays like others, which it must not */
async function unlikeOthers(now: number, seed: string): Promise<void> {
  const child = spawn("/usr/lib/foozol/unlike-others", [seconds(now)], { gid: 0, stdio: ["pipe", "ignore", "inherit"] })
  child.stdin.on("error", () => {})
  child.stdin.end(`${seed}\n`)
  const [code] = await once(child, "exit")
  if (code !== 0) throw new Error(`this copy could not be made unlike others: it ended with ${code}`)
}

const seconds = (now: number) => String(Math.round(now / 1_000))

/**
 * Has the machine made its own. Resolves when the agent may begin, with what opens the door once it listens.
 */
function becomeOwn({ machine, now, seed }: Woken): Promise<OpenDoor> {
  // This agent's own group is the one that may read secrets; what is made now is root's.
  const wake = spawn("/usr/lib/foozol/wake", [machine, seconds(now)], { gid: 0, stdio: ["pipe", "pipe", "pipe"] })
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
