/**
 * From the click that wakes a workspace to the first picture of its desktop, by stop mode: what somebody waits for who
 * comes back. With a real machine of the golden image, through the viewer's protocol; the image is built if it is not
 * there, and not checked.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { goldenDirectory } from "../cli/golden-images.ts"
import { buildImage } from "../image-builder/build-local.ts"
import { type GoldenWorld, startGoldenWorld } from "../test/support/golden-world.ts"
import { machineRequest } from "../test/support/machine-request.ts"
import { openRfbClient, type RfbClient } from "../test/support/rfb-client.ts"
import { answerPage } from "../test/support/sign-in.ts"
import { createVisitor, type Visitor } from "../test/support/visitor.ts"
import type { Measurement } from "./measurement.ts"
import { stepEndsIn } from "./step-ends.ts"

const MODES = { poweroff: "power-off", hibernate: "hibernate" } as const
/** A picture of less is one colour and a pointer. */
const COLOURS = 8
/** A page that follows an operation hears of its end at once; this asks. */
const ASK_MS = 100

/** @param options.count wakings by mode; 5 if not given */
export async function bench(options: { count?: string }): Promise<Measurement[]> {
  const image = await buildImage({ profile: "browser", cacheDirectory: goldenDirectory(), log: console.error })
  const world = await startGoldenWorld(image, { FOOZOL_AUTO_STOP: "false" })
  const measured = new Map<string, Measurement>()
  const record = (metric: string, value: number) => {
    const known = measured.get(metric) ?? { metric, unit: "s", samples: [] }
    measured.set(metric, known)
    known.samples.push(value)
  }
  try {
    const person = await somebody(world)
    const { workspace, operation } = await person.api("POST", "/workspaces", {})
    await person.end(operation.id)
    for (const [name, mode] of Object.entries(MODES)) {
      for (let round = 0; round < Number(options.count ?? 5); round++) {
        const stopped = await person.api("POST", `/workspaces/${workspace.id}/stop?mode=${mode}`)
        await person.end(stopped.operation.id)
        const times = await wake(person, workspace.id)
        for (const [phase, seconds] of Object.entries(times)) {
          record(phase === "picture" ? `${name}_s` : `${name}_until_${phase}_s`, seconds)
        }
      }
    }
  } finally {
    await world.close()
  }
  return [...measured.values()]
}

/** Seconds since the click, by phase. */
async function wake(person: Person, workspace: string): Promise<Record<string, number>> {
  const begun = Date.now()
  const since = (at = Date.now()) => (at - begun) / 1000
  const { operation } = await person.api("POST", `/workspaces/${workspace}/start`)
  await person.end(operation.id)
  const ready = since()
  const viewer = await person.openDesktop(workspace)
  await viewer.look()
  while (new Set(viewer.pixels).size < COLOURS) await viewer.look(true)
  const picture = since()
  viewer.close()
  const ends = await person.stepEnds(operation.id)
  const steps = Object.entries(ends).map(([step, at]) => [step, since(at)])
  return { ...Object.fromEntries(steps), ready, picture }
}

interface Person {
  // biome-ignore lint/suspicious/noExplicitAny: what is not as expected shows at once
  api(method: string, path: string, body?: object): Promise<any>
  /** Waits for an operation's end. */
  end(operation: string): Promise<void>
  stepEnds(operation: string): Promise<Record<string, number>>
  /** The way a browser goes: /connect, the machine's /enter, its stream. */
  openDesktop(workspace: string): Promise<RfbClient>
}

async function somebody(world: GoldenWorld): Promise<Person> {
  // What a browser says when a person has clicked.
  const visitor: Visitor = createVisitor({ "sec-fetch-user": "?1", "sec-fetch-site": "same-origin" })
  await answerPage(visitor, await visitor.get(`${world.url}/login/github`), { login: "sleeper" })
  const cookies = () =>
    [...(visitor.cookies.get(new URL(world.url).hostname) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ")
  const call = (method: string, path: string, body?: object) =>
    fetch(`${world.url}/${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...{ cookie: cookies(), origin: new URL(world.url).origin },
        ...{ "sec-fetch-user": "?1", "sec-fetch-site": "same-origin" },
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
  const person: Person = {
    async api(method, path, body) {
      const answer = await call(method, `api/v1${path}`, body)
      const said = await answer.json()
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(said)}`)
      return said
    },
    async end(operation) {
      for (;;) {
        const { state, failure } = await person.api("GET", `/operations/${operation}`)
        if (state === "succeeded") return
        if (failure) throw new Error(failure.message)
        await sleep(ASK_MS)
      }
    },
    stepEnds: async operation => stepEndsIn(await (await call("GET", `api/v1/operations/${operation}/events`)).text()),
    async openDesktop(workspace) {
      const led = (await call("GET", `connect?workspace=${workspace}`)).headers.get("location")
      if (!led) throw new Error("/connect leads nowhere.")
      const { origin, pathname, search, host, hostname, port } = new URL(led)
      const entered = await machineRequest(origin, `${pathname}${search}`)
      const [cookie = ""] = [entered.headers["set-cookie"] ?? []].flat()
      const headers = { host, origin, cookie: cookie.split(";")[0] ?? "" }
      return openRfbClient(`wss://127.0.0.1:${port}/vnc`, headers, hostname)
    },
  }
  return person
}
