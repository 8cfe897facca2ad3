import assert from "node:assert/strict"
import type { Judgement } from "../../../service/idleness/judge.ts"
import { nextStep } from "../../../service/idleness/next-step.ts"
import { STATES, type State } from "../../../service/workspaces/transitions.ts"

const NOW = 1_900_000_000_000
const MINUTE = 60_000

/**
 * State, the stop that was announced, the judgement with its stop, how old the last report is; and what is done.
 * All in minutes from now; a warning comes 5 min before.
 */
const TABLE = `
RUNNING | none | active  | 0    | nothing
RUNNING | none | unknown | 9    | nothing
RUNNING | none | idle 15 | 0    | rest
RUNNING | none | idle -9 | 0    | rest
RUNNING | none | idle no | 0    | rest
IDLE    | none | active  | 0    | rouse
IDLE    | 3    | active  | 0    | rouse
IDLE    | none | unknown | 9    | rouse
IDLE    | -1   | unknown | 9    | rouse
IDLE    | none | idle 15 | 0    | nothing
IDLE    | none | idle 6  | 0    | nothing
IDLE    | none | idle 5  | 0    | warn 5
IDLE    | none | idle 2  | 0    | warn 5
IDLE    | none | idle -9 | 0    | warn 5
IDLE    | none | idle no | 0    | nothing
IDLE    | 3    | idle no | 0    | call-off
IDLE    | -1   | idle no | 0    | call-off
IDLE    | 3    | idle 3  | 0    | nothing
IDLE    | 3    | idle -9 | 0    | nothing
IDLE    | -1   | idle 4  | 0    | nothing
IDLE    | -1   | idle -1 | 1.2  | ask
IDLE    | 0    | idle 0  | 0.1  | ask
IDLE    | -1   | idle -1 | 0.5  | stop
IDLE    | -1   | idle -9 | 0.9  | stop
IDLE    | -1   | idle -9 | 1    | stop
IDLE    | -1   | idle -9 | none | ask
STOPPED | -1   | idle -9 | 0    | nothing
`

function judgementOf(text: string): Judgement {
  const [verdict, stop = ""] = text.split(" ")
  if (verdict === "unknown") return { verdict, since: null, signals: [] }
  const stopsAt = stop === "no" ? null : NOW + Number(stop) * MINUTE
  if (verdict === "idle") return { verdict, since: NOW - 30 * MINUTE, stopsAt, signals: [] }
  return { verdict: "active", because: ["input"], idleAt: NOW + 1, stopsAt: NOW + 2, signals: [] }
}

describe("the next step towards a stop", () => {
  const minutes = (text: string) => (text === "none" ? null : Number(text))
  for (const row of TABLE.trim().split("\n")) {
    const [state = "", planned = "", judged = "", age = "", expected = ""] = row.split("|").map(part => part.trim())
    it(`${state}, announced ${planned}, ${judged}, report ${age} ago: ${expected}`, () => {
      const [plan, ago] = [minutes(planned), minutes(age)]
      const step = nextStep(
        {
          state: state as State,
          plannedStop: plan === null ? null : NOW + plan * MINUTE,
          reportedAt: ago === null ? null : NOW - ago * MINUTE,
        },
        judgementOf(judged),
        { warningMs: 5 * MINUTE },
        NOW,
      )
      assert.equal(step.do === "warn" ? `warn ${(step.at - NOW) / MINUTE}` : step.do, expected)
    })
  }
  it("is none in states that an operation leads out of, or nothing does", () => {
    for (const state of STATES.filter(one => one !== "RUNNING" && one !== "IDLE")) {
      const workspace = { state, plannedStop: NOW - 1, reportedAt: NOW }
      assert.deepEqual(nextStep(workspace, judgementOf("idle -9"), { warningMs: 1 }, NOW), { do: "nothing" }, state)
    }
  })
})
