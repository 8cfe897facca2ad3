import type { Machines } from "../../infra/machines/contract.ts"
import { createGcpMachines } from "../../infra/machines/gcp.ts"
import { createGcpApi } from "../../infra/machines/gcp-api.ts"
import { Secret } from "../../infra/secret.ts"
import { addZone } from "../../local-cloud/gcp/dns.ts"
import { type Exchange, type LocalGcp, startLocalGcp } from "../../local-cloud/gcp/server.ts"
import type { GcpSettings, Json } from "../../local-cloud/gcp/state.ts"
import { deviations } from "./compute-description.ts"
import { TEST_ZONE } from "./workspace.ts"

export const GCP_PROJECT = "test-desks"
export const GCP_IMAGE = "foozol-image-browser"

/** A local Google of a test's own, with a golden image and a zone of DNS. */
export interface TestGcp {
  gcp: LocalGcp
  machines: Machines
  /** Every request so far, as `METHOD path`. */
  asked: string[]
  exchanges: Exchange[]
  /** In what requests and answers differ from Google's own description. */
  deviations: string[]
  /** A change at the API as another client makes it, and its end. */
  post(path: string, body: Json): Promise<void>
  token: string
  close(): Promise<void>
}

export async function startTestGcp(settings: Partial<GcpSettings> = {}): Promise<TestGcp> {
  const token = "the-token-of-tests"
  const [asked, exchanges, differing]: [string[], Exchange[], string[]] = [[], [], []]
  const gcp = await startLocalGcp(
    { project: GCP_PROJECT, token, operationMs: 10, ...settings },
    {
      heard(exchange) {
        asked.push(`${exchange.method} ${exchange.path}`)
        exchanges.push(exchange)
        differing.push(...deviations(exchange))
      },
    },
  )
  addZone(gcp.state, TEST_ZONE.replaceAll(".", "-"), TEST_ZONE)
  gcp.state.add(`projects/${GCP_PROJECT}/global/images/${GCP_IMAGE}`, {
    ...{ kind: "compute#image", name: GCP_IMAGE, status: "READY", diskSizeGb: "20", architecture: "X86_64" },
  })
  const api = createGcpApi({
    project: GCP_PROJECT,
    zones: ["us-central1-a", "us-central1-b"],
    accessToken: new Secret(token),
    endpoint: gcp.url,
    pauseMs: 5,
  })
  const call = async (method: string, path: string, body?: Json) => {
    const response = await fetch(`${gcp.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const answer = (await response.json()) as Json
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    return answer
  }
  return {
    ...{ gcp, asked, exchanges, token, machines: createGcpMachines(api), deviations: differing },
    async post(path, body) {
      let answer = await call("POST", path, body)
      while (answer.kind === "compute#operation" && answer.status !== "DONE")
        answer = await call("GET", new URL(String(answer.selfLink)).pathname)
      if (answer.error) throw new Error(JSON.stringify(answer.error))
    },
    close: () => gcp.close(),
  }
}
