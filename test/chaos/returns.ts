import { type Actor, preciousOf } from "../support/scenarios.ts"
import type { TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { lifeOf, newWorkspace } from "../support/workspace-life.ts"

/** Two sweeps, and what they take on a busy machine. */
const BACK_MS = 135_000

/** Somebody who comes again after the service has lost its memory. */
export interface Return {
  login: string
  /** Their workspace. */
  id: string
  /** What they had asked for; null: nothing. */
  actor: Actor | null
  /** Was that not over yet? */
  wasUnder: boolean
  /** ms since 1970 */
  wipedAt: number
}

/** What they found. */
export interface Found {
  /** Seconds until their workspace was shown to them; null: it was being made, or deleted, and is not there. */
  back: number | null
  /** How often they had to ask for something that they had asked for, or that was so before. */
  askedAgain: number
  /** Is it not theirs, or its data not there? */
  isLost: boolean
  /** Machines it has. */
  machines: number
  words: string[]
}

/** Signs in anew, looks for the workspace, does what is said about it until it is as it was wished for, and looks at its data. */
export async function comeBack(test: TestService, { login, id, actor, wasUnder, wipedAt }: Return): Promise<Found> {
  const token = await waitUntil(
    "signing in works again",
    async () => {
      await test.forgetLimits()
      return test.token(await test.signIn(login))
    },
    60_000,
  )
  const desk = lifeOf(test, token, id)
  const found: Found = { back: null, askedAgain: 0, isLost: false, machines: 0, words: [] }
  const wish = actor?.scenario
  const mayBeGone = wish?.asks === "CREATE" ? wasUnder : wish?.asks === "DELETE"
  const shown = async () => (await test.api(token, "GET", `/workspaces/${id}`)).status === 200
  const isBack = await waitUntil("it is shown", shown, BACK_MS - (Date.now() - wipedAt)).catch(() => false)
  if (isBack) found.back = (Date.now() - wipedAt) / 1_000
  else if (!mayBeGone) return { ...found, isLost: true, words: ["it is not shown to its owner"] }
  found.machines = (await desk.machines()).length

  /** Asks for something once more; it must be done. */
  async function again(what: string, body?: unknown): Promise<void> {
    if (wasUnder) found.askedAgain++
    const { state, failure } = await desk.does(what, body)
    if (state !== "succeeded") found.words.push(`${what} once more: ${state}, ${JSON.stringify(failure)}`)
  }
  async function deleteIt(): Promise<void> {
    const gone = await test.api(token, "DELETE", `/workspaces/${id}`)
    const { state, failure } = await test.finished(token, gone.body.operation.id)
    if (state !== "succeeded") found.words.push(`deleting it: ${state}, ${JSON.stringify(failure)}`)
  }
  const check = (what: string | null) => {
    if (what === preciousOf(desk)) return
    found.isLost = true
    found.words.push(`its data is ${JSON.stringify(what)}`)
  }
  /** A copy of a snapshot, as its owner makes one, and what is in it. */
  async function copyOf(snapshot: number | undefined): Promise<void> {
    const copy = await newWorkspace(test, token, { from: String(snapshot) }).catch(error => {
      found.words.push(`a new one from its snapshot: ${(error as Error).message}`)
    })
    if (copy) check(test.machines.read(copy.id))
  }
  const newest = async () => (await desk.snapshots()).sort((a, b) => b.id - a.id)[0]?.id

  if (wish?.asks === "DELETE") {
    if (isBack) {
      if (wasUnder) found.askedAgain++
      await deleteIt()
    }
    await copyOf(await newest())
    return found
  }
  if (!isBack) {
    // They ask anew, and get one: the other one is nobody's now.
    found.askedAgain++
    await newWorkspace(test, token).catch(error => found.words.push(`asking anew: ${(error as Error).message}`))
    return found
  }
  const rest = await waitUntil("it is at rest", async () => {
    const now = await desk.shown()
    return ["RUNNING", "IDLE", "STOPPED", "FAILED"].includes(now.state) && now
  })
  if (rest.state === "STOPPED") await again("start")
  if (rest.state === "FAILED" && rest.failure.id === "upgrade-interrupted")
    await again("restore", { backup: String(await newest()) })
  else if (rest.state === "FAILED") {
    found.askedAgain++
    if (wish?.asks !== "CREATE") await copyOf(await newest())
    await deleteIt()
    return found
  }
  const { state, failure } = await desk.shown()
  if (state !== "RUNNING" && state !== "IDLE") found.words.push(`it is ${state} in the end: ${JSON.stringify(failure)}`)
  found.machines = (await desk.machines()).length
  if (found.machines === 0) found.words.push("it is said to run and has no machine")
  if (wish?.asks !== "CREATE") check(test.machines.read(id))
  return found
}
