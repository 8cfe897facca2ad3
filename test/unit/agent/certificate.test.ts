import assert from "node:assert/strict"
import { secondsOf } from "../../../image-builder/acme/problem.ts"
import { parseAuthority } from "../../../image-builder/agent/certificate/authority.ts"
import { type Facts, readFacts } from "../../../image-builder/agent/certificate/facts.ts"
import { type Memory, nextAsking, waitAfter } from "../../../image-builder/agent/certificate/plan.ts"
import { checkOf, stateOf } from "../../../image-builder/agent/certificate/words.ts"
import { selfSignedCertificate } from "../../support/certificate.ts"

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
const NOW = Date.parse("2026-03-01T12:00:00Z")
const facts = (more: Partial<Facts> = {}): Facts => ({
  ...{ issuer: "An Authority", isSelfSigned: false, fits: true, spread: 0.5 },
  ...{ notBefore: NOW - 10 * DAY, notAfter: NOW + 80 * DAY },
  ...more,
})
const NOTHING: Memory = { directory: null, obtainedAt: 0, tries: null }
const FROM: Memory = { directory: "https://ca/dir", obtainedAt: NOW - 10 * DAY, tries: null }
const tries = (failures: number, more: Partial<NonNullable<Memory["tries"]>> = {}): NonNullable<Memory["tries"]> => ({
  ...{ failures, lastAt: NOW, kind: "dns", reason: "no such name", leaveAloneUntil: 0, settings: "s1" },
  ...more,
})
const plan = (more: Partial<Parameters<typeof nextAsking>[0]> = {}) =>
  nextAsking({
    facts: facts(),
    memory: FROM,
    directory: "https://ca/dir",
    settings: "s1",
    since: NOW,
    now: NOW,
    ...more,
  })

describe("agent/certificate: when one is asked for", () => {
  it("at once where there is none, a self-signed one, another name's, or one that has expired", () => {
    assert.deepEqual(plan({ facts: null, memory: NOTHING }), { why: "first", at: NOW })
    assert.deepEqual(plan({ facts: facts({ isSelfSigned: true }), memory: NOTHING }), { why: "first", at: NOW })
    assert.deepEqual(plan({ facts: facts({ fits: false }) }), { why: "first", at: NOW })
    assert.deepEqual(plan({ facts: facts({ notAfter: NOW }) }), { why: "expired", at: NOW })
  })
  it("for renewal after two thirds of its time, spread over a twelfth of it", () => {
    const at = (spread: number) => (plan({ facts: facts({ spread }) }).at - (NOW - 10 * DAY)) / DAY
    assert.deepEqual([at(0), at(0.5), at(1)], [60, 63.75, 67.5])
  })
  it("of another authority within the hour after it was named, not later for being looked at again", () => {
    const memory = { ...FROM, directory: "https://old/dir" }
    assert.deepEqual(plan({ memory }), { why: "another authority", at: NOW + HOUR / 2 })
    assert.deepEqual(plan({ memory, now: NOW + 20 * MINUTE }), { why: "another authority", at: NOW + HOUR / 2 })
  })
  it("never again within a day of the last one, whatever the clock says of that", () => {
    const memory = { ...FROM, obtainedAt: NOW - HOUR }
    assert.equal(plan({ memory, facts: facts({ notAfter: NOW - 1 }) }).at, NOW + 23 * HOUR)
    // Short-lived ones have shorter days.
    const short = facts({ notBefore: NOW - 4 * DAY, notAfter: NOW - 1 })
    assert.equal(plan({ memory, facts: short }).at, NOW + 23 * HOUR)
    assert.equal(plan({ memory: { ...FROM, obtainedAt: NOW + DAY }, facts: short }).at, NOW)
  })
  it("after failures later and later, five times in the first hour, and not before the authority wants to be asked", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(failures => waitAfter(failures, 0) / MINUTE)
    assert.deepEqual(waits, [0.5, 2, 10, 30, 60, 120, 360, 720, 720])
    assert.equal(waitAfter(3, 1), 7.5 * MINUTE)
    const expired = facts({ notAfter: NOW - 1, spread: 0 })
    assert.equal(plan({ facts: expired, memory: { ...FROM, tries: tries(3) } }).at, NOW + 10 * MINUTE)
    const limited = tries(1, { leaveAloneUntil: NOW + 5 * HOUR })
    assert.equal(plan({ facts: expired, memory: { ...FROM, tries: limited } }).at, NOW + 5 * HOUR)
    // A wish for weeks is none: somebody may have had the limit raised.
    const weeks = tries(1, { leaveAloneUntil: NOW + 30 * DAY })
    assert.equal(plan({ facts: expired, memory: { ...FROM, tries: weeks } }).at, NOW + DAY)
  })
  it("at once again with other settings, and when the clock was set back", () => {
    const expired = facts({ notAfter: NOW - 1 })
    assert.equal(plan({ facts: expired, memory: { ...FROM, tries: tries(7) }, settings: "s2" }).at, NOW)
    assert.equal(plan({ facts: expired, memory: { ...FROM, tries: tries(7, { lastAt: NOW + DAY }) } }).at, NOW)
  })
})

describe("agent/certificate: what is said", () => {
  const given = { known: true, wanted: true, facts: facts(), memory: FROM, next: null, asking: false, now: NOW }
  const check = (more: Partial<Parameters<typeof checkOf>[0]>) => checkOf({ ...given, limit: NOW + MINUTE, ...more })
  const own = facts({ isSelfSigned: true, issuer: "workspace" })

  it("a desktop is not ready while its first certificate is asked for, and is when that takes too long or failed", () => {
    assert.equal(check({}).ok, true)
    assert.equal(check({ facts: own, asking: true }).ok, false)
    assert.equal(check({ facts: own, next: { why: "first", at: NOW } }).ok, false)
    assert.equal(check({ facts: own, asking: true, limit: NOW }).ok, true)
    const failed = { facts: own, memory: { ...NOTHING, tries: tries(2) } }
    assert.deepEqual(check({ ...failed, next: { why: "first", at: NOW + 2 * MINUTE } }), {
      ...{ name: "certificate", ok: true, detail: "self-signed: no such name" },
    })
    assert.equal(check({ ...failed, next: { why: "first", at: NOW + MINUTE / 2 } }).ok, false)
  })
  it("nor while the service has not said whether there is an authority; without one it is, at once", () => {
    assert.equal(check({ known: false, wanted: false }).ok, false)
    assert.equal(check({ known: false, wanted: false, limit: NOW }).ok, true)
    assert.deepEqual(check({ facts: own, wanted: false }), { name: "certificate", ok: true, detail: "self-signed" })
  })
  it("an expired one is told as such, with why there is no other", () => {
    const expired = facts({ notAfter: NOW - DAY })
    assert.match(check({ facts: expired, asking: true }).detail, /^expired; another one is asked for/)
    const state = stateOf({ ...given, facts: expired, memory: { ...FROM, tries: tries(1) } })
    assert.equal(state?.state, "expired")
    assert.deepEqual(state?.problem, { kind: "dns", reason: "no such name", failures: 1 })
    assert.equal(stateOf({ ...given, facts: null }), null)
  })
})

describe("agent/certificate: what is read", () => {
  it("facts of a certificate, and nothing of what is none", () => {
    const { cert } = selfSignedCertificate("blue-otter.desk.example")
    const read = readFacts(cert, "blue-otter.desk.example")
    assert.ok(read?.isSelfSigned && read.fits && read.spread >= 0 && read.spread < 1)
    assert.equal(read.issuer, "blue-otter.desk.example")
    assert.equal(readFacts(cert, "red-otter.desk.example")?.fits, false)
    for (const none of ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
      assert.equal(readFacts(none, "x"), null)
  })
  it("settings, refused without repeating what may be secret", () => {
    assert.equal(parseAuthority(undefined), null)
    assert.equal(parseAuthority(null), null)
    const least = { contact: null, binding: null, chain: null, trust: null }
    assert.deepEqual(parseAuthority({ directory: "https://ca/dir" }), { directory: "https://ca/dir", ...least })
    for (const wrong of [
      "hush",
      { directory: "http://hush/dir" },
      { directory: "https://ca/dir", binding: { kid: "hush" } },
      { directory: "https://ca/dir", binding: "hush" },
      { directory: "https://ca/dir", trust: ["hush"] },
    ]) {
      assert.throws(
        () => parseAuthority(wrong),
        (error: Error) => !error.message.includes("hush"),
      )
    }
  })
  it("how long the authority wants to be left alone, in seconds or by a date", () => {
    assert.equal(secondsOf("120"), 120)
    assert.equal(secondsOf("Sun, 01 Mar 2026 12:01:00 GMT", NOW), 60)
    for (const none of [undefined, "", "soon", "0", "Sun, 01 Mar 2026 11:00:00 GMT"])
      assert.equal(secondsOf(none, NOW), null)
  })
})
