import assert from "node:assert/strict"
import { readConfig } from "../../../service/config.ts"
import { readSignals } from "../../../service/idleness/signals.ts"

const RECEIVED = Date.parse("2030-05-05T12:00:00Z")
/** A machine whose clock is three hours behind. */
const AT = RECEIVED - 3 * 3_600_000
const ago = (seconds: number, from = AT) => new Date(from - seconds * 1_000).toISOString()
const read = (signals: object, at: unknown = ago(0)) => readSignals({ at, signals }, RECEIVED, 0.1)
/** Seconds ago, by the service's clock. */
const seen = (signals: object, at?: unknown) =>
  Object.fromEntries(Object.entries(read(signals, at).seen).map(([name, time]) => [name, (RECEIVED - time) / 1_000]))

describe("signals of a report", () => {
  it("are as old as the report itself says, however wrong the machine's clock is", () => {
    assert.deepEqual(seen({ lastInputAt: ago(60) }), { input: 60 })
    assert.deepEqual(seen({ workAt: ago(5), filesChangedAt: ago(70) }), { work: 5, files: 70 })
    assert.equal(read({}).clockOffset, 3 * 3_600_000)
  })
  it("that lie in the machine's own future are now", () => {
    assert.deepEqual(seen({ lastInputAt: ago(-7_200) }), { input: 0 })
  })
  it("take the newest of all terminals and transcripts", () => {
    const terminals = [{ lastOutputAt: ago(90) }, { lastOutputAt: ago(30) }, { lastOutputAt: ago(60) }]
    assert.deepEqual(seen({ terminals, transcripts: { claude: ago(40), codex: ago(20) } }), { output: 30, agent: 20 })
  })
  it("of agents count by what they do and not by being there", () => {
    assert.deepEqual(
      seen({
        agents: [
          { name: "codex", cpu: 0 },
          { name: "claude", cpu: 0.09 },
        ],
      }),
      {},
    )
    assert.deepEqual(
      seen({
        agents: [
          { name: "codex", cpu: 0 },
          { name: "claude", cpu: 0.1 },
        ],
      }),
      { agent: 0 },
    )
  })
  it("that count things are seen now, and not at all for none", () => {
    assert.deepEqual(seen({ viewers: 2, ssh: 1, webUis: 3 }), { viewer: 0, ssh: 0, webUi: 0 })
    assert.deepEqual(seen({ viewers: 0, ssh: 0, webUis: 0, lastInputAt: null }), {})
  })
  it("that nobody understands are a sign of life and no silence", () => {
    for (const report of [
      { signals: {} },
      { at: "noon", signals: {} },
      null,
      { at: ago(0), signals: { ssh: "two" } },
    ]) {
      assert.deepEqual(readSignals(report, RECEIVED, 0.1), { seen: { contact: RECEIVED }, clockOffset: null })
    }
    assert.deepEqual(seen({ lastInputAt: "yesterday" }), { contact: 0 })
  })
})

describe("weights of signals", () => {
  const needed = { FOOZOL_SECRET: "s".repeat(32), FOOZOL_GITHUB_CLIENT_ID: "id", FOOZOL_GITHUB_CLIENT_SECRET: "x" }
  const windows = (weights?: string) =>
    readConfig({
      ...{ ...needed, FOOZOL_ALLOW: "everyone", FOOZOL_ZONE: "desk.example.com" },
      ...(weights === undefined ? {} : { FOOZOL_IDLE_WEIGHTS: weights }),
    }).idle.windows
  it("are one idle time each, and none for a tab that is merely open", () => {
    const { viewer, ...others } = windows().browser
    assert.equal(viewer, 0)
    assert.deepEqual([...new Set(Object.values(others))], [1_800_000])
  })
  it("give what may have been lost in a silence the longest of their spans", () => {
    assert.equal(windows("input=4 viewer=2").browser.contact, 7_200_000)
    assert.equal(windows("desktop.ssh=3").browser.contact, 1_800_000)
    assert.throws(() => windows("contact=0"), /FOOZOL_IDLE_WEIGHTS/)
  })
  it("can be set for all profiles or one", () => {
    const { browser, desktop } = windows("files=0.5, desktop.ssh=0 desktop.files=2")
    assert.deepEqual([browser.files, browser.ssh], [900_000, 1_800_000])
    assert.deepEqual([desktop.files, desktop.ssh], [3_600_000, 0])
  })
})
