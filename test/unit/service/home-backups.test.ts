import assert from "node:assert/strict"
import { failedWith, HomeNews, heardOf, SignWish } from "../../../service/home-backups/news.ts"
import type { HomeRecord, HomeRun } from "../../../service/home-backups/records.ts"
import { alongWith, isHomeDue, isLost } from "../../../service/home-backups/schedule.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = 100 * DAY
const id = (digit: string) => digit.repeat(64)

const run: HomeRun = {
  ...{ id: "run", do: "backup", prove: false, keepDays: null, from: null, backup: null },
  ...{ askedAt: NOW, heardAt: null, percent: null },
}
const record = (more: Partial<HomeRecord> = {}): HomeRecord => ({
  ...{ workspace: "calm-otter", deletedName: null, sealed: "s", kept: "s", backups: [], stored: null, proof: null },
  ...{ prunedAt: null, run: null, restoredAt: null, failure: null, keepUntil: null, ...more },
})
const made = (at: number) => [{ id: id("a"), at, bytes: 1, files: 1 }]

describe("home backups: when", () => {
  const due = (one: HomeRecord | null, now = NOW) => isHomeDue(one, { createdAt: NOW - HOUR, everyMs: DAY, now })

  it("the first one an hour after the workspace was made, then a day after the newest", () => {
    assert.deepEqual([due(null), due(null, NOW - 1)], [true, false])
    const one = record({ backups: made(NOW - DAY) })
    assert.deepEqual([due(one), due(one, NOW - 1)], [true, false])
    assert.equal(due({ ...one, run }), false, "it goes on already")
  })

  it("after failures later and later; a failed restore holds nothing up", () => {
    const failed = (times: number, ago: number) =>
      record({ failure: { do: "backup", message: "", at: NOW - ago, times } })
    assert.deepEqual([due(failed(1, HOUR / 4)), due(failed(1, HOUR / 4 - 1))], [true, false])
    assert.deepEqual([due(failed(9, 4 * HOUR)), due(failed(9, 4 * HOUR - 1))], [true, false])
    assert.equal(due(record({ failure: { do: "restore", message: "", at: NOW, times: 1 } })), true)
  })

  it("with a trial where none has passed within the days, and with removal of what is older once a week", () => {
    const along = (one: HomeRecord) => alongWith(one, { proofEveryMs: 7 * DAY, keepDays: 5, now: NOW })
    const proof = (passed: boolean, at: number) => ({ passed, at, files: 1, detail: null })
    assert.deepEqual(along(record()), { prove: true, keepDays: null })
    const old = record({ backups: made(NOW - DAY), proof: proof(true, NOW - DAY) })
    assert.deepEqual(along(old), { prove: false, keepDays: 5 })
    assert.deepEqual(along({ ...old, prunedAt: NOW - 6 * DAY }), { prove: false, keepDays: null })
    assert.equal(along({ ...old, proof: proof(true, NOW - 7 * DAY) }).prove, true)
    assert.equal(along({ ...old, proof: proof(false, NOW - 1) }).prove, true)
  })

  it("a machine that is connected and tells nothing for ten minutes has let go of it", () => {
    const one = record({ run: { ...run, askedAt: NOW - DAY } })
    assert.equal(isLost(one, NOW - 11 * 60_000, NOW), true)
    assert.equal(isLost(one, NOW - 9 * 60_000, NOW), false, "it has only just connected")
    assert.equal(isLost(record({ run: { ...run, askedAt: NOW - DAY, heardAt: NOW - 1 } }), 0, NOW), false)
    assert.equal(isLost(record(), 0, NOW), false)
  })
})

describe("home backups: what machines say", () => {
  const before = record({ run, backups: made(NOW - DAY), failure: { do: "backup", message: "x", at: 0, times: 2 } })

  it("of another run changes nothing", () => {
    assert.equal(heardOf(before, { id: "other", state: "going" }, NOW), before)
    assert.equal(heardOf(record(), { id: "run", state: "failed", reason: "x" }, NOW).failure, null)
  })

  it("how far it is, that it is done, and what there is now", () => {
    const going = heardOf(before, { id: "run", state: "going", percent: 7 }, NOW)
    assert.deepEqual([going.run?.percent, going.run?.heardAt], [7, NOW])
    const done = heardOf(
      before,
      {
        ...{ id: "run", state: "done", made: { backup: id("b"), files: 2, bytes: 9 } },
        backups: [id("a"), id("b"), id("c")].map((one, at) => ({ id: one, at: new Date(at * DAY).toISOString() })),
      },
      NOW,
    )
    assert.deepEqual([done.run, done.failure, done.restoredAt], [null, null, null])
    assert.deepEqual(
      done.backups.map(one => [one.id[0], one.bytes, one.files]),
      [
        ["c", null, null],
        ["b", 9, 2],
        ["a", 1, 1],
      ],
    )
  })

  it("that it has failed, which is counted in a row", () => {
    const failed = failedWith(before, "no room", NOW)
    assert.deepEqual(failed.failure, { do: "backup", message: "no room", at: NOW, times: 3 })
    assert.deepEqual(failed.backups, before.backups)
    const restore = failedWith(record({ run: { ...run, do: "restore" }, failure: before.failure }), "no", NOW)
    assert.equal(restore.failure?.times, 1)
  })

  it("is read strictly: only objects of a repository, and no orders for shells", () => {
    const fine = { id: "run", method: "GET", name: `data/${id("a")}` }
    assert.equal(SignWish.safeParse(fine).success, true)
    const names = ["", "config/", "../config", `data/${id("a")}/..`, `data/${id("G")}`, `a/data/${id("a")}`, "data/a"]
    for (const name of names) assert.equal(SignWish.safeParse({ ...fine, name }).success, false, name)
    assert.equal(SignWish.safeParse({ ...fine, method: "POST" }).success, false)
    assert.equal(SignWish.safeParse({ ...fine, method: "PUT" }).success, false, "without a digest")
    const said = HomeNews.parse({ id: "run", state: "failed", reason: "red \u001b[31m" })
    assert.ok(said.state === "failed" && !said.reason.includes("\u001b"))
  })
})
