import assert from "node:assert/strict"
import { appendFile } from "node:fs/promises"
import { join } from "node:path"
import { type LedgerEntry, openLedger, readLedger } from "../../../local-cloud/state/ledger.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("ledger/readLedger", () => {
  let file: string
  let remove: () => Promise<void>
  beforeEach(async () => {
    const made = await temporaryDirectory()
    file = join(made.path, "ledger.ndjson")
    remove = made.remove
  })
  afterEach(() => remove())
  const entry = (id: number, event: LedgerEntry["event"]): LedgerEntry => ({
    at: "2026-01-01T00:00:00Z",
    event,
    id,
    name: `n${id}`,
    project: "p",
    labels: {},
  })
  const write = (...entries: LedgerEntry[]) => {
    const ledger = openLedger(file)
    for (const one of entries) ledger.append(one)
    ledger.close()
  }
  const alive = () => readLedger(file).alive.map(one => one.id)

  it("is empty where there is none", () => assert.deepEqual(readLedger(file), { created: [], deleted: [], alive: [] }))
  it("knows who is alive", () => {
    write(entry(1, "created"), entry(2, "created"), entry(1, "deleted"))
    const { created, deleted } = readLedger(file)
    assert.deepEqual([created.length, deleted.length, alive()], [2, 1, [2]])
  })
  it("a line cut short by a crash counts for nothing and spoils nothing after it", async () => {
    write(entry(1, "created"))
    await appendFile(file, JSON.stringify(entry(2, "created")).slice(0, 40))
    assert.deepEqual(alive(), [1])
    write(entry(3, "created"))
    assert.deepEqual(alive(), [1, 3])
  })
})
