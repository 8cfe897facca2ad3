import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { processTree } from "../../bench/process-tree.ts"
import { freePort } from "../../cli/redis-process.ts"
import { attempt, engineKind, engineProcesses } from "../support/engine-processes.ts"
import { OPERATORS } from "../support/scenarios.ts"
import { startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"

/** What a round of a campaign can hit. */
export const VICTIMS = ["web", "worker", "engine child", "pulumi", "plugin", "everything"] as const
export type Victim = (typeof VICTIMS)[number]

/** A world with the service in processes of their own, as a team runs it: one answers, others work. All are kept running. */
export interface Fleet {
  world: TestWorld
  /** Sends the signal to a kind of process; what a supervisor would start again is started. @returns false: there was none */
  hit(victim: Victim, signal: "SIGKILL" | "SIGTERM"): Promise<boolean>
  /**
   * Stops a worker that is at work where it stands, as a host does that is suspended or swaps.
   * @param whole its engine runs too, otherwise the worker alone
   * @returns what lets it go on; null where none is at work
   */
  freeze(whole: boolean): (() => void) | null
  /**
   * A host on which somebody is at work ends as in a power cut, and another one takes its place.
   * @param returns the other one has its name: it is the same one, started again
   * @returns false: nobody is at work
   */
  loseHost(returns: boolean): Promise<boolean>
  /** Other settings, with services that know of them. */
  set(settings: Record<string, string>): Promise<void>
  /** Another golden image, with services that know of it. */
  newImage(): Promise<void>
  /** Processes of the service that are never killed, by their role. */
  steady(): { role: string; pid: number }[]
  /** Processes of this world that belong to no living service: nobody will ever end them. */
  leftProcesses(): number[]
  /** What the services have complained of something; the last of it. */
  complaints(about: string): string
  /** The end of what the services have written. */
  output(): string
  close(): Promise<void>
}

export interface FleetOptions {
  /** Processes that work; one, unless told otherwise. */
  workers?: number
  /** Settings of the service. */
  settings?: Record<string, string>
  /** Milliseconds between reports of a pretended machine that is ready. */
  heartbeatMs?: number
  /** Each worker has a host of its own; needs root. */
  hosts?: boolean
  /** The one that answers and the first that works are not killed, so that what they keep can be seen to grow. */
  steady?: boolean
  /** The engine's state lies on a disk of its own, of so many bytes; needs root. */
  stateDisk?: number
}

interface Member {
  role: "web" | "worker"
  /** Its host's name, where it is another than this machine's. */
  host: string | undefined
  start(): Promise<ServiceProcess>
  process: ServiceProcess
}

export async function startFleet({
  workers = 1,
  settings = {},
  heartbeatMs,
  hosts = false,
  steady = false,
  stateDisk,
}: FleetOptions = {}): Promise<Fleet> {
  const world = await startTestWorld(
    {
      ...{ FOOZOL_READY_SECONDS: "60", FOOZOL_FINAL_SNAPSHOT_DAYS: "30", FOOZOL_OPERATIONS_PER_PROVIDER: "10" },
      // As the service has it by itself: a computer that is busy with other worlds too may be slow to answer.
      ...{ FOOZOL_OPERATORS: OPERATORS, FOOZOL_PROVIDER_PATIENCE_SECONDS: "900" },
      ...settings,
    },
    heartbeatMs === undefined ? {} : { heartbeatMs },
  )
  let named = 0
  const state = join(world.directory, "state")
  if (stateDisk) {
    mkdirSync(state, { mode: 0o700 })
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${stateDisk},mode=700`, "tmpfs", state])
  }
  async function member(role: Member["role"]): Promise<Member> {
    const metrics = `127.0.0.1:${await freePort(0)}`
    const [url, own] = role === "web" ? [world.url, {}] : [`http://${metrics}`, { FOOZOL_METRICS_LISTEN: metrics }]
    const one = {
      role,
      host: hosts && role === "worker" ? `host-${++named}` : undefined,
      start: () => startServiceProcess(url, { ...world.env, ...own, FOOZOL_ROLES: role }, one.host),
    }
    return Object.assign(one, { process: await one.start() })
  }
  const roles: Member["role"][] = ["web", ...Array.from({ length: workers }, () => "worker" as const)]
  const members = await Promise.all(roles.map(member))
  const working = members.filter(({ role }) => role === "worker")
  const unsteady = members.filter(one => !steady || (one.role === "worker" && one !== working[0]))
  const below = (one: Member) => processTree(one.process.pid).slice(1)

  const isBusy = (one: Member) => below(one).some(pid => engineKind(pid) === "pulumi")

  async function hitMembers(those: Member[], signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await Promise.all(
      those.map(async one => {
        await (signal === "SIGKILL" ? one.process.kill() : one.process.stop())
        one.process = await one.start()
      }),
    )
  }

  async function set(changed: Record<string, string>): Promise<void> {
    Object.assign(world.env, changed)
    await hitMembers(members, "SIGTERM")
  }

  return {
    world,
    set,
    async hit(victim, signal) {
      if (victim === "web" || victim === "worker") {
        const those = unsteady.filter(({ role }) => role === victim)
        await hitMembers(those, signal)
        return those.length > 0
      }
      const all = working.flatMap(below)
      const pids = victim === "everything" ? all : all.filter(pid => engineKind(pid) === victim)
      for (const pid of pids) signalTo(pid, signal)
      if (victim === "everything") await hitMembers(unsteady, signal)
      return pids.length > 0
    },
    freeze(whole) {
      const busy = working.find(isBusy)
      if (!busy) return null
      const pids = whole ? [busy.process.pid, ...below(busy)] : [busy.process.pid]
      for (const pid of pids) signalTo(pid, "SIGSTOP")
      return () => {
        for (const pid of pids) signalTo(pid, "SIGCONT")
      }
    },
    async loseHost(returns) {
      const busy = working.find(isBusy)
      if (!busy) return false
      for (const pid of below(busy)) signalTo(pid, "SIGKILL")
      await busy.process.kill()
      if (!returns) busy.host = `host-${++named}`
      busy.process = await busy.start()
      return true
    },
    newImage: async () => set({ FOOZOL_IMAGE_BROWSER: String(await world.cloud.addImage()) }),
    steady: () =>
      members.filter(one => !unsteady.includes(one)).map(({ role, process }) => ({ role, pid: process.pid })),
    leftProcesses() {
      const kept = new Set(members.flatMap(one => processTree(one.process.pid)))
      return engineProcesses(world.directory).filter(pid => !kept.has(pid))
    },
    complaints: about =>
      members
        .flatMap(one => one.process.output().split("\n"))
        .filter(line => line.includes(about) && /"level":[45]0/.test(line))
        .slice(-6)
        .join("\n"),
    output: () => members.flatMap(one => one.process.output().split("\n").filter(isTelling).slice(-30)).join("\n"),
    async close() {
      await Promise.all(members.map(one => one.process.kill()))
      // An engine that is ending may still have a file there.
      if (stateDisk) execFileSync("umount", ["-l", state])
      await world.close()
    },
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  attempt(() => process.kill(pid, signal))
}

const isTelling = (line: string) => line !== "" && !line.includes('"msg":"request"')
