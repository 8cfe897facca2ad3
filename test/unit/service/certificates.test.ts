import assert from "node:assert/strict"
import {
  free,
  roomAt,
  under,
  used,
  after as usedAfter,
  WEEK_MS,
  without,
} from "../../../service/certificates/budget.ts"
import {
  type AuthorityFacts,
  closedBy,
  decide,
  isRefusal,
  NOTHING_YET,
  type Standing,
} from "../../../service/certificates/decide.ts"
import { inOrder, turnAt } from "../../../service/certificates/queue.ts"
import type { MachineCertificate } from "../../../service/machines/certificate.ts"

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
const NOW = Date.parse("2026-11-02T10:00:00Z")
const FIFTY = { most: 50, periodMs: WEEK_MS }

describe("service/certificates: what an authority grants in a week", () => {
  /** What is used after so many at once. */
  const burst = (count: number, until = 0) => {
    let sum = until
    for (let i = 0; i < count; i++) sum = usedAfter(sum, FIFTY, NOW)
    return sum
  }

  it("fifty at once, then one every 202 minutes, and all of it after a week of rest", () => {
    assert.equal(free(0, FIFTY, NOW), 50)
    assert.equal(free(burst(49), FIFTY, NOW), 1)
    const all = burst(50)
    assert.equal(free(all, FIFTY, NOW), 0)
    assert.equal(Math.round(used(all, FIFTY, NOW)), 50)
    assert.equal(free(all, FIFTY, NOW + 201 * MINUTE), 0)
    assert.equal(free(all, FIFTY, NOW + 202 * MINUTE), 1)
    assert.equal(free(all, FIFTY, NOW + 7 * DAY), 50)
    assert.equal(free(all, FIFTY, NOW + 30 * DAY), 50)
  })

  it("what nobody asked for in the end comes back at once", () => {
    assert.equal(free(without(burst(50), FIFTY), FIFTY, NOW), 1)
    assert.equal(free(without(burst(1), FIFTY), FIFTY, NOW), 50)
  })

  it("tells when there is room, by how many are before", () => {
    const all = burst(50)
    const gap = WEEK_MS / 50
    assert.equal(roomAt(burst(10), FIFTY, 5, NOW), NOW)
    assert.equal(roomAt(all, FIFTY, 0, NOW), NOW + gap)
    assert.equal(roomAt(all, FIFTY, 9, NOW), NOW + 10 * gap)
    assert.equal(free(all, FIFTY, roomAt(all, FIFTY, 9, NOW)), 10)
  })

  it("another number leaves what is used as it is", () => {
    const [more, fewer] = [
      { most: 300, periodMs: WEEK_MS },
      { most: 20, periodMs: WEEK_MS },
    ]
    assert.equal(free(under(burst(50), FIFTY, more, NOW), more, NOW), 250)
    assert.equal(free(under(burst(50), FIFTY, fewer, NOW), fewer, NOW), 0)
    assert.equal(free(under(burst(5), FIFTY, fewer, NOW), fewer, NOW), 15)
  })

  it("no number is no limit", () => {
    const none = { most: 0, periodMs: WEEK_MS }
    assert.equal(free(usedAfter(0, none, NOW), none, NOW), Number.POSITIVE_INFINITY)
    assert.equal(roomAt(0, none, 1_000, NOW), NOW)
  })
})

describe("service/certificates: whom a machine asks", () => {
  const authority = (id: string, more: Partial<AuthorityFacts> = {}): AuthorityFacts => ({
    ...{ id, directory: `https://${id}.example/dir`, allowance: FIFTY, usedUntil: 0, closed: null, ...more },
  })
  const first = authority("first")
  const second = authority("second", { allowance: { most: 0, periodMs: WEEK_MS } })
  const full = NOW + WEEK_MS
  const report = (more: Partial<MachineCertificate> = {}): MachineCertificate => ({
    ...{ state: "self-signed", issuer: "workspace", asking: false, nextAt: null, problem: null },
    ...{ issuedAt: iso(NOW - DAY), expiresAt: iso(NOW + 89 * DAY), ...more },
  })
  const problem = (kind: string, of: AuthorityFacts, failures = 1) => ({
    problem: { kind, reason: `it says ${kind}`, failures, authority: of.directory },
  })
  const issuedBy = (of: AuthorityFacts, daysLeft = 89) =>
    report({
      ...{ state: "issued", issuer: of.id, authority: of.directory },
      ...{ issuedAt: iso(NOW - (90 - daysLeft) * DAY), expiresAt: iso(NOW + daysLeft * DAY) },
    })
  const asks = (of: AuthorityFacts, more: Partial<Standing> = {}): Standing => ({
    ...{ ...NOTHING_YET, given: { authority: of.id, at: NOW - HOUR }, ...more },
  })
  const look = (standing: Standing, given: Partial<Parameters<typeof decide>[0]> = {}) =>
    decide({ standing, report: null, authorities: [first, second], before: 0, now: NOW, ...given })

  it("a new one the first of them, within what that grants", () => {
    const { standing, isNew } = look(NOTHING_YET)
    assert.deepEqual([standing.given?.authority, isNew, standing.waitsSince], ["first", true, null])
  })

  it("the second where the first has no room; where there is no second, it waits, and keeps its place", () => {
    const without = authority("first", { usedUntil: full })
    assert.equal(look(NOTHING_YET, { authorities: [without, second] }).standing.given?.authority, "second")
    const waits = look(NOTHING_YET, { authorities: [without] })
    assert.deepEqual([waits.standing.given, waits.standing.waitsSince, waits.isNew], [null, NOW, false])
    const later = look(waits.standing, { authorities: [without], now: NOW + HOUR })
    assert.equal(later.standing.waitsSince, NOW)
    const room = look(waits.standing, { authorities: [without], now: NOW + 4 * HOUR })
    assert.deepEqual([room.standing.given?.authority, room.standing.waitsSince], ["first", null])
  })

  it("who comes later does not overtake those that wait", () => {
    const two = authority("first", { usedUntil: NOW + (WEEK_MS / 50) * 48 })
    assert.equal(look(NOTHING_YET, { authorities: [two], before: 1 }).standing.given?.authority, "first")
    assert.equal(look(NOTHING_YET, { authorities: [two], before: 2 }).standing.given, null)
  })

  it("one whose name the authority knows already counts for nothing, so it need not wait", () => {
    const none = authority("first", { usedUntil: full })
    const again = look({ ...NOTHING_YET, issued: ["first"] }, { authorities: [none], before: 30 })
    assert.deepEqual([again.standing.given?.authority, again.isNew], ["first", false])
    // As after Redis was lost: the machine itself says whose its certificate is.
    const holds = look(NOTHING_YET, { authorities: [none], report: issuedBy(none) })
    assert.deepEqual([holds.standing.given?.authority, holds.isNew], ["first", false])
  })

  it("a refusal by limit or policy leads to the second at once, and what was kept at the first goes back", () => {
    for (const kind of ["rateLimited", "rejectedIdentifier", "caa"]) {
      const moved = look(asks(first), { report: report(problem(kind, first)) })
      assert.deepEqual([moved.standing.given?.authority, moved.isNew, moved.givesBack], ["second", true, "first"])
      assert.equal(moved.standing.refused.first?.reason, `it says ${kind}`)
    }
  })

  it("one that is down is tried twice, one that does not reach the machine four times", () => {
    const leads = (kind: string, failures: number) =>
      look(asks(first), { report: report(problem(kind, first, failures)) }).standing.given?.authority
    assert.deepEqual([leads("unreachable", 1), leads("unreachable", 2)], ["first", "second"])
    assert.deepEqual([leads("connection", 3), leads("connection", 4)], ["first", "second"])
  })

  it("what is told of another authority than the one it asks now changes nothing", () => {
    const stays = look(asks(second), { report: report(problem("rateLimited", first)) })
    assert.deepEqual([stays.standing.given?.authority, stays.standing.refused], ["second", {}])
  })

  it("a certificate that is good for long yet is no reason to go elsewhere", () => {
    const refused = { ...issuedBy(first, 20), ...problem("rateLimited", first, 9) }
    assert.equal(isRefusal(refused, NOW), false)
    assert.equal(isRefusal({ ...issuedBy(first, 3), ...problem("rateLimited", first, 9) }, NOW), true)
    // One that is made for six days has no hurry for longer than a day and a half.
    const short = { issuedAt: iso(NOW - 4 * DAY), expiresAt: iso(NOW + 2 * DAY) }
    assert.equal(isRefusal({ ...refused, ...short }, NOW), false)
  })

  it("when both refuse it stays where it is, and the first is asked again after six hours", () => {
    const atSecond = asks(second, { refused: { first: { kind: "rateLimited", reason: "", at: NOW - 5 * HOUR } } })
    const failing = report(problem("serverInternal", second, 3))
    const stays = look(atSecond, { report: failing })
    assert.equal(stays.standing.given?.authority, "second")
    const back = look(stays.standing, { report: failing, now: NOW + 2 * HOUR })
    assert.equal(back.standing.given?.authority, "first")
  })

  it("goes back to the first when its certificate of the second is due, if there is room", () => {
    const held = asks(second, { issued: ["second"] })
    assert.equal(look(held, { report: issuedBy(second, 40) }).standing.given?.authority, "second")
    const back = look(held, { report: issuedBy(second, 29) })
    assert.deepEqual([back.standing.given?.authority, back.isNew, back.givesBack], ["first", true, null])
    const none = authority("first", { usedUntil: full })
    const stays = look(held, { report: issuedBy(second, 29), authorities: [none, second] })
    assert.equal(stays.standing.given?.authority, "second")
    const down = authority("first", { closed: "down" })
    assert.equal(
      look(held, { report: issuedBy(second, 29), authorities: [down, second] }).standing.given?.authority,
      "second",
    )
  })

  it("its certificate once it has come stays counted; an authority that is no longer named is left", () => {
    const came = look(asks(first), { report: issuedBy(first) })
    assert.deepEqual(came.standing.issued, ["first"])
    assert.equal(came.isNew, false)
    assert.equal(look(asks(authority("gone"))).standing.given?.authority, "first")
  })

  it("an image that does not say whom it asked is believed a minute later", () => {
    const { authority: _, ...old } = issuedBy(first)
    assert.deepEqual(look(asks(first), { report: old }).standing.issued, ["first"])
    const justNow = { ...NOTHING_YET, given: { authority: "first", at: NOW - 10_000 } }
    assert.deepEqual(look(justNow, { report: old }).standing.issued, [])
  })

  it("is closed for all only by what machines of several users say, for an hour", () => {
    const said = (owner: string, kind: string, at = NOW) => ({ owner, kind, at })
    const limited = [said("a", "rateLimited"), said("a", "rateLimited")]
    assert.equal(closedBy(limited, NOW), null)
    assert.equal(closedBy([...limited, said("b", "rateLimited")], NOW), "limit")
    assert.equal(closedBy([...limited, said("b", "rateLimited", NOW - 2 * HOUR)], NOW), null)
    assert.equal(closedBy([said("a", "unreachable"), said("b", "serverInternal")], NOW), "down")
    assert.equal(closedBy([said("a", "connection"), said("b", "connection")], NOW), null)
    const limit = authority("first", { closed: "limit" })
    assert.notEqual(look(NOTHING_YET, { authorities: [limit] }).standing.waitsSince, null)
    const down = authority("first", { closed: "down" })
    assert.equal(look(NOTHING_YET, { authorities: [down, second] }).standing.given?.authority, "second")
    assert.equal(look(NOTHING_YET, { authorities: [down] }).standing.given?.authority, "first")
  })

  it("whoever is at it comes first, then who waits longest; and each hears when", () => {
    const one = (workspace: string, since: number, inUse: boolean) => ({ workspace, since, inUse })
    const order = inOrder([one("idle", 1, false), one("late", 3, true), one("early", 2, true)])
    assert.deepEqual(
      order.map(each => each.workspace),
      ["early", "late", "idle"],
    )
    const of = [{ allowance: FIFTY, usedUntil: full }]
    assert.equal(turnAt(1, of, NOW), NOW + (2 * WEEK_MS) / 50)
  })
})

const iso = (at: number) => new Date(at).toISOString()
