import { setTimeout as sleep } from "node:timers/promises"
import { createEnginePool } from "../../infra/engine-pool.ts"
import { fromGcpLabels } from "../../infra/gcp-names.ts"
import { LABELS } from "../../infra/workspace-spec.ts"
import { addZone } from "../../local-cloud/gcp/dns.ts"
import type { GcpSettings } from "../../local-cloud/gcp/state.ts"
import { GCP_IMAGE, GCP_PROJECT, startTestGcp, type TestGcp } from "./gcp-cloud.ts"
import { createGcpEngine } from "./gcp-engine.ts"
import { startTestService, type TestService } from "./service.ts"
import { TEST_ZONE } from "./workspace.ts"

/** Where workspaces at the local Google get their names. */
export const GCP_ZONE = `gcp.${TEST_ZONE}`
/** Between two reports of a machine that is on, milliseconds. */
const REPORT_MS = 100

/** A service that works with Hetzner and with Google, both local. */
export interface TwoProviders {
  test: TestService
  google: TestGcp
  /** Is the machine of a workspace on, as Google has it? */
  statusOf(workspace: string): string | undefined
  /** What Google has of a workspace. */
  left(workspace: string): string[]
  /** The machine of a workspace, as Google has it. */
  pathOf(workspace: string): string
  close(): Promise<void>
}

/** What a machine was told at birth, and how far it is with what it was told since. */
interface Told {
  service: string
  key: string
  carry: object | null
}

/** Hears what a machine is told; what it is to carry, it has carried at once. */
async function obey(told: Told, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const headers = { authorization: `Bearer ${told.key}` }
    const answer = await fetch(`${told.service}/machine/events`, { headers, signal }).catch(() => null)
    for await (const { type, data } of eventsOf(answer)) {
      if (type === "carry") told.carry = { ...data, state: "done", phase: "copy", bytes: 1, log: [String(data.volume)] }
    }
    await sleep(REPORT_MS)
  }
}

async function* eventsOf(answer: Response | null): AsyncGenerator<{ type: string; data: Record<string, unknown> }> {
  let rest = ""
  try {
    for await (const chunk of answer?.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = `${rest}${chunk}`.split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) {
        const [type, data] = [/^event: (.*)$/m.exec(block)?.[1], /^data: (.*)$/m.exec(block)?.[1]]
        if (type !== undefined && data) yield { type, data: JSON.parse(data) }
      }
    }
  } catch {
    // The stream broke off: it is opened anew.
  }
}

/** @param more.ahead how far the service's clock is ahead, ms */
export async function startTwoProviders(
  settings: Record<string, string> = {},
  { ahead = () => 0, gcp = {} }: { ahead?: () => number; gcp?: Partial<GcpSettings> } = {},
): Promise<TwoProviders> {
  const google = await startTestGcp(gcp)
  const { state } = google.gcp
  addZone(state, GCP_ZONE.replaceAll(".", "-"), GCP_ZONE)
  const keys = new Map<string, Told>()
  const ended = new AbortController()
  const inner = createEnginePool({ size: 1 })
  const pool = createGcpEngine(google, google.machines, inner, ({ workspace, service }, { workspaceKey }) => {
    const told: Told = keys.get(workspace) ?? { service: service ?? "", key: workspaceKey, carry: null }
    if (!keys.has(workspace)) void obey(told, ended.signal)
    keys.set(workspace, told)
  })
  const test = await startTestService(
    {
      FOOZOL_GCP_PROJECTS: GCP_PROJECT,
      FOOZOL_GCP_ZONES: "us-central1-a us-central1-b",
      FOOZOL_GCP_ENDPOINT: google.gcp.url,
      FOOZOL_GCP_DNS_ZONE: GCP_ZONE,
      FOOZOL_GCP_IMAGE_BROWSER: GCP_IMAGE,
      GOOGLE_OAUTH_ACCESS_TOKEN: google.token,
      ...settings,
    },
    { ahead, parts: () => ({ pool }) },
  )
  const machineOf = (workspace: string) =>
    state
      .all("instances")
      .find(([, one]) => fromGcpLabels(one.labels as Record<string, string>)[LABELS.workspace] === workspace)
  const statusOf = (workspace: string) => machineOf(workspace)?.[1].status as string | undefined

  /** Machines that are on say what a ready desktop's agent says; nothing boots here. */
  async function report(): Promise<void> {
    const startedAt = new Date().toISOString()
    while (!ended.signal.aborted) {
      for (const [workspace, { service, key, carry }] of keys) {
        if (statusOf(workspace) !== "RUNNING") continue
        const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }
        const body = JSON.stringify({
          ...{ workspace, sessionId: workspace, bootId: crypto.randomUUID(), ready: true, checks: [] },
          ...{ versions: { agent: "1" }, signals: { viewers: 0 }, startedAt, at: new Date().toISOString() },
          ...(carry ? { carry } : {}),
        })
        await fetch(`${service}/machine/report`, { method: "POST", headers, body }).catch(() => {})
      }
      await sleep(REPORT_MS)
    }
  }
  const reporting = report()

  return {
    ...{ test, google, statusOf },
    pathOf: workspace => machineOf(workspace)?.[0] as string,
    left: workspace =>
      [...state.resources.keys()].filter(path => path.includes(workspace) && !path.includes("/operations/")),
    async close() {
      ended.abort()
      await reporting
      await test.close()
      await inner.close()
      await google.close()
    },
  }
}
