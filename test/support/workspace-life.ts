import assert from "node:assert/strict"
import type { TestWorld } from "./service.ts"

/** One person's workspace in a test, spoken of by the API. */
export interface WorkspaceLife {
  id: string
  /** Asks for something and waits for its end. */
  does(what: string, body?: unknown): Promise<{ state: string; failure: { id: string; message: string } | null }>
  /** Asks for something; returns the operation's id. */
  begins(what: string, body?: unknown): Promise<string>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they know
  shown(): Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they know
  backups(): Promise<any[]>
  /** Its machines at the provider, asleep none. */
  machines(): Promise<
    { id: number; ip: string; size: string; region: string; status: string; madeFrom: number | null }[]
  >
  /** Snapshots at the provider, `kind` by their labels. */
  snapshots(): Promise<{ id: number; kind: string; operation: string; labels: Record<string, string> }[]>
}

/** Asks for a workspace. */
export async function askWorkspace(
  test: TestWorld,
  token: string,
  wish: object = {},
): Promise<{ desk: WorkspaceLife; operation: string }> {
  const asked = await test.api(token, "POST", "/workspaces", { sizeClass: "small", region: "fsn1", ...wish })
  assert.equal(asked.status, 202, JSON.stringify(asked.body))
  return { desk: lifeOf(test, token, asked.body.workspace.id), operation: asked.body.operation.id }
}

/** Creates a workspace and waits until it runs. */
export async function newWorkspace(test: TestWorld, token: string, wish: object = {}): Promise<WorkspaceLife> {
  const { desk, operation } = await askWorkspace(test, token, wish)
  const made = await test.finished(token, operation)
  assert.equal(made.state, "succeeded", JSON.stringify(made.failure))
  return desk
}

/** A workspace that is there, spoken of with a token. */
export function lifeOf(test: TestWorld, token: string, id: string): WorkspaceLife {
  const selector = encodeURIComponent(`foozol-workspace==${id}`)
  const begins = async (what: string, body?: unknown) => {
    const answer = await test.api(token, "POST", `/workspaces/${id}/${what}`, body)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return answer.body.operation.id as string
  }
  return {
    id,
    begins,
    does: async (what, body) => test.finished(token, await begins(what, body)),
    shown: async () => (await test.api(token, "GET", `/workspaces/${id}`)).body,
    backups: async () => (await test.api(token, "GET", `/workspaces/${id}/backups`)).body.backups,
    async machines() {
      const { servers } = await test.cloud.api<{ servers: ServerAnswer[] }>(
        "GET",
        `/servers?label_selector=${selector}`,
      )
      return servers.map(one => ({
        ...{ id: one.id, ip: one.public_net.ipv4.ip, size: one.server_type.name, region: one.location.name },
        ...{ status: one.status, madeFrom: one.image?.id ?? null },
      }))
    },
    async snapshots() {
      const { images } = await test.cloud.api<{ images: ImageAnswer[] }>(
        "GET",
        `/images?type=snapshot&label_selector=${selector}`,
      )
      return images.map(({ id, labels }) => ({
        ...{ id, kind: labels["foozol-snapshot"] ?? "", operation: labels["foozol-operation"] ?? "" },
        labels,
      }))
    },
  }
}

interface ServerAnswer {
  id: number
  status: string
  image: { id: number } | null
  public_net: { ipv4: { ip: string } }
  server_type: { name: string }
  location: { name: string }
}
interface ImageAnswer {
  id: number
  labels: Record<string, string>
}
