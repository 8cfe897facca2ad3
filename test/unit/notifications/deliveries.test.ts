import assert from "node:assert/strict"
import { GIVE_UP_MS, nextTry } from "../../../service/notifications/deliveries.ts"
import { CHOOSABLE, FACTS, type Notification, parseNotification } from "../../../service/notifications/kinds.ts"
import { channelsFor, type Preferences } from "../../../service/notifications/preferences.ts"
import { textOf } from "../../../service/notifications/texts.ts"

describe("when a delivery is tried again", () => {
  it("waits three times as long each time, at most an hour, and ends within a day", () => {
    const times: number[] = []
    let attempts = 0
    for (let now: number | null = 0; now !== null && attempts < 1000; now = nextTry(++attempts, 0, now)) times.push(now)
    const waits = times.slice(1).map((time, place) => (time - (times[place] as number)) / 1000)
    assert.deepEqual(waits.slice(0, 6), [10, 30, 90, 270, 810, 2430])
    assert.equal(Math.max(...waits), 3600)
    assert.ok((times.at(-1) as number) > GIVE_UP_MS - 3_600_001 && (times.at(-1) as number) <= GIVE_UP_MS)
  })
})

describe("where a notification goes", () => {
  const kinds = Object.fromEntries(
    CHOOSABLE.map(kind => [kind, ["email", "webhook"]]),
  ) as unknown as Preferences["kinds"]
  const email = { address: "ada@example.com", confirmed: true }
  const webhook = { url: "https://example.com" }

  it("is what was chosen, where that is set up", () => {
    assert.deepEqual(channelsFor("stopped", { email, webhook, kinds }), ["email", "webhook"])
    assert.deepEqual(channelsFor("stopped", { email, webhook, kinds: { ...kinds, stopped: ["email"] } }), ["email"])
    assert.deepEqual(channelsFor("stopped", { email, webhook, kinds: { ...kinds, stopped: [] } }), [])
    assert.deepEqual(channelsFor("stopped", { email: null, webhook, kinds }), ["webhook"])
    assert.deepEqual(channelsFor("test", { email, webhook, kinds: { ...kinds, stopped: [] } }), ["email", "webhook"])
  })

  it("is no address that nobody has confirmed, but for the mail that asks", () => {
    const waiting = { email: { ...email, confirmed: false }, webhook, kinds }
    for (const kind of CHOOSABLE) assert.deepEqual(channelsFor(kind, waiting), ["webhook"])
    assert.deepEqual(channelsFor("confirm-address", waiting), ["email"])
    assert.deepEqual(channelsFor("confirm-address", { email, webhook, kinds }), [])
  })
})

describe("what is told", () => {
  const named = { workspace: "calm-otter", name: "My desk" }
  const samples = [
    {
      kind: "about-to-stop",
      facts: { ...named, stopsAt: Date.parse("2026-11-21T10:00:00Z"), reason: "nothing goes on." },
    },
    { kind: "stopped", facts: { ...named, by: "budget" } },
    { kind: "woke", facts: named },
    { kind: "backup-failed", facts: { ...named, message: "The disk was full." } },
    { kind: "restore-unproven", facts: { ...named, backup: "nightly", message: "A file differs." } },
    { kind: "provisioning-failed", facts: { ...named, message: "Sold out." } },
    { kind: "agent-waits", facts: { ...named, agent: "Claude Code", asks: true } },
    {
      kind: "budget-near",
      facts: { month: "2026-11", percent: 100, amount: 10, currency: "EUR", spent: 10.5, stops: true },
    },
    { kind: "test", facts: {} },
    { kind: "confirm-address", facts: { address: "a@b.example", login: "ada", link: "https://x.example" } },
  ] as unknown as Pick<Notification, "kind" | "facts">[]

  it("has words for every kind, with its facts in them", () => {
    assert.deepEqual(samples.map(one => one.kind).sort(), Object.keys(FACTS).sort())
    for (const sample of samples) {
      const { subject, text } = textOf({ id: "1", user: "gh-1", at: 0, ...sample } as Notification)
      assert.ok(subject.length > 5 && subject.length < 80 && !/[\r\n]|undefined|NaN/.test(subject), subject)
      assert.ok(text.length > 20 && !/undefined|NaN|\[object/.test(text), text)
      if ("name" in sample.facts) assert.match(subject + text, /My desk/)
      if ("message" in sample.facts) assert.ok(text.includes(sample.facts.message))
    }
    const spent = { month: "2026-11", percent: 80, amount: 10, currency: "EUR", spent: 8.123, stops: false }
    assert.match(textOf({ id: "1", user: "u", at: 0, kind: "budget-near", facts: spent }).text, /8\.12 of 10\.00 EUR/)
  })

  it("takes what was stored only if it is whole, and nothing beside the facts of its kind", () => {
    const stored = { id: "1", user: "gh-1", kind: "woke", facts: JSON.stringify(named), at: 1 }
    assert.ok(parseNotification(stored))
    assert.equal(parseNotification({ ...stored, facts: JSON.stringify({ ...named, token: "secret" }) }), null)
    assert.equal(parseNotification({ ...stored, kind: "toString" }), null)
    assert.equal(parseNotification({ ...stored, facts: "{" }), null)
    assert.equal(parseNotification({ ...stored, facts: "{}" }), null)
  })
})
