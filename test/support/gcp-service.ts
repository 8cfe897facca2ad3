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

/** @param more.ahead how far the service's clock is ahead, ms */
export async function startTwoProviders(
  settings: Record<string, string> = {},
  { ahead = () => 0, gcp = {} }: { ahead?: () => number; gcp?: Partial<GcpSettings> } = {},
): Promise<TwoProviders> {
  const google = await startTestGcp(gcp)
  const { state } = google.gcp
  addZone(state, GCP_ZONE.replaceAll(".", "-"), GCP_ZONE)
  const keys = new Map<string, { service: string; key: string }>()
  const inner = createEnginePool({ size: 1 })
  const pool = createGcpEngine(google, google.machines, inner, ({ workspace, service }, { workspaceKey }) => {
    keys.set(workspace, { service: service ?? "", key: workspaceKey })
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

  const ended = new AbortController()
  /** Machines that are on say what a ready desktop's agent says; nothing boots here. */
  async function report(): Promise<void> {
    const startedAt = new Date().toISOString()
    while (!ended.signal.aborted) {
      for (const [workspace, { service, key }] of keys) {
        if (statusOf(workspace) !== "RUNNING") continue
        const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }
        const body = JSON.stringify({
          ...{ workspace, sessionId: workspace, bootId: crypto.randomUUID(), ready: true, checks: [] },
          ...{ versions: { agent: "1" }, signals: { viewers: 0 }, startedAt, at: new Date().toISOString() },
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
