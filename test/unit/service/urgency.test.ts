import assert from "node:assert/strict"
import { URGENCY, urgencyOf } from "../../../service/operations/urgency.ts"
import type { Kind } from "../../../service/workspaces/transitions.ts"

describe("service/operations/urgency", () => {
  const cases: [Kind, string, keyof typeof URGENCY][] = [
    ["create", "gh-1", "waitedFor"],
    ["wake", "gh-1", "waitedFor"],
    ["restore", "gh-1", "waitedFor"],
    ["upgrade", "gh-1", "waitedFor"],
    ["stop", "gh-1", "wanted"],
    ["backup", "gh-1", "wanted"],
    ["destroy", "gh-1", "wanted"],
    ["hibernate", "idleness", "wanted"],
    ["backup", "schedule", "chore"],
    ["prove", "schedule", "chore"],
    ["upgrade", "roll-out", "chore"],
  ]
  for (const [kind, by, urgency] of cases) {
    it(`${kind} for ${by}: ${urgency}`, () => assert.equal(urgencyOf({ kind, requestedBy: by }), URGENCY[urgency]))
  }
})
