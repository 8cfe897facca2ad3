import { setTimeout as sleep } from "node:timers/promises"
import { type Log, reasonOf } from "../log.ts"
import type { Feed, Run } from "../run.ts"
import type { ServiceClient } from "../service/client.ts"
import type { Woken } from "./host.ts"
import type { MemoryKeeper } from "./keeper.ts"
import type { Rest } from "./rest.ts"

/** What the user wants done before a stop may take 30 s by itself. */
const BEFORE = ["start", "foozol-before-sleep.service", "foozol-tmux-save.service"]
const BEFORE_MS = 45_000
const SYNC_MS = 30_000

/** Puts the machine to sleep with its memory, and makes it right when it goes on. */
export interface Sleeper {
  /** Follows the order of that id. Goes on beside everything else. */
  begin(id: string): Promise<void>
}

export function createSleeper(options: {
  keeper: MemoryKeeper
  rest: Rest
  client: Pick<ServiceClient, "hangUp" | "awake">
  run: Run
  feed: Feed
  log: Log
  /** So long after waking what nobody waits for is done, milliseconds. */
  laterMs: number
  /** The machine is on, its clock is right; `hasSlept`: it was not, until now. */
  awake(hasSlept: boolean): void
  /** It has slept, and all that follows on that is done: it can be looked at. */
  settled(): void
  /** It is told something else about itself than before: this agent is to begin anew. */
  restart(): void
}): Sleeper {
  const { keeper, rest, client, run, feed, log } = options
  let isBusy = false
  let settled = Promise.resolve()

  const answer = (id: string) => client.awake({ id }).catch(() => {})

  /** Nothing but the clock has to be right before it is seen: who comes back waits for the picture, so the rest is later. */
  async function settle({ machine, seed }: Woken): Promise<void> {
    await sleep(options.laterMs)
    const made = await feed("/usr/lib/foozol/awake", [machine], `${seed}\n`)
    if (made.code !== 0) log.warn(`what this machine is told could not be read again: ${made.stderr.trim()}`)
    if (made.code !== 0 || /^changed$/m.test(made.stdout)) return options.restart()
    options.settled()
  }

  async function fallAsleep(): Promise<Woken | null> {
    // Should its memory be lost it boots, as after a power cut: so what can be kept otherwise is.
    await run("systemctl", BEFORE, BEFORE_MS)
    rest.begin()
    client.hangUp()
    await run("sync", [], SYNC_MS)
    log.info("falls asleep")
    const woken = await keeper.sleep()
    if (woken === null) {
      log.warn("this machine's memory cannot be kept at the moment")
      return null
    }
    const { code, stderr } = await run("date", ["-u", "-s", `@${woken.now / 1_000}`])
    if (code !== 0) log.warn(`the clock could not be set: ${stderr.trim()}`)
    log.info("is awake")
    return woken
  }

  return {
    async begin(id) {
      // Said again by an operation that goes on after a fault: the first word holds.
      if (isBusy) return
      isBusy = true
      // It may have woken a moment ago.
      await settled
      if (!(await keeper.can())) {
        isBusy = false
        return void (await answer(id))
      }
      const woken = await fallAsleep().catch(error => {
        log.warn(`this machine could not fall asleep: ${reasonOf(error)}`)
        return null
      })
      rest.end()
      options.awake(woken !== null)
      // Whoever waits for its sleep hears that it is on.
      await answer(id)
      isBusy = false
      if (woken === null) return
      settled = settle(woken)
      await settled
    },
  }
}
