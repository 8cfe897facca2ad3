import assert from "node:assert/strict"
import { page } from "../../../local-cloud/api/request.ts"
import { ApiError } from "../../../local-cloud/errors.ts"

describe("request/page", () => {
  const records = Array.from({ length: 120 }, (_, i) => ({
    id: i + 1,
    name: `n${String(120 - i).padStart(3, "0")}`,
    created: `2026-01-01T00:00:${String(i % 60).padStart(2, "0")}Z`,
    labels: { odd: String(i % 2) },
  }))
  const ask = (query: string, most?: number) => {
    const call = { project: "p", query: new URLSearchParams(query), params: {}, body: null, failActions: false }
    const reply = page(call, "things", [...records].reverse(), one => ({ id: one.id }), most)
    return reply.body?.() as { things: { id: number }[]; meta: { pagination: Record<string, number | null> } }
  }
  const ids = (query: string) => ask(query).things.map(one => one.id)

  it("holds 25, from the lowest id", () => {
    const { things, meta } = ask("")
    assert.deepEqual([things.length, things[0]?.id, things[24]?.id], [25, 1, 25])
    assert.deepEqual(meta.pagination, {
      page: 1,
      per_page: 25,
      previous_page: null,
      next_page: 2,
      last_page: 5,
      total_entries: 120,
    })
  })
  it("holds at most 50, or what the list allows", () => {
    assert.equal(ask("per_page=500").things.length, 50)
    assert.equal(ask("per_page=500", 100).things.length, 100)
  })
  it("the last page names no next one, and one past it is empty", () => {
    const { things, meta } = ask("page=3&per_page=50")
    assert.deepEqual([things.length, meta.pagination.next_page, meta.pagination.previous_page], [20, null, 2])
    assert.deepEqual(ids("page=9"), [])
  })
  it("the pages together hold everything once", () => {
    const all = [1, 2, 3, 4, 5].flatMap(number => ids(`page=${number}&sort=name`))
    assert.deepEqual([all.length, new Set(all).size], [120, 120])
  })
  it("sorts by fields in the order given, each in its direction", () => {
    assert.deepEqual(ids("sort=name&per_page=2"), [120, 119])
    assert.deepEqual(ids("sort=id:desc&per_page=2"), [120, 119])
    assert.deepEqual(ids("sort=created:desc&sort=id:desc&per_page=3"), [120, 60, 119])
    assert.deepEqual(ids("sort=created:desc,id:asc&per_page=3"), [60, 120, 59])
  })
  it("filters by name, id and label", () => {
    assert.deepEqual(ids("name=n001"), [120])
    assert.deepEqual(ids("id=3&id=5&id=999"), [3, 5])
    assert.equal(ask("label_selector=odd=1").meta.pagination.total_entries, 60)
  })
  for (const bad of ["page=0", "page=x", "per_page=-1", "sort=secret", "label_selector=%3D"]) {
    it(`refuses ${bad}`, () => {
      assert.throws(
        () => ask(bad),
        (error: unknown) => error instanceof ApiError && error.code === "invalid_input",
      )
    })
  }
})
