import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { basename } from "node:path"
import { processTree } from "../../bench/process-tree.ts"
import { freePort } from "../../cli/redis-process.ts"
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
  /** Another golden image, with services that know of it. */
  newImage(): Promise<void>
  /** Processes of this world that belong to no living service: nobody will ever end them. */
  leftProcesses(): number[]
  /** The end of what the services have written. */
  output(): string
  close(): Promise<void>
}

export interface FleetOptions {
  /** Processes that work; one, unless told otherwise. */
  workers?: number
  /** Settings of the service. */
  settings?: Record<string, string>
}

interface Member {
  role: "web" | "worker"
  start(): Promise<ServiceProcess>
  process: ServiceProcess
}

export async function startFleet({ workers = 1, settings = {} }: FleetOptions = {}): Promise<Fleet> {
  const world = await startTestWorld({
    ...{ FOOZOL_READY_SECONDS: "60", FOOZOL_FINAL_SNAPSHOT_DAYS: "30", FOOZOL_OPERATIONS_PER_PROVIDER: "10" },
    ...settings,
  })
  async function member(role: Member["role"]): Promise<Member> {
    const metrics = `127.0.0.1:${await freePort(0)}`
    const own = role === "web" ? {} : { FOOZOL_METRICS_LISTEN: metrics }
    const start = () =>
      startServiceProcess(role === "web" ? world.url : `http://${metrics}`, {
        ...{ ...world.env, ...own },
        FOOZOL_ROLES: role,
      })
    return { role, start, process: await start() }
  }
  const roles: Member["role"][] = ["web", ...Array.from({ length: workers }, () => "worker" as const)]
  const members = await Promise.all(roles.map(member))
  const working = members.filter(({ role }) => role === "worker")
  const below = (one: Member) => processTree(one.process.pid).slice(1)

  async function hitMembers(those: Member[], signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await Promise.all(
      those.map(async one => {
        await (signal === "SIGKILL" ? one.process.kill() : one.process.stop())
        one.process = await one.start()
      }),
    )
  }

  return {
    world,
    async hit(victim, signal) {
      if (victim === "web" || victim === "worker") {
        await hitMembers(
          members.filter(({ role }) => role === victim),
          signal,
        )
        return true
      }
      const all = working.flatMap(below)
      const pids = victim === "everything" ? all : all.filter(pid => kindOf(pid) === victim)
      for (const pid of pids) signalTo(pid, signal)
      if (victim === "everything") await hitMembers(members, signal)
      return pids.length > 0
    },
    freeze(whole) {
      const busy = working.find(one => below(one).some(pid => kindOf(pid) === "pulumi"))
      if (!busy) return null
      const pids = whole ? [busy.process.pid, ...below(busy)] : [busy.process.pid]
      for (const pid of pids) signalTo(pid, "SIGSTOP")
      return () => {
        for (const pid of pids) signalTo(pid, "SIGCONT")
      }
    },
    async newImage() {
      world.env.FOOZOL_IMAGE_BROWSER = String(await world.cloud.addImage())
      await hitMembers(members, "SIGTERM")
    },
    leftProcesses() {
      const kept = new Set(members.flatMap(one => processTree(one.process.pid)))
      return allProcesses().filter(pid => !kept.has(pid) && belongsTo(pid, world.directory))
    },
    output: () => members.flatMap(one => one.process.output().split("\n").filter(isTelling).slice(-30)).join("\n"),
    async close() {
      await Promise.all(members.map(one => one.process.kill()))
      await world.close()
    },
  }
}

function kindOf(pid: number): Victim | null {
  const program = attempt(() => readlinkSync(`/proc/${pid}/exe`)) ?? ""
  if (basename(program) === "pulumi") return "pulumi"
  if (program.includes("/plugins/resource-")) return "plugin"
  const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? ""
  return words.includes("engine-run") ? "engine child" : null
}

/** Engines and their plugins are started in the world's folder, which is theirs alone. */
function belongsTo(pid: number, directory: string): boolean {
  if (kindOf(pid) === null) return false
  if (attempt(() => readlinkSync(`/proc/${pid}/cwd`))?.startsWith(directory)) return true
  return attempt(() => readFileSync(`/proc/${pid}/environ`, "utf8"))?.includes(directory) ?? false
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  attempt(() => process.kill(pid, signal))
}

const allProcesses = () =>
  readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .map(Number)

const isTelling = (line: string) => line !== "" && !line.includes('"msg":"request"')

/** What is looked at may end at any moment. */
function attempt<T>(look: () => T): T | null {
  try {
    return look()
  } catch {
    return null
  }
}
