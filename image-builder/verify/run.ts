import { userData } from "../../infra/user-data.ts"
import { WorkspaceSpec } from "../../infra/workspace-spec.ts"
import type { ProfileName } from "../definition.ts"
import { type Inside, startInside } from "./around/inside.ts"
import { type CheckProxy, startProxy } from "./around/proxy.ts"
import { type CheckService, startService } from "./around/service.ts"
import { type Site, startSite } from "./around/site.ts"
import { type Answer, ask, type Door } from "./door.ts"
import type { Viewer } from "./rfb/viewer.ts"
import { until } from "./until.ts"
import type { TestMachine, World } from "./world.ts"

/** Ports that the world lets through: the one that must answer, and those that must not although they could. */
export const PORTS = { open: [443], closed: [22, 80, 3128, 5900, 6080] } as const

/** A machine under check, with everything around it that a workspace has: a service, a user, a site, a proxy. */
export interface Run {
  profile: ProfileName
  /** Names the workspace, and so the machine's session. */
  workspace: string
  machine: TestMachine
  door: Door
  /** When the machine was turned on, in wall-clock milliseconds. */
  startedAt: number
  service: CheckService
  site: Site
  proxy: CheckProxy
  inside: Inside
  /** Whether the image has an app of the operator's in place of the start page; looked up inside. */
  hasApp: boolean
  /** The stream that is open now; checks that lose it open another. */
  viewer: Viewer | null
  /** Token of that stream. */
  token: string
  /** Milliseconds that a condition may take. */
  patience: number
  signal: AbortSignal | undefined
  /** Waits for a condition, by default as long as the patience goes. */
  until<T>(
    what: string,
    question: () => Promise<T | null | undefined | false> | T | null | undefined | false,
    limit?: number,
  ): Promise<T>
  /** A request at the machine's door. */
  ask(
    path: string,
    options?: { token?: string; method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Answer>
  /** Turns the machine off and ends everything around it. */
  close(): Promise<void>
}

export interface RunOptions {
  /** Folder of the image. */
  directory: string
  profile: ProfileName
  world: World
  /** Milliseconds that a condition may take before it counts as failed; 240,000 by default, for emulated machines. */
  patience?: number
  signal?: AbortSignal | undefined
}

/** Starts everything around a machine, and then the machine. */
export async function startRun({ directory, profile, world, patience = 240_000, signal }: RunOptions): Promise<Run> {
  const workspace = "checked"
  const spec = WorkspaceSpec.parse({
    ...{ version: 1, workspace, owner: "checklist", epoch: 1, profile, provider: "hetzner" },
    ...{ region: "fsn1", size: "cx43", image: 1, dns: { name: workspace, zone: "foozol.localhost" } },
  })
  const started: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const one of started.reverse()) await one.close()
  }
  const keep = <T extends { close(): Promise<void> }>(one: T): T => {
    started.push(one)
    return one
  }
  try {
    const service = keep(await startService())
    const site = keep(await startSite())
    const proxy = keep(await startProxy(site))
    const startedAt = Date.now()
    const machine = await world.start({
      directory,
      hostname: workspace,
      userData: host => userData({ ...spec, service: `http://${host}:${service.port}` }, { workspaceKey: service.key }),
      ports: [...PORTS.open, ...PORTS.closed],
    })
    keep({ close: machine.remove })
    const inside = keep(await startInside(machine.hostFromInside))
    const door = { ...machine.at(443), name: `${workspace}.foozol.localhost` }
    const run: Run = {
      ...{ profile, workspace, machine, door, startedAt, service, site, proxy, inside, patience, signal },
      hasApp: false,
      viewer: null,
      token: "",
      until: (what, question, limit = run.patience) => until(what, question, { limit, signal }),
      ask: (path, options = {}) => ask(door, path, { ...options, limit: Math.min(30_000, run.patience) }),
      close: async () => {
        run.viewer?.close()
        await close()
      },
    }
    return run
  } catch (error) {
    await close()
    throw error
  }
}
