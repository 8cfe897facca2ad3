import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { basename } from "node:path"
import { processTree } from "../../bench/process-tree.ts"
import { freePort } from "../../cli/redis-process.ts"
import { startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"

/** What a round of a campaign can hit. */
export const VICTIMS = ["web", "worker", "engine child", "pulumi", "plugin", "everything"] as const
export type Victim = (typeof VICTIMS)[number]

/** A world with the service in two processes, as a team runs it: one answers, one works. Both are kept running. */
export interface Fleet {
  world: TestWorld
  /** Sends the signal to a kind of process; what a supervisor would start again is started. @returns false: there was none */
  hit(victim: Victim, signal: "SIGKILL" | "SIGTERM"): Promise<boolean>
  /** Another golden image, with services that know of it. */
  newImage(): Promise<void>
  /** Processes of this world that belong to no living service: nobody will ever end them. */
  leftProcesses(): number[]
  /** The end of what the services have written. */
  output(): string
  close(): Promise<void>
}

export async function startFleet(settings: Record<string, string> = {}): Promise<Fleet> {
  const world = await startTestWorld({
    ...{ FOOZOL_READY_SECONDS: "60", FOOZOL_FINAL_SNAPSHOT_DAYS: "30", FOOZOL_OPERATIONS_PER_PROVIDER: "10" },
    ...settings,
  })
  const workerAt = `127.0.0.1:${await freePort(0)}`
  const startWeb = () => startServiceProcess(world.url, { ...world.env, FOOZOL_ROLES: "web" })
  const startWorker = () =>
    startServiceProcess(`http://${workerAt}`, {
      ...world.env,
      ...{ FOOZOL_ROLES: "worker", FOOZOL_METRICS_LISTEN: workerAt },
    })
  let [web, worker] = await Promise.all([startWeb(), startWorker()])

  const end = (one: ServiceProcess, signal: "SIGKILL" | "SIGTERM") => (signal === "SIGKILL" ? one.kill() : one.stop())
  async function hitServices(roles: readonly Victim[], signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await Promise.all([
      roles.includes("web") && end(web, signal).then(async () => (web = await startWeb())),
      roles.includes("worker") && end(worker, signal).then(async () => (worker = await startWorker())),
    ])
  }

  function find(victim: Victim): number[] {
    if (victim === "web") return [web.pid]
    if (victim === "worker") return [worker.pid]
    const below = processTree(worker.pid).slice(1)
    return victim === "everything" ? [web.pid, worker.pid, ...below] : below.filter(pid => kindOf(pid) === victim)
  }

  return {
    world,
    async hit(victim, signal) {
      const pids = find(victim)
      if (pids.length === 0) return false
      if (victim === "web" || victim === "worker") await hitServices([victim], signal)
      else {
        for (const pid of pids) endProcess(pid, signal)
        if (victim === "everything") await hitServices(["web", "worker"], signal)
      }
      return true
    },
    async newImage() {
      world.env.FOOZOL_IMAGE_BROWSER = String(await world.cloud.addImage())
      await hitServices(["web", "worker"], "SIGTERM")
    },
    leftProcesses() {
      const kept = new Set([...processTree(web.pid), ...processTree(worker.pid)])
      return allProcesses().filter(pid => !kept.has(pid) && belongsTo(pid, String(world.env.FOOZOL_ENGINE_DIRECTORY)))
    },
    output: () => [web, worker].flatMap(one => one.output().split("\n").filter(isTelling).slice(-30)).join("\n"),
    async close() {
      await Promise.all([web.kill(), worker.kill()])
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
  const [folder, environment] = [`/proc/${pid}/cwd`, `/proc/${pid}/environ`]
  if (attempt(() => readlinkSync(folder))?.startsWith(directory)) return true
  return attempt(() => readFileSync(environment, "utf8"))?.includes(directory.replace(/\/engine$/, "")) ?? false
}

function endProcess(pid: number, signal: NodeJS.Signals): void {
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
