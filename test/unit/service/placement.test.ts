import assert from "node:assert/strict"
import { choosePlace, closedBecause, type ProjectFacts, roomIn } from "../../../service/projects/placement.ts"

const MINUTE = 60_000
const NOW = 1_800_000_000_000

const project = (name: string, more: Partial<ProjectFacts> = {}): ProjectFacts => ({
  ...{ name, workspaces: 0, most: 0, limitMetAt: null, hasImage: true },
  weather: { requestsLeft: 1, isStormy: false },
  ...more,
})

describe("placement: into which project a new workspace goes", () => {
  const chosen = (...projects: ProjectFacts[]) => choosePlace(projects, NOW)

  it("the first that has room", () => {
    assert.equal(chosen(project("main"), project("two")), "main")
    assert.equal(chosen(project("main", { workspaces: 10_000 }), project("two")), "main")
    assert.equal(chosen(project("main", { limitMetAt: NOW - 59 * MINUTE }), project("two")), "two")
    assert.equal(chosen(project("main", { limitMetAt: NOW - 60 * MINUTE }), project("two")), "main")
    assert.equal(chosen(project("main", { workspaces: 9, most: 10 }), project("two")), "main")
    assert.equal(chosen(project("main", { workspaces: 10, most: 10 }), project("two")), "two")
    assert.equal(chosen(project("main", { hasImage: false }), project("two")), "two")
  })

  it("one that fails, or has few requests left, only where no other has room", () => {
    const stormy = { weather: { requestsLeft: 1, isStormy: true } }
    const spent = { weather: { requestsLeft: 0.05, isStormy: false } }
    for (const weather of [stormy, spent]) {
      assert.equal(chosen(project("main", weather), project("two")), "two")
      assert.equal(chosen(project("main", weather), project("two", { most: 1, workspaces: 1 })), "main")
    }
    assert.equal(chosen(project("main", spent), project("two", stormy)), "main")
  })

  it("none where all are full; a limit that was met a while ago is tried again then, the oldest first", () => {
    const met = (minutes: number) => ({ limitMetAt: NOW - minutes * MINUTE })
    assert.equal(chosen(), null)
    assert.equal(chosen(project("main", met(4)), project("two", met(1))), null)
    assert.equal(chosen(project("main", met(5)), project("two", met(20))), "two")
    assert.equal(chosen(project("main", { ...met(30), hasImage: false }), project("two", met(1))), null)
    assert.equal(chosen(project("main", { ...met(30), most: 3, workspaces: 3 })), null)
  })

  it("and says why one is closed, and how much of it is free", () => {
    const facts = (more: Partial<ProjectFacts>) => project("main", more)
    const shown = (more: Partial<ProjectFacts>) => [closedBecause(facts(more), NOW), roomIn(facts(more), NOW)]
    assert.deepEqual(shown({}), [null, 1])
    assert.deepEqual(shown({ workspaces: 15, most: 20 }), [null, 0.25])
    assert.deepEqual(shown({ workspaces: 21, most: 20 }), ["number-reached", 0])
    assert.deepEqual(shown({ limitMetAt: NOW }), ["limit-met", 0])
    assert.deepEqual(shown({ limitMetAt: NOW, hasImage: false }), ["no-image", 0])
  })
})
