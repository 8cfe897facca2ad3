import { setTimeout as sleep } from "node:timers/promises"
import { ServiceError } from "../errors.ts"
import type { OperationRun } from "../operations/operation-run.ts"
import { isSpare } from "../warm/words.ts"
import type { HomeBackups } from "./home-backups.ts"
import { takesHomeBackups } from "./rounds.ts"

/** A machine says at once that it has begun, and every few seconds that it goes on. */
const SILENT_MS = 20_000

/**
 * Has the home of a machine that is about to stop backed up. Nothing keeps it from stopping: what has not come to an end
 * in time goes on when it starts.
 */
export async function backUpHomeBeforeStop(run: OperationRun): Promise<void> {
  const { means, workspace, signal } = run
  const { homeBackups: homes, reports, config, now } = means
  const most = isSpare(workspace) ? 0 : (config.homeBackups?.stopMs ?? 0)
  if (most === 0 || !takesHomeBackups(await reports.last(workspace.id), now(), config.idle.silentMs)) return
  try {
    run.say("Backing the home up first.")
    const word = await backedUp(run, homes, most)
    if (word !== "done") run.say(WORDS[word])
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ServiceError) run.say(`The home is not backed up now. ${error.message}`)
    else run.log.warn({ err: error }, "the home was not backed up before the stop")
  }
}

type Word = "done" | "failed" | "late" | "silent"
const WORDS: Record<Exclude<Word, "done">, string> = {
  failed: "The home could not be backed up: its page says why. The backup before stays as it is.",
  late: "Backing the home up takes too long: the machine stops now, and it goes on at the next start.",
  silent: "The machine does not say whether it backs the home up: it stops now.",
}

async function backedUp({ means, workspace, signal }: OperationRun, homes: HomeBackups, most: number): Promise<Word> {
  const over = new AbortController()
  const heard = new Map<string, string>()
  let news = Promise.withResolvers<void>()
  const forget = await means.channel.waitFor(workspace.id, text => {
    if (!text.startsWith("home ")) return
    const { id, state } = JSON.parse(text.slice(5)) as { id: string; state: string }
    heard.set(id, state)
    news.resolve()
  })
  try {
    const going = (await homes.of(workspace))?.run
    if (going?.do === "restore") return "late"
    const { id } = going ?? (await homes.backUp(workspace, { prove: false, keepDays: null }))
    const end = performance.now() + most
    for (;;) {
      const state = heard.get(id)
      if (state === "done" || state === "failed") return state
      const left = end - performance.now()
      if (left <= 0) return "late"
      news = Promise.withResolvers()
      const patience = sleep(Math.min(left, SILENT_MS), "silent" as const, {
        signal: AbortSignal.any([signal, over.signal]),
      })
      const came = await Promise.race([news.promise, patience])
      if (came === "silent" && left > SILENT_MS) return "silent"
    }
  } finally {
    over.abort()
    forget()
  }
}
