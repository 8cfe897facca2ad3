import assert from "node:assert/strict"
import type { Machines, Snapshot } from "../../../infra/machines/contract.ts"
import { newestReady, sameImageIn } from "../../../service/workspaces/images-at.ts"

const labels = (hash: string | null, state = "ready") => ({
  ...{ "managed-by": "foozol-cloud", "foozol-profile": "browser", "foozol-image-state": state },
  ...(hash === null ? {} : { "foozol-image": hash }),
})
const snapshot = (id: number, day: number, its: Record<string, string>): Snapshot => ({
  ...{ id: String(id), state: "available", description: "", labels: its, bytes: 1, diskGb: 20 },
  createdAt: new Date(Date.UTC(2026, 0, day)),
})

describe("images: which one is made machines of in which project", () => {
  const both = async (has: Record<string, Snapshot[]>, configured?: number) => {
    const lists: Pick<Machines, "listSnapshots"> = {
      listSnapshots: async (wanted, { project = "main" } = {}) =>
        (has[project] ?? []).filter(one => Object.entries(wanted).every(([key, value]) => one.labels[key] === value)),
    }
    const main = configured ?? (await newestReady(lists, "browser", "main"))
    return [main, main === null ? null : await sameImageIn(lists, "browser", main, "two")]
  }
  const two = [snapshot(11, 1, labels("old")), snapshot(12, 2, labels("new"))]

  it("in the main one the newest that was promoted; in another the one of the same content", async () => {
    const main = [
      snapshot(1, 5, labels("old")),
      snapshot(2, 6, labels("new")),
      snapshot(3, 7, labels("x", "candidate")),
    ]
    assert.deepEqual(await both({ main, two }), [2, 12])
    assert.deepEqual(await both({ main, two: two.slice(0, 1) }), [2, null])
    assert.deepEqual(await both({ main, two: [snapshot(13, 9, labels("new", "candidate"))] }), [2, null])
    assert.deepEqual(await both({ two }), [null, null])
  })

  it("one that the settings name is the main project's alone: what has its content counts elsewhere", async () => {
    const main = [snapshot(1, 5, labels("old")), snapshot(2, 6, labels("new"))]
    assert.deepEqual(await both({ main, two }, 1), [1, 11])
    assert.deepEqual(await both({ main, two: two.slice(1) }, 1), [1, null])
  })

  it("where that one says nothing of its content, the newest that was promoted there", async () => {
    assert.deepEqual(await both({ main: [], two }, 99), [99, 12])
  })
})
