import { startCuttableProxy } from "../support/cuttable-proxy.ts"
import { type DeskFront, type OpenStream, startDeskFront } from "../support/desk-stream.ts"
import { seeded } from "../support/seeded.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"
import { type Campaign, type Outcome, one, type Plan, quantile, shares } from "./campaign.ts"
import { pick } from "./drawn-rounds.ts"

/** Streams that are open when they are to end, at most. */
const STREAMS = 3
/** What has not ended by then never does. */
const NEVER_MS = 30_000
/** The promise, seconds, where the machine is told, and where it has to find out. */
const PROMISED = { told: 1, cut: 12 }

/** Somebody at their desk, twice: in the browser that acts, and in another one. */
interface Person {
  login: string
  visitor: Visitor
  other: Visitor
  token: string
  desk: WorkspaceLife
  front: DeskFront
}

/** What a way leaves of the workspace. */
type Leaves = "all" | "off" | "nothing"

interface Way {
  /** Gets ready what it needs. @returns what does it */
  prepare(test: TestService, person: Person, operator: Visitor): Promise<() => Promise<unknown>>
  leaves: Leaves
}

const signOut = (path: string, of: (person: Person) => Visitor) => async (test: TestService, person: Person) => {
  const csrf = csrfOf(await of(person).get(`${test.url}/account`))
  return () => of(person).post(`${test.url}${path}`, { csrf }, { origin: test.url })
}

/** Everything after which nobody may look on. */
const WAYS: Record<string, Way> = {
  "signing out": { prepare: signOut("/sign-out", ({ visitor }) => visitor), leaves: "all" },
  "signing out everywhere, from another browser": {
    prepare: signOut("/sign-out-everywhere", ({ other }) => other),
    leaves: "all",
  },
  "closing all viewers": {
    prepare:
      async (test, { token, desk }) =>
      () =>
        test.api(token, "POST", `/workspaces/${desk.id}/close-viewers`),
    leaves: "all",
  },
  "an operator closing all viewers": {
    prepare:
      async (test, { desk }, operator) =>
      () =>
        test.api(operator, "POST", `/workspaces/${desk.id}/close-viewers`),
    leaves: "all",
  },
  stopping: {
    prepare:
      async (_, { desk }) =>
      () =>
        desk.begins("stop"),
    leaves: "off",
  },
  hibernating: {
    prepare:
      async (_, { desk }) =>
      () =>
        desk.begins("stop?mode=hibernate"),
    leaves: "off",
  },
  deleting: {
    prepare:
      async (test, { token, desk }) =>
      () =>
        test.api(token, "DELETE", `/workspaces/${desk.id}`),
    leaves: "nothing",
  },
  "an operator suspending them": {
    prepare:
      async (test, { login }, operator) =>
      () =>
        test.api(operator, "POST", `/operator/users/${login}/suspend`, { why: "on purpose" }),
    leaves: "nothing",
  },
  "deleting the account": {
    prepare:
      async (test, { visitor, login }) =>
      () =>
        test.api(visitor, "DELETE", `/account?confirm=${login}`),
    leaves: "nothing",
  },
}

async function startWorld(number: number) {
  const test = await startTestService({ FOOZOL_OPERATORS: "operator" })
  const proxy = await startCuttableProxy(test.url)
  const operator = await test.signIn("operator")
  let people = 0
  async function arrive(): Promise<Person> {
    const login = `user-${number}-${people++}`
    await test.forgetLimits()
    const visitor = await test.signIn(login)
    const token = await test.token(visitor)
    const desk = await newWorkspace(test, token)
    return {
      ...{ login, visitor, token, desk },
      other: await test.signIn(login),
      front: await startDeskFront(test, desk.id, proxy),
    }
  }
  const bystander = await arrive()
  const control = await bystander.front.open(bystander.visitor)
  let person = await arrive()

  /** Opens streams, ends them in a way, and waits. @returns seconds from the wish to the end of each, null: never */
  async function round(what: string, streams: number, isCut: boolean): Promise<(number | null)[]> {
    const way = WAYS[what]
    if (!way) throw new Error(`There is no such way: ${what}`)
    await test.forgetLimits()
    const open: OpenStream[] = []
    for (let at = 0; at < streams; at++) open.push(await person.front.open(person.visitor))
    const end = await way.prepare(test, person, operator)
    if (isCut) proxy.hold("/machine/events")
    const begun = Date.now()
    const asked = end()
    const late = new Promise<null>(resolve => setTimeout(resolve, NEVER_MS, null))
    const seconds = await Promise.all(
      open.map(async stream => {
        const at = await Promise.race([stream.ended, late])
        return at === null ? null : (at - begun) / 1_000
      }),
    )
    await asked
    proxy.hold(null)
    for (const stream of open) stream.close()
    // What was held back is read by nobody any more: the machine listens anew.
    if (isCut) proxy.cut()
    await makeReady(way.leaves)
    return seconds
  }

  async function makeReady(left: Leaves): Promise<void> {
    const { login, front, desk } = person
    if (left === "nothing") {
      await front.close()
      person = await arrive()
      return
    }
    await test.forgetLimits()
    const visitor = await test.signIn(login)
    person = { ...person, visitor, other: await test.signIn(login) }
    if (left === "all") return
    for (const { id, state } of (await test.api(person.token, "GET", `/operations?workspace=${desk.id}`)).body
      .operations)
      if (!["succeeded", "failed", "cancelled"].includes(state)) await test.finished(person.token, id)
    await desk.does("start")
  }

  return {
    round,
    isUndisturbed: () => control.isOpen(),
    async close() {
      control.close()
      await Promise.all([person.front.close(), bystander.front.close()])
      await proxy.close()
      await test.close()
    },
  }
}

async function run({ count, seed, worlds, untimed, isEnough, note }: Plan): Promise<Outcome> {
  const closed: Record<keyof typeof PROMISED, number[]> = { told: [], cut: [] }
  const broken: string[] = []
  let never = 0
  await Promise.all(
    [...shares(count, worlds)].map(async (share, number) => {
      const random = seeded(seed + 1_000 * number)
      const world = await startWorld(number)
      try {
        for (let done = 0; done < share && !isEnough(); ) {
          const [what, streams, isCut] = [
            pick(Object.keys(WAYS), random),
            1 + Math.floor(STREAMS * random()),
            random() < 0.3,
          ]
          const seconds = await world.round(what, Math.min(streams, share - done), isCut)
          done += seconds.length
          const how = isCut ? "cut" : "told"
          note({ what, how, seconds })
          closed[how].push(...seconds.filter(one => one !== null))
          const open = seconds.filter(one => one === null).length
          never += open
          if (open > 0) broken.push(`${what} (${how}): ${open} streams were open after ${NEVER_MS / 1_000} s`)
        }
        // Cuts of the way break nothing either: only what was taken back may end.
        if (!world.isUndisturbed()) broken.push("a stream was closed of somebody who did nothing")
      } finally {
        await world.close()
      }
    }),
  )
  for (const how of ["told", "cut"] as const) {
    const p99 = quantile(closed[how], 0.99)
    if (!untimed && p99 > PROMISED[how]) broken.push(`${how}: p99 is ${p99} s, promised are ${PROMISED[how]} s`)
  }
  return {
    measurements: [
      one("streams", "", closed.told.length + closed.cut.length + never),
      one("closed_p50_s", "s", quantile(closed.told, 0.5)),
      one("closed_p99_s", "s", quantile(closed.told, 0.99)),
      one("closed_max_s", "s", quantile(closed.told, 1)),
      one("cut_closed_p50_s", "s", quantile(closed.cut, 0.5)),
      one("cut_closed_p99_s", "s", quantile(closed.cut, 0.99)),
      one("not_closed", "", never),
    ],
    broken,
  }
}

export const streams: Campaign = {
  about: "open desktops after sign-out, revocation, stop, deletion and an account's end, told and found out",
  count: 500,
  run,
}
