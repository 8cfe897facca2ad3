import assert from "node:assert/strict"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { attributesOf, startCollector } from "../support/otlp-collector.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import type { Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

interface ShownSpan {
  id: string
  parent: string | null
  name: string
  of: string | null
  label: string
  startedAt: string
  endedAt: string
  seconds: number
  usualSeconds: number | null
  failed: boolean
}

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
const ASKER = "00f067aa0ba902b7"

describe("service: where the time of operations goes", () => {
  let collector: Awaited<ReturnType<typeof startCollector>>
  let test: TestService
  let ada: Visitor

  before(async () => {
    collector = await startCollector()
    test = await startTestService({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20secret",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
      OTEL_BSP_SCHEDULE_DELAY: "20",
      FOOZOL_QUOTA_TOTAL: "20",
    })
    ada = await test.signIn("ada")
  })
  after(async () => {
    await test?.close()
    await collector?.close()
  })
  beforeEach(() => test.machines.setReady(true))

  async function create(headers: Record<string, string> = {}) {
    const wish = { sizeClass: "small", region: "fsn1" }
    const { status, body } = await test.api(ada, "POST", "/workspaces", wish, {
      "idempotency-key": crypto.randomUUID(),
      ...headers,
    })
    assert.equal(status, 202, JSON.stringify(body))
    return { workspace: body.workspace.id as string, operation: body.operation.id as string }
  }
  const shown = async (operation: string) =>
    (await test.api(ada, "GET", `/operations/${operation}`)).body as {
      trace: string
      createdAt: string
      startedAt: string
      finishedAt: string
      spans: ShownSpan[]
    }
  const called = ({ name, of }: Pick<ShownSpan, "name" | "of">) => (of === null ? name : `${name} ${of}`)
  const received = (trace: string) => collector.spans.filter(one => one.traceId === trace)
  const rootOf = (trace: string) =>
    waitUntil("the operation's span has arrived", () => received(trace).find(one => one.name.startsWith("operation ")))

  it("a creation is told in spans that lie within each other, by the API and to the collector, in the asker's trace", async () => {
    const { operation } = await create({ traceparent: `00-${TRACE}-${ASKER}-01` })
    await test.finished(ada, operation)
    const { spans, trace, createdAt, startedAt, finishedAt } = await shown(operation)
    assert.equal(trace, TRACE)
    const tops = spans.filter(one => one.parent === null)
    assert.deepEqual(tops.map(called), ["queue", "step check", "step resources", "step boot", "step desktop"])
    assert.equal(tops[0]?.startedAt, createdAt)
    assert.equal(tops[0]?.endedAt, startedAt)
    const within = (step: string) => {
      const id = tops.find(one => one.of === step)?.id
      return spans.filter(one => one.parent === id).map(called)
    }
    assert.deepEqual(within("check"), ["engine-wait", "engine-look", "engine-start"])
    const made = within("resources")
    for (const name of ["machine", "firewall", "ipv4", "record-A"]) assert.ok(made.includes(`resource ${name}`), name)
    assert.equal(made.at(-1), "engine-end")
    assert.ok(within("desktop").includes("first-report"))
    const machine = spans.find(one => one.of === "machine")
    assert.deepEqual([machine?.label, machine?.failed], ["The machine", false])
    for (const one of spans) {
      const parent = spans.find(other => other.id === one.parent)
      const [from, to] = parent ? [parent.startedAt, parent.endedAt] : [createdAt, finishedAt]
      // Both ends are read from the clock one after the other.
      assert.ok(Date.parse(one.startedAt) >= Date.parse(from) - 5, `${called(one)} begins within`)
      assert.ok(Date.parse(one.endedAt) <= Date.parse(to) + 5, `${called(one)} ends within`)
      assert.equal(one.seconds, (Date.parse(one.endedAt) - Date.parse(one.startedAt)) / 1000)
    }

    const root = await rootOf(TRACE)
    assert.deepEqual([root?.parentSpanId, root?.name, root?.status.code], [ASKER, "operation create", 0])
    const sent = received(TRACE)
    assert.deepEqual(
      sent
        .filter(one => one !== root)
        .map(one => [one.spanId, one.parentSpanId, one.name])
        .sort(),
      spans.map(one => [one.id, one.parent ?? root?.spanId, called(one)]).sort(),
      "what is sent is what is kept",
    )
    for (const one of spans) {
      const copy = sent.find(other => other.spanId === one.id)
      assert.equal(copy?.startTimeUnixNano, `${Date.parse(one.startedAt)}000000`)
      assert.equal(copy?.endTimeUnixNano, `${Date.parse(one.endedAt)}000000`)
    }
    assert.equal(attributesOf(root as never)["foozol.operation.id"], operation)
    assert.equal(attributesOf(root as never)["foozol.operation.attempts"], "1")
    assert.equal(root?.resource["service.name"], "foozol-cloud")
    assert.equal(root?.resource["deployment.environment.name"], "test")
    assert.deepEqual(collector.invalid, [])
    const [request] = collector.requests
    assert.deepEqual([request?.path, request?.headers["x-key"]], ["POST /v1/traces", "a secret"])
    assert.equal(request?.headers["content-type"], "application/json")
    assert.doesNotMatch(test.logged(), /a secret/)
  })

  it("the next one shows beside each part what was usual, on its page too, without scripts", async () => {
    const { operation } = await create()
    await test.finished(ada, operation)
    const { spans, trace } = await shown(operation)
    assert.match(trace, /^[0-9a-f]{32}$/)
    assert.notEqual(trace, TRACE)
    for (const one of spans.filter(({ name }) => name === "step" || name === "resource")) {
      assert.ok(one.usualSeconds !== null, `${called(one)} was done before`)
    }
    const { text } = await ada.get(`${test.url}/operations/${operation}`)
    const times = /<div id="times">.*?<\/details>/s.exec(text)?.[0] ?? ""
    assert.match(times, /Where the time went <span class="soft">\d+\.\d s from the wish to the last step/)
    assert.match(
      times,
      /<span>Checking size, place and image<\/span>\s*<span class="time-took">\d+\.\d s <span class="soft">usually/,
    )
    assert.doesNotMatch(times, /style=/)
  })

  it("who asks without collecting is followed in what is kept, and nothing is sent", async () => {
    const trace = "c0ffee00c0ffee00c0ffee00c0ffee00"
    const { operation } = await create({ traceparent: `00-${trace}-${ASKER}-00` })
    await test.finished(ada, operation)
    const { spans, trace: kept } = await shown(operation)
    assert.equal(kept, trace)
    assert.ok(spans.length > 5)
    const { operation: later } = await create()
    await test.finished(ada, later)
    await rootOf((await shown(later)).trace)
    assert.deepEqual(received(trace), [])
  })

  /** The way to the machine, as the operation's page goes it. */
  const connect = async (workspace: string, query: Record<string, string>) => {
    const given = new URLSearchParams({ workspace, ...query })
    const answer = await fetch(`${test.url}/connect?${given}`, {
      headers: { cookie: cookieOf(ada), "sec-fetch-site": "same-origin" },
      redirect: "manual",
    })
    assert.equal(answer.status, 303)
    assert.match(answer.headers.get("location") ?? "", /\/enter\?ticket=/)
  }
  /** What the machine's agent says when its viewer has drawn. */
  const drawn = (workspace: string, key = workspaceKey(test.service.services.keys, workspace)) =>
    fetch(`${test.url}/machine/first-frame`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: "{}",
    })
  const wayOf = async (operation: string) =>
    (await shown(operation)).spans.filter(one => ["click", "redirect", "first-frame"].includes(one.name))

  it("the way from the click to the first picture is told once, and only of what the page has led to", async () => {
    const { workspace, operation } = await create()
    await test.finished(ada, operation)
    assert.equal((await drawn(workspace)).status, 204)
    assert.deepEqual(await wayOf(operation), [], "a viewer that was there by another way")
    await connect(workspace, {})
    await connect(workspace, { after: crypto.randomUUID(), waited: "100" })
    assert.deepEqual(await wayOf(operation), [])

    const { createdAt, finishedAt, trace } = await shown(operation)
    await connect(workspace, { after: operation, waited: String(Date.now() - Date.parse(createdAt) + 30_000) })
    assert.equal((await drawn(workspace)).status, 204)
    const way = await wayOf(operation)
    assert.deepEqual(way.map(called), ["click", "redirect", "first-frame"])
    const [click, redirect, frame] = way as [ShownSpan, ShownSpan, ShownSpan]
    assert.ok(click.seconds > 5 && click.seconds < 30.1, `a click 30 s before the wish, not ${click.seconds}`)
    assert.deepEqual([click.endedAt, redirect.startedAt, redirect.endedAt], [createdAt, finishedAt, frame.startedAt])
    await connect(workspace, { after: operation, waited: "1" })
    await drawn(workspace)
    assert.deepEqual(await wayOf(operation), way, "what came first stays")
    await waitUntil("the way has arrived", () => received(trace).some(one => one.name === "first-frame"))
    assert.equal(received(trace).filter(one => one.name === "click").length, 1)
    const { text } = await ada.get(`${test.url}/operations/${operation}`)
    assert.match(text, /from the click to the first picture/)
    assert.equal((await drawn(workspace, "wrong")).status, 401)
  })

  it("a click that was long before the wish is none of it", async () => {
    const { workspace, operation } = await create()
    await test.finished(ada, operation)
    await connect(workspace, { after: operation, waited: String(10 * 60_000) })
    assert.deepEqual((await wayOf(operation)).map(called), ["redirect"])
  })

  it("one that was cut off tells of both runs, and its times last as long as it does", async () => {
    test.machines.setReady(false)
    const { operation } = await create()
    const going = () => shown(operation).then(({ spans }) => spans.map(called).includes("step boot"))
    await waitUntil("its machine speaks", going)
    await test.restart(0)
    test.machines.setReady(true)
    await test.finished(ada, operation)
    const { spans } = await shown(operation)
    const count = (what: string) => spans.filter(one => called(one) === what).length
    assert.deepEqual([count("queue"), count("step check"), count("step desktop")], [1, 2, 2])
    assert.ok(
      spans.some(one => called(one) === "check picture"),
      "what was waited for is named",
    )
    const { redis } = test.service.services
    const [op, its] = await Promise.all([redis.pttl(`fz:op:${operation}`), redis.pttl(`fz:op:${operation}:spans`)])
    assert.ok(op > 29 * 86_400_000 && Math.abs(op - its) < 5_000, `${op} and ${its} ms are left`)
  })

  it("nothing waits for a collector that does not answer, and nothing fails by it", async () => {
    collector.control.answers = Array.from({ length: 40 }, () => "silent" as const)
    const { operation } = await create()
    const { state } = await test.finished(ada, operation)
    assert.equal(state, "succeeded")
    const begun = performance.now()
    await test.restart()
    assert.ok(performance.now() - begun < 40_000, "nor does the end of the process")
    collector.control.answers = []
  })
})
