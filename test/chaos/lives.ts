import { setTimeout as sleep } from "node:timers/promises"
import { preciousOf } from "../support/scenarios.ts"
import type { TestWorld } from "../support/service.ts"
import { lifeOf, type WorkspaceLife } from "../support/workspace-life.ts"

/** What has not come about after so long comes about by nobody's doing but a person's. */
const STUCK_MS = 300_000
/** Between two looks of somebody who waits. */
const LOOK_MS = 300

export interface Life {
  workspace: string
  /** How often its owner pressed "Try again". */
  presses: number
  duplicates: number
  isLost: boolean
  words: string[]
}

/**
 * One workspace from its beginning to its end, by somebody who only looks at what it is and asks for what it should be:
 * through times in which nobody answers, and answers that get lost.
 */
export async function live(world: TestWorld, token: string, random: () => number): Promise<Life> {
  const life: Life = { workspace: "", presses: 0, duplicates: 0, isLost: false, words: [] }
  const desk = await asked(world, token)
  life.workspace = desk.id
  const way: [string, () => Promise<unknown>][] = [
    ["RUNNING", async () => {}],
    [
      "STOPPED",
      () => world.api(token, "POST", `/workspaces/${desk.id}/stop${random() < 0.6 ? "?mode=hibernate" : ""}`),
    ],
    ["RUNNING", () => world.api(token, "POST", `/workspaces/${desk.id}/start`)],
    ["TERMINATED", () => world.api(token, "DELETE", `/workspaces/${desk.id}`)],
  ]
  let isWritten = false
  for (const [state, ask] of way) {
    if (!(await reaches(world, token, desk, state, ask, life))) break
    if (state !== "RUNNING") continue
    if (!isWritten) world.machines.write(desk.id, preciousOf(desk))
    else if (world.machines.read(desk.id) !== preciousOf(desk)) {
      life.isLost = true
      life.words.push(`${desk.id}: what its user has written is gone: ${world.machines.read(desk.id)}`)
    }
    isWritten = true
    const machines = (await patiently(() => desk.machines())).length
    life.duplicates += Math.max(0, machines - 1)
    if (machines > 1) life.words.push(`${desk.id}: ${machines} machines`)
    await sleep(random() * 3_000)
  }
  return life
}

/** Looks and asks until the workspace is as it should be. */
async function reaches(
  world: TestWorld,
  token: string,
  desk: WorkspaceLife,
  wanted: string,
  ask: () => Promise<unknown>,
  life: Life,
): Promise<boolean> {
  const until = Date.now() + STUCK_MS
  let last = ""
  for (; Date.now() < until; await sleep(LOOK_MS)) {
    const { status, body } = await world.api(token, "GET", `/workspaces/${desk.id}`).catch(() => NO_ANSWER)
    if (status === 404 && wanted === "TERMINATED") return true
    if (status !== 200) continue
    const state = body.state === "IDLE" ? "RUNNING" : body.state
    if (state === wanted) return true
    last = `${state} ${JSON.stringify(body.failure)}`
    if (state === "FAILED" && wanted !== "TERMINATED") {
      life.presses++
      await world.api(token, "POST", `/operations/${body.operation}/retry`).catch(() => null)
    } else if (["RUNNING", "STOPPED", "FAILED"].includes(state)) await ask().catch(() => null)
  }
  life.words.push(`${desk.id}: not ${wanted} after ${STUCK_MS / 1_000} s: ${last}`)
  return false
}

async function asked(world: TestWorld, token: string): Promise<WorkspaceLife> {
  const headers = { "idempotency-key": crypto.randomUUID() }
  const { workspace } = await patiently(async () => {
    const wish = { sizeClass: "small", region: "fsn1" }
    const { status, body } = await world.api(token, "POST", "/workspaces", wish, headers)
    if (status !== 202 && status !== 200)
      throw new Error(`A workspace was asked for in vain: ${status} ${JSON.stringify(body)}`)
    return body
  })
  return lifeOf(world, token, workspace.id)
}

/** Asks again where nobody answers. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + STUCK_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > until) throw error
      await sleep(1_000)
    }
  }
}

const NO_ANSWER = { status: 0, body: null }
