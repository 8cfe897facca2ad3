import assert from "node:assert/strict"
import fc from "fast-check"
import type { EngineEvent } from "../../../infra/engine-events.ts"
import { timeDesktop } from "../../../service/traces/desktop-times.ts"
import { timeEngine } from "../../../service/traces/engine-times.ts"
import { createRecorder, type Kept } from "../../../service/traces/recorder.ts"
import { timeRows, wholeTime } from "../../../service/traces/rows.ts"
import { readPairs, traceSettings } from "../../../service/traces/settings.ts"
import { newTrace, readTraceparent, type Span } from "../../../service/traces/span.ts"

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
const ASKER = "00f067aa0ba902b7"

describe("traces: the header traceparent", () => {
  it("is read as W3C Trace Context has it", () => {
    assert.deepEqual(readTraceparent(`00-${TRACE}-${ASKER}-01`), { id: TRACE, parent: ASKER, sampled: true })
    assert.equal(readTraceparent(`00-${TRACE}-${ASKER}-00`)?.sampled, false)
    assert.equal(readTraceparent(`01-${TRACE}-${ASKER}-03-more`)?.sampled, true, "of a later version what is known")
    const wrong = [
      "",
      "00",
      `00-${TRACE}-${ASKER}`,
      `00-${TRACE}-${ASKER}-01-more`,
      `ff-${TRACE}-${ASKER}-01`,
      `00-${TRACE.toUpperCase()}-${ASKER}-01`,
      `00-${"0".repeat(32)}-${ASKER}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
    ]
    for (const header of wrong) assert.equal(readTraceparent(header), null, header)
    fc.assert(fc.property(fc.string({ unit: "binary" }), header => readTraceparent(header) === null))
  })

  it("makes the operation a part of that trace, and without it each has one of its own", () => {
    const within = newTrace({ id: TRACE, parent: ASKER, sampled: true })
    assert.deepEqual({ ...within, span: "" }, { id: TRACE, parent: ASKER, span: "" })
    assert.equal(newTrace({ id: TRACE, parent: ASKER, sampled: false }).unsampled, true)
    const [one, other] = [newTrace(null), newTrace(null)]
    assert.match(`${one.id} ${one.span}`, /^[0-9a-f]{32} [0-9a-f]{16}$/)
    assert.notEqual(one.id, other.id)
    assert.equal(one.parent, undefined)
  })
})

describe("traces: settings", () => {
  const given = {
    ...{ endpoint: undefined, tracesEndpoint: undefined, headers: {}, timeoutMs: 1, delayMs: 1 },
    ...{ serviceName: undefined, attributes: {}, disabled: false },
  }
  it("the common address has a path below it for traces, their own is whole", () => {
    assert.equal(traceSettings(given), null)
    assert.equal(traceSettings({ ...given, endpoint: "http://c:4318" })?.url, "http://c:4318/v1/traces")
    assert.equal(traceSettings({ ...given, endpoint: "http://c/otlp/" })?.url, "http://c/otlp/v1/traces")
    const both = { ...given, endpoint: "http://c", tracesEndpoint: "http://t/in" }
    assert.equal(traceSettings(both)?.url, "http://t/in")
    assert.equal(traceSettings({ ...both, disabled: true }), null)
  })

  it("the service's name is its own variable's, else an attribute's", () => {
    const named = { ...given, endpoint: "http://c", attributes: { "service.name": "a", "x.y": "z" } }
    assert.deepEqual(traceSettings(named)?.resource, { "service.name": "a", "x.y": "z" })
    assert.equal(traceSettings({ ...named, serviceName: "b" })?.resource["service.name"], "b")
    assert.equal(traceSettings({ ...given, endpoint: "http://c" })?.resource["service.name"], "foozol-cloud")
  })

  it("pairs are parted by commas, with values percent-encoded", () => {
    assert.deepEqual(readPairs("a=1, b = x%20y=z ,"), { a: "1", b: "x y=z" })
    assert.deepEqual(readPairs(""), {})
    for (const wrong of ["a", "=1", "a b=1", "a=%zz"]) assert.equal(readPairs(wrong), null, wrong)
  })
})

describe("traces: what a run takes down", () => {
  let now: number
  let kept: Kept[]
  const begin = () => {
    now = 1_000
    kept = []
    return createRecorder(
      () => now,
      async spans => void kept.push(...spans),
    )
  }
  /** Name, beginning, end and the step it is a part of. */
  const told = () =>
    kept.map(({ span }) => {
      const parent = kept.find(one => one.span.id === span.parent)?.span
      return `${parent?.of ?? ""}/${span.name} ${span.of ?? ""} ${span.at}-${span.until}${span.failed ? " failed" : ""}`
    })
  const resource = (name: string, state: "begun" | "done" | "failed", change = "create") =>
    ({ type: "resource", name, kind: "k", change, state }) as EngineEvent

  it("the engine's phases and resources lie in the steps in which they began", async () => {
    const recorder = begin()
    recorder.step("check")
    const engine = timeEngine(recorder)
    const hear = (at: number, event: EngineEvent) => {
      now = at
      engine.heard(event, () => recorder.step("resources"))
    }
    now = 1_100
    engine.taken()
    hear(1_150, { type: "process", pgid: 1 })
    hear(1_500, resource("firewall", "begun"))
    hear(1_600, resource("ipv4", "begun"))
    hear(1_700, resource("firewall", "done"))
    hear(1_800, resource("ipv4", "failed"))
    hear(1_900, resource("record-A", "begun", "same"))
    hear(1_900, resource("record-A", "done", "same"))
    now = 2_000
    engine.over(true)
    recorder.endStep(true)
    await recorder.flush()
    assert.deepEqual(told(), [
      "check/engine-wait  1000-1100",
      "check/engine-look  1100-1150",
      "check/engine-start  1150-1500",
      "/step check 1000-1500",
      "resources/resource firewall 1500-1700",
      "resources/resource ipv4 1600-1800 failed",
      "resources/engine-end  1800-2000 failed",
      "/step resources 1500-2000 failed",
    ])
    assert.equal(recorder.seconds()["resource:firewall"], 0.2)
  })

  it("a desktop's first report, and what was missing in it until it was there", async () => {
    const recorder = begin()
    recorder.step("desktop")
    const desktop = timeDesktop(recorder)
    const hear = (at: number, ...checks: [string, boolean][]) => {
      now = at
      desktop.reported(checks.map(([name, ok]) => ({ name, ok })))
    }
    desktop.connected()
    hear(1_200, ["vnc", true], ["certificate", false], ["https", false], ["<b>", false])
    hear(1_500, ["vnc", false], ["certificate", true])
    now = 1_900
    desktop.over()
    recorder.endStep(false)
    await recorder.flush()
    assert.deepEqual(told(), [
      "desktop/first-report  1000-1200",
      "desktop/check certificate 1200-1500",
      "desktop/check https 1200-1900 failed",
      "/step desktop 1000-1900",
    ])
  })

  it("nothing ends before it began, whatever becomes of the clock, and nothing is kept twice", async () => {
    const recorder = begin()
    recorder.step("check")
    now = 500
    recorder.endStep(false)
    await Promise.all([recorder.flush(), recorder.flush()])
    assert.deepEqual(told(), ["/step check 1000-1000"])
  })
})

describe("traces: what people are shown", () => {
  const span = (name: Span["name"], at: number, until: number, more: Partial<Span> = {}): Span => ({
    ...{ id: `${name}-${more.of}`, parent: null, name, at, until },
    ...more,
  })
  const operation = { kind: "create" as const, estimate: { seconds: 4, steps: { boot: 2 }, parts: { queue: 0.5 } } }

  it("is in order, parts within their steps, what was usual beside, and says where nobody worked on it", () => {
    const rows = timeRows(operation, [
      span("queue", 0, 100),
      span("step", 100, 900, { of: "boot" }),
      span("check", 200, 300, { parent: "step-boot", of: "vnc" }),
      span("step", 15_900, 16_000, { of: "desktop", failed: true }),
    ])
    assert.deepEqual(
      rows.map(({ label, usual, failed, parts }) => [label, usual, failed, parts.map(part => part.label)]),
      [
        ["Waiting for its turn", 0.5, false, []],
        ["Starting the machine", 2, false, ["Waiting for the picture (VNC)"]],
        ["Interrupted, until another worker went on", null, false, []],
        ["Getting the desktop ready", null, true, []],
      ],
    )
    assert.deepEqual([rows[2]?.at, rows[2]?.until], [900, 15_900])
  })

  it("adds up from the click to the first picture, as far as these are known", () => {
    assert.equal(wholeTime([]), null)
    const work = [span("queue", 100, 200), span("step", 200, 900, { of: "boot" })]
    assert.deepEqual(wholeTime(work), { ms: 800, from: "the wish", to: "the last step" })
    const way = [span("click", 0, 100), ...work, span("redirect", 900, 1_000), span("first-frame", 1_000, 3_000)]
    assert.deepEqual(wholeTime(way), { ms: 3_000, from: "the click", to: "the first picture" })
    assert.equal(wholeTime(way.slice(0, -1))?.to, "the way to the machine")
  })
})
