import type { Machines } from "../../infra/machines/contract.ts"
import { createScalewayMachines } from "../../infra/machines/scaleway.ts"
import { createScalewayApi } from "../../infra/machines/scaleway-api.ts"
import { Secret } from "../../infra/secret.ts"
import { addZone } from "../../local-cloud/scaleway/dns.ts"
import { type Exchange, type LocalScaleway, startLocalScaleway } from "../../local-cloud/scaleway/server.ts"
import type { Json, ScalewaySettings } from "../../local-cloud/scaleway/state.ts"
import { scalewayDeviations } from "./scaleway-description.ts"
import { TEST_ZONE } from "./workspace.ts"

export const SCALEWAY_PROJECT = "105bdce1-64c0-48ab-899d-868455867ecf"
export const ZONE = "fr-par-1"

/** A local Scaleway of a test's own, with a golden image and a zone of DNS. */
export interface TestScaleway {
  scaleway: LocalScaleway
  machines: Machines
  /** UUID of the golden image. */
  image: string
  /** Every request so far, as `METHOD path`. */
  asked: string[]
  exchanges: Exchange[]
  /** In what requests and answers differ from Scaleway's own reference. */
  deviations: string[]
  /** A request as another client makes it. */
  call(method: string, path: string, body?: Json, text?: string): Promise<Json>
  token: string
  close(): Promise<void>
}

export async function startTestScaleway(settings: Partial<ScalewaySettings> = {}): Promise<TestScaleway> {
  const token = "the-key-of-tests"
  const [asked, exchanges, differing]: [string[], Exchange[], string[]] = [[], [], []]
  const scaleway = await startLocalScaleway(
    { project: SCALEWAY_PROJECT, token, transientMs: 10, ...settings },
    {
      heard(exchange) {
        asked.push(`${exchange.method} ${exchange.path}`)
        exchanges.push(exchange)
        differing.push(...scalewayDeviations(exchange))
      },
    },
  )
  const { state, url } = scaleway
  addZone(state, TEST_ZONE)
  // As it comes from Object Storage: a snapshot, and the image over it.
  const copy = state.add("snapshots", ZONE, {
    ...{ name: "foozol-image-browser", size: 20_000_000_000, status: "available", references: [], class: "sbs" },
    ...{ created_at: state.now(), updated_at: state.now(), project_id: SCALEWAY_PROJECT, public: false },
    parent_volume: null,
  })
  const call: TestScaleway["call"] = async (method, path, body, text) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { "x-auth-token": token, "content-type": body ? "application/json" : "text/plain" },
      ...(body ? { body: JSON.stringify(body) } : text === undefined ? {} : { body: text }),
    })
    const answer = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`)
    return answer ? (JSON.parse(answer) as Json) : {}
  }
  const made = await call("POST", `/instance/v1/zones/${ZONE}/images`, {
    ...{ name: "foozol-image-browser", root_volume: copy.id, arch: "x86_64", project: SCALEWAY_PROJECT },
  })
  const api = createScalewayApi({
    ...{ project: SCALEWAY_PROJECT, zones: [ZONE, "nl-ams-1"], secretKey: new Secret(token), endpoint: url },
    ...{ ipv4Hourly: 0.004, pauseMs: 5 },
  })
  return {
    ...{ scaleway, asked, exchanges, token, machines: createScalewayMachines(api), deviations: differing, call },
    image: (made.image as { id: string }).id,
    close: () => scaleway.close(),
  }
}
