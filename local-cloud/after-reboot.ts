/** Reboots of the host: machines that ran are started again, those that were off stay off. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Context } from "./context.ts"
import type { ServerRecord } from "./state/records.ts"
import type { Store } from "./state/store.ts"

/** The note of the store that says in which boot of the host the records were last worked with. */
const NOTE = "host_boot"
const LOOK_MS = 250

/** Work that leaves a machine off which the reboot has turned off; it goes on first, and the start comes after it. */
const LEAVES_OFF = ["createImage", "reset", "removeImages"]

/**
 * Notes which servers have to be started again because the host was booted anew, before anything learns that they are
 * off. It stands in their records, so that a local cloud that ends in the middle of it goes on with the rest.
 * A folder of an earlier version knows no boot: nothing is concluded then.
 * @param boot the name of the host's present boot
 * @returns how many
 */
export function noteReboot(store: Store, boot: string): number {
  const before = store.note(NOTE)
  if (before === boot) return 0
  return store.transaction(() => {
    const ran = before === null ? [] : store.all("server").filter(server => wasOn(store, server))
    for (const server of ran) store.put("server", { ...server, startAgain: true })
    store.setNote(NOTE, boot)
    return ran.length
  })
}

function wasOn(store: Store, server: ServerRecord): boolean {
  if (server.status !== "running" || server.askedOff) return false
  if (!server.locked) return true
  // What goes on with the machine is gone on with by the next local cloud, and most of it says how the machine ends.
  const [under] = store.all("action").filter(({ status, work }) => status === "running" && work?.server === server.id)
  return under?.work != null && LEAVES_OFF.includes(under.work.run)
}

/** Begins to start those of the servers that are to be started again and that nothing else works on. */
export function startAgain({ store, actions, log }: Context, servers: (ServerRecord | undefined)[]): void {
  const waiting = servers.filter(server => server !== undefined).filter(server => server.startAgain)
  if (waiting.length === 0) return
  store.transaction(() => {
    for (const { startAgain: _, ...server } of waiting) {
      if (server.locked) continue
      if (server.status === "running") {
        store.put("server", server)
        continue
      }
      store.put("server", { ...server, status: "starting", locked: true })
      actions.begin({
        project: server.project,
        command: "start_server",
        resources: [{ id: server.id, type: "server" }],
        work: { run: "startAgain", server: server.id, args: {} },
      })
      log.info({ server: server.id }, "it ran when the host went down; it is started again")
    }
  })
  void actions.kick()
}

/** Lets a few starts happen at once, each followed by a pause: machines that boot want the whole host for a while. */
export interface Places {
  take<T>(task: () => Promise<T>): Promise<T>
  /** Makes no pauses any more: the process ends. */
  hurry(): void
}

/**
 * @param atOnce how many tasks run at the same time
 * @param pauseMs how long a task's place stays taken after it
 */
export function createPlaces({ atOnce, pauseMs }: { atOnce: number; pauseMs: number }): Places {
  let free = atOnce
  const waiting: (() => void)[] = []
  const hurry = new AbortController()
  const leave = async () => {
    await sleep(pauseMs, undefined, { signal: hurry.signal, ref: false }).catch(() => {})
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  return {
    async take(task) {
      if (free > 0) free--
      else await new Promise<void>(resolve => waiting.push(resolve))
      try {
        return await task()
      } finally {
        void leave()
      }
    },
    hurry: () => hurry.abort(),
  }
}

/**
 * Has all machines shut down because the host does, and waits for them. Their records say that they run, so that the
 * next start of the local cloud, in the host's next boot, starts them again.
 * @param limitMs what is on after that is left to the host
 * @returns how many are still on
 */
export async function shutDownForHost(context: Context, limitMs: number): Promise<number> {
  const { store, machines } = context
  context.hostStops = true
  const on = store.all("server").filter(server => server.status === "running")
  await Promise.all(on.map(({ id }) => machines.pressPowerButton(id).catch(() => {})))
  let left = on.map(({ id }) => id)
  for (const deadline = Date.now() + limitMs; ; await sleep(LOOK_MS)) {
    const running = await Promise.all(left.map(id => machines.isRunning(id)))
    left = left.filter((_, at) => running[at])
    if (left.length === 0 || Date.now() > deadline) return left.length
  }
}
