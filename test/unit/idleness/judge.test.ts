import assert from "node:assert/strict"
import fc from "fast-check"
import { type Judgement, type JudgeSettings, judge, type Observed } from "../../../service/idleness/judge.ts"
import { windowsOf } from "../../../service/idleness/settings.ts"
import { SIGNALS, type Signal } from "../../../service/idleness/signals.ts"

const NOW = Date.parse("2030-05-05T12:00:00Z")
const MINUTE = 60_000

/**
 * What was seen, each with how long ago ("+" is the future), and what follows: in use until (from now), or idle since
 * (ago); and when it stops. A signal counts 30 min, a workspace stops after 15 min of being idle, and a machine that has
 * been silent for 90 s is unknown. Settings stand in brackets.
 */
const TABLE = `
input 0s                                | active input, idle in 30m, stops in 45m
input 1m                                | active input, idle in 29m, stops in 44m
input 29m                               | active input, idle in 1m, stops in 16m
input 29m59s                            | active input, idle in 1s, stops in 15m1s
input 30m                               | idle since 0s, stops in 15m
input 31m                               | idle since 1m, stops in 14m
input 44m                               | idle since 14m, stops in 1m
input 45m                               | idle since 15m, stops in 0s
input 3h                                | idle since 2h30m, stops 2h15m ago
output 0s                               | active output, idle in 30m, stops in 45m
output 29m                              | active output, idle in 1m, stops in 16m
output 30m                              | idle since 0s, stops in 15m
agent 5m                                | active agent, idle in 25m, stops in 40m
agent 30m1s                             | idle since 1s, stops in 14m59s
work 10m                                | active work, idle in 20m, stops in 35m
work 40m                                | idle since 10m, stops in 5m
files 15m                               | active files, idle in 15m, stops in 30m
files 60m                               | idle since 30m, stops 15m ago
ssh 0s                                  | active ssh, idle in 30m, stops in 45m
ssh 31m                                 | idle since 1m, stops in 14m
webUi 2m                                | active webUi, idle in 28m, stops in 43m
webUi 30m                               | idle since 0s, stops in 15m
visit 3m                                | active visit, idle in 27m, stops in 42m
visit 35m                               | idle since 5m, stops in 10m
start 0s                                | active start, idle in 30m, stops in 45m
start 32m                               | idle since 2m, stops in 13m
contact 20s                             | active contact, idle in 29m40s, stops in 44m40s
contact 30m                             | idle since 0s, stops in 15m
viewer 0s, start 2h                     | idle since 1h30m, stops 1h15m ago
viewer 0s, input 1m                     | active input, idle in 29m, stops in 44m
viewer 0s, input 31m                    | idle since 1m, stops in 14m
viewer 0s                               | unknown
viewer 0s [viewer=1]                    | active viewer, idle in 30m, stops in 45m
viewer 20m, start 2h [viewer=0.5]       | idle since 5m, stops in 10m
input 50m, output 10m                   | active output, idle in 20m, stops in 35m
input 10m, output 20m                   | active input output, idle in 20m, stops in 35m
output 20m, input 10m, files 1m         | active files input output, idle in 29m, stops in 44m
input 50m, output 40m, files 35m        | idle since 5m, stops in 10m
input 2h, work 0s                       | active work, idle in 30m, stops in 45m
start 3h, agent 0s                      | active agent, idle in 30m, stops in 45m
start 3h, ssh 29m, webUi 31m            | active ssh, idle in 1m, stops in 16m
files 10m, start 1h [files=0]           | idle since 30m, stops 15m ago
files 10m, start 1h [files=0.5]         | active files, idle in 5m, stops in 20m
files 16m, start 1h [files=0.5]         | idle since 1m, stops in 14m
input 50m [input=2]                     | active input, idle in 10m, stops in 25m
input 50m [desktop.input=2]             | idle since 20m, stops 5m ago
input 50m [browser.input=2]             | active input, idle in 10m, stops in 25m
ssh 0s, start 1h [ssh=0]                | idle since 30m, stops 15m ago
keepOn +8h, input 3h                    | active keepOn, idle in 8h, stops in 8h15m
keepOn +1m, input 3h                    | active keepOn, idle in 1m, stops in 16m
keepOn +10m, input 5m                   | active input keepOn, idle in 25m, stops in 40m
keepOn +8h, input 5m                    | active keepOn input, idle in 8h, stops in 8h15m
keepOn +8h                              | active keepOn, idle in 8h, stops in 8h15m
keepOn 0s, input 3h                     | idle since 0s, stops in 15m
keepOn 5m, input 3h                     | idle since 5m, stops in 10m
keepOn 5m, input 10m                    | active input, idle in 20m, stops in 35m
keepOn 5h, input 35m                    | idle since 5m, stops in 10m
input 1m [autoStop off]                 | active input, idle in 29m, stops never
input 31m [autoStop off]                | idle since 1m, stops never
input 3h [autoStop off]                 | idle since 2h30m, stops never
keepOn +8h, input 3h [autoStop off]     | active keepOn, idle in 8h, stops never
input 3h, report 89s                    | idle since 2h30m, stops 2h15m ago
input 3h, report 90s                    | idle since 2h30m, stops 2h15m ago
input 3h, report 91s                    | unknown
input 3h, report 5h                     | unknown
input 1m, report 91s                    | unknown
keepOn +8h, input 3h, report 2m         | unknown
input 3h, report never                  | unknown
keepOn +8h, report never                | unknown
report 0s                               | unknown
input 3h, report +89s                   | idle since 2h30m, stops 2h15m ago
input 3h, report +91s                   | unknown
input 3h, report +1d                    | unknown
input +10m                              | active input, idle in 40m, stops in 55m
input +1d                               | active input, idle in 1d30m, stops in 1d45m
files +1h, input 2h                     | active files, idle in 1h30m, stops in 1h45m
contact 0s, input 3h                    | active contact, idle in 30m, stops in 45m
`

const UNITS: Record<string, number> = { s: 1_000, m: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE }
const span = (text: string) =>
  [...text.matchAll(/(\d+)([smhd])/g)].reduce(
    (sum, [, amount, unit = ""]) => sum + Number(amount) * (UNITS[unit] ?? 0),
    0,
  )
const words = (ms: number): string => {
  let rest = ms
  const parts = (["d", "h", "m", "s"] as const).map(unit => {
    const amount = Math.floor(rest / (UNITS[unit] as number))
    rest -= amount * (UNITS[unit] as number)
    return amount > 0 ? `${amount}${unit}` : ""
  })
  return parts.join("") || "0s"
}

function read(history: string): { observed: Observed; settings: JudgeSettings } {
  const [, facts = "", bracket = ""] = /^([^[]*)(?:\[(.*)\])?$/.exec(history) ?? []
  const observed: Observed = { seen: {}, reportedAt: NOW, keepOnUntil: null }
  for (const [, name = "", when = ""] of facts.matchAll(/(\w+) (never|\+?\w+)/g)) {
    const at = when.startsWith("+") ? NOW + span(when) : NOW - span(when)
    if (name === "report") observed.reportedAt = when === "never" ? null : at
    else if (name === "keepOn") observed.keepOnUntil = at
    else observed.seen[name as Signal] = at
  }
  const autoStop = bracket !== "autoStop off"
  const windows = windowsOf(30 * MINUTE, autoStop && bracket !== "" ? [bracket] : [])
  return { observed, settings: { windows: windows.browser, stopMs: 15 * MINUTE, silentMs: 90_000, autoStop } }
}

function say(judgement: Judgement): string {
  if (judgement.verdict === "unknown") return "unknown"
  const { stopsAt } = judgement
  const late = stopsAt !== null && stopsAt < NOW ? `${words(NOW - stopsAt)} ago` : null
  const stop = `stops ${stopsAt === null ? "never" : (late ?? `in ${words(stopsAt - NOW)}`)}`
  return judgement.verdict === "idle"
    ? `idle since ${words(NOW - judgement.since)}, ${stop}`
    : `active ${judgement.because.join(" ")}, idle in ${words(judgement.idleAt - NOW)}, ${stop}`
}

describe("the judgement of a workspace's use", () => {
  const rows = TABLE.trim().split("\n")
  for (const row of rows) {
    const [history = "", expected = ""] = row.split("|").map(part => part.trim())
    it(`${history}: ${expected}`, () => {
      const { observed, settings } = read(history)
      assert.equal(say(judge(observed, settings, NOW)), expected)
    })
  }
  it("has a table of sixty histories at least, and every signal in it", () => {
    assert.ok(rows.length >= 60, String(rows.length))
    for (const signal of SIGNALS) assert.match(TABLE, new RegExp(`^.*\\b${signal} `, "m"))
  })

  const times = fc.integer({ min: NOW - 6 * 3_600_000, max: NOW + 3_600_000 })
  const observations = fc.record({
    seen: fc.dictionary(fc.constantFrom(...SIGNALS), times) as fc.Arbitrary<Observed["seen"]>,
    reportedAt: fc.option(times),
    keepOnUntil: fc.option(times),
  })
  const settings: JudgeSettings = {
    ...{ windows: windowsOf(30 * MINUTE, []).desktop, stopMs: 15 * MINUTE, silentMs: 90_000, autoStop: true },
  }

  it("never is idle while something that counts lies within its window, or it is kept on", () => {
    fc.assert(
      fc.property(observations, observed => {
        const { verdict } = judge(observed, settings, NOW)
        const isUsed = SIGNALS.some(signal => {
          return settings.windows[signal] > 0 && NOW - (observed.seen[signal] ?? 0) < settings.windows[signal]
        })
        if (isUsed || (observed.keepOnUntil ?? 0) > NOW) assert.notEqual(verdict, "idle")
      }),
      { numRuns: 5_000 },
    )
  })

  it("never is idle or active where the machine is silent", () => {
    fc.assert(
      fc.property(observations, observed => {
        const isSilent = observed.reportedAt === null || Math.abs(NOW - observed.reportedAt) > settings.silentMs
        if (isSilent) assert.equal(judge(observed, settings, NOW).verdict, "unknown")
      }),
      { numRuns: 5_000 },
    )
  })

  it("never stops earlier for more signs of use, nor for a clock that goes back", () => {
    const stop = (observed: Observed, now: number) => {
      const judgement = judge(observed, settings, now)
      return judgement.verdict === "unknown" ? Number.POSITIVE_INFINITY : (judgement.stopsAt ?? 0)
    }
    fc.assert(
      fc.property(observations, fc.constantFrom(...SIGNALS), times, fc.nat(7_200_000), (observed, signal, at, back) => {
        const before = Math.max(at, observed.seen[signal] ?? 0)
        const more = { ...observed, seen: { ...observed.seen, [signal]: before } }
        if (judge(observed, settings, NOW).verdict !== "unknown") assert.ok(stop(more, NOW) >= stop(observed, NOW))
        const judged = judge(observed, settings, NOW - back)
        if (judged.verdict === "idle") assert.equal(judge(observed, settings, NOW).verdict === "active", false)
      }),
      { numRuns: 5_000 },
    )
  })
})
