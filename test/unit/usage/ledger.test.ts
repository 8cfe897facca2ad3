import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pino } from "pino"
import { type Ledger, openLedger } from "../../../service/usage/ledger.ts"
import { type LedgerLine, lineText, parseLine } from "../../../service/usage/ledger-line.ts"
import { PROJECT_ROOT } from "../../../tools/setup/paths.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const line = (time: string, more: Partial<LedgerLine> = {}): LedgerLine => ({
  ...{ workspace: "w", owner: "gh-1", name: "Ada’s „desk“", profile: "browser", provider: "hetzner", region: "fsn1" },
  ...{ size: "cx23", price: { currency: "EUR", hourly: 0.01, monthly: 6 }, stopMode: null, from: null },
  ...{ at: Date.parse(time), to: "RUNNING" as const, epoch: 1 },
  ...more,
})

describe("the usage ledger", () => {
  let directory: string
  let remove: () => Promise<void>
  let ledger: Ledger
  let said: string[]

  beforeEach(async () => {
    ;({ path: directory, remove } = await temporaryDirectory("fc-"))
    said = []
    ledger = open()
  })
  afterEach(() => remove())
  const open = () => openLedger(join(directory, "usage"), pino({ level: "warn" }, { write: text => said.push(text) }))
  const file = (month: string) => join(directory, "usage", `usage-${month}.ndjson`)

  it("keeps lines as they are, by month, for its owner alone to read", async () => {
    const lines = [line("2026-10-31T23:59:59.999Z"), line("2026-11-01T00:00:00.000Z", { epoch: 2, to: "IDLE" })]
    await ledger.append(lines)
    assert.deepEqual(readdirSync(join(directory, "usage")).sort(), ["usage-2026-10.ndjson", "usage-2026-11.ndjson"])
    assert.equal(statSync(file("2026-10")).mode & 0o777, 0o600)
    assert.deepEqual(await open().linesFor("2026-11", null), lines)
    assert.deepEqual(await open().linesFor("2026-10", null), lines.slice(0, 1))
    assert.deepEqual(said, [])
  })

  it("gives a month with where everybody stood before it, but not those who were gone", async () => {
    await ledger.append([
      line("2026-08-01T00:00:00Z", { workspace: "old", to: "RUNNING" }),
      line("2026-08-02T00:00:00Z", { workspace: "gone", to: "RUNNING" }),
      line("2026-09-01T00:00:00Z", { workspace: "gone", to: "TERMINATED", epoch: 2 }),
      line("2026-09-02T00:00:00Z", { workspace: "theirs", owner: "gh-11", to: "STOPPED" }),
      line("2026-10-02T00:00:00Z", { workspace: "old", to: "STOPPED", epoch: 2 }),
      line("2026-11-02T00:00:00Z", { workspace: "old", to: "STARTING", epoch: 3 }),
    ])
    const states = async (owner: string | null) =>
      (await ledger.linesFor("2026-11", owner)).map(one => `${one.workspace} ${one.to}`).sort()
    assert.deepEqual(await states("gh-1"), ["old STARTING", "old STOPPED"])
    assert.deepEqual(await states("gh-11"), ["theirs STOPPED"])
    assert.deepEqual(await states(null), ["old STARTING", "old STOPPED", "theirs STOPPED"])
    // A line that comes late changes what was known of the months after it.
    await ledger.append([
      line("2026-09-03T00:00:00Z", { workspace: "theirs", owner: "gh-11", to: "TERMINATED", epoch: 9 }),
    ])
    assert.deepEqual(await states("gh-11"), [])
  })

  it("is empty before its first line", async () => {
    assert.deepEqual(await ledger.linesFor("2026-11", "gh-1"), [])
  })

  it("a torn last line is left out and said once, and does not spoil the next", async () => {
    await ledger.append([line("2026-11-01T00:00:00Z"), line("2026-11-02T00:00:00Z", { epoch: 2 })])
    truncateSync(file("2026-11"), statSync(file("2026-11")).size - 20)
    const epochs = async () => (await ledger.linesFor("2026-11", "gh-1")).map(one => one.epoch)
    assert.deepEqual(await epochs(), [1])
    await ledger.append([line("2026-11-03T00:00:00Z", { epoch: 3 })])
    assert.deepEqual(await epochs(), [1, 3])
    assert.equal(said.length, 1)
    assert.match(said[0] as string, /torn or unreadable/)
    assert.match(said[0] as string, /"line":2/)
  })

  it("what is no line of it is left out", async () => {
    mkdirSync(join(directory, "usage"))
    for (const text of [
      "{}",
      "null",
      '"x"',
      '{"time":"x"}',
      lineText(line("2026-11-01T00:00:00Z")).replace("RUNNING", "DANCING"),
    ]) {
      assert.equal(parseLine(text.trim()), null, text)
      appendFileSync(file("2026-11"), `${text.trim()}\n`)
    }
    writeFileSync(join(directory, "usage", "notes.txt"), "not a month")
    assert.deepEqual(await ledger.linesFor("2026-11", null), [])
    assert.equal(said.length, 5)
  })

  it("several processes append at once, and every line stays whole", async () => {
    const PROCESSES = 4
    const LINES = 300
    const program = `
      import { openLedger } from "${join(PROJECT_ROOT, "service/usage/ledger.ts")}"
      const ledger = openLedger(process.argv[1], { warn: console.error })
      const base = JSON.parse(process.argv[2])
      for (let i = 0; i < ${LINES}; i += 30) {
        await ledger.append(Array.from({ length: 30 }, (_, k) => ({ ...base, workspace: process.argv[3], epoch: i + k })))
      }`
    const children = Array.from(
      { length: PROCESSES },
      (_, number): ChildProcess =>
        spawn(
          process.execPath,
          [
            "--input-type=module-typescript",
            "-e",
            program,
            join(directory, "usage"),
            JSON.stringify(line("2026-11-01T00:00:00Z")),
            `w-${number}`,
          ],
          { stdio: ["ignore", "inherit", "inherit"] },
        ),
    )
    for (const child of children) if (child.exitCode === null) await once(child, "exit")
    const lines = await ledger.linesFor("2026-11", null)
    assert.equal(lines.length, PROCESSES * LINES)
    assert.deepEqual(said, [])
    for (let number = 0; number < PROCESSES; number++) {
      const epochs = lines.filter(one => one.workspace === `w-${number}`).map(one => one.epoch)
      assert.deepEqual(
        epochs,
        Array.from({ length: LINES }, (_, place) => place),
      )
    }
    assert.ok(!readFileSync(file("2026-11"), "utf8").includes("\n\n"))
  })
})
