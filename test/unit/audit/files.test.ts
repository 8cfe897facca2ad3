import assert from "node:assert/strict"
import { appendFile, readdir, readFile, readlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { AuditEntry } from "../../../service/audit/entry.ts"
import { csvRow, presentEntry } from "../../../service/audit/export.ts"
import { type AuditFiles, openAuditFiles } from "../../../service/audit/files.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const NOVEMBER = Date.parse("2026-11-20T12:00:00Z")

const entry = (id: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ id, at: NOVEMBER, who: "gh-1", login: "Root", as: "operator", by: "login", from: "192.0.2.1" },
  ...{ action: "destroyWorkspace", user: "gh-2", workspace: "calm-otter", operation: null, input: { dryRun: false } },
  ...{ ok: true, status: 202, error: null, request: "r" },
  ...more,
})

describe("files of the audit log", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let files: AuditFiles
  beforeEach(async () => {
    directory = await temporaryDirectory("fc-")
    files = openAuditFiles(join(directory.path, "audit"))
  })
  afterEach(() => directory.remove())

  const pathOf = (name: string) => join(directory.path, "audit", name)
  const FILE = "audit-2026-11.ndjson"
  const change = async (how: (lines: string[]) => string[]) => {
    const lines = (await readFile(pathOf(FILE), "utf8")).trimEnd().split("\n")
    await writeFile(
      pathOf(FILE),
      how(lines)
        .map(line => `${line}\n`)
        .join(""),
    )
  }
  const idsOf = async (entries: AsyncIterable<AuditEntry>) => {
    const ids: string[] = []
    for await (const one of entries) ids.push(one.id)
    return ids
  }
  const all = (query = {}) => idsOf(files.newestFirst(query))
  const faults = async () => (await files.verify("audit")).faults.map(({ line, what }) => [line, what])
  const five = () =>
    files.append(
      "audit",
      ["1", "2", "3", "4", "5"].map((id, n) => entry(id, { at: NOVEMBER + n })),
    )

  it("are closed again when somebody has seen enough of them", async () => {
    await five()
    const open = async () => {
      const fds = await readdir("/proc/self/fd")
      const paths = await Promise.all(fds.map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => "")))
      return paths.filter(path => path.startsWith(directory.path))
    }
    for await (const _ of files.newestFirst({})) {
      assert.equal((await open()).length, 1, "it is being read")
      break
    }
    assert.deepEqual(await open(), [])
  })

  it("bind each line to the one before, over months and over several writers' turns", async () => {
    await five()
    await openAuditFiles(join(directory.path, "audit")).append("audit", [
      entry("6", { at: Date.parse("2026-12-01T00:00:01Z") }),
    ])
    // A clock that is behind.
    const head = await files.append("audit", [entry("7", { at: NOVEMBER })])
    assert.deepEqual(await readdir(join(directory.path, "audit")), [FILE, "audit-2026-12.ndjson"])
    const verdict = await files.verify("audit")
    assert.deepEqual([verdict.lines, verdict.faults, verdict.sideBySide, verdict.head], [7, [], 0, head])
    assert.equal(head.seq, 7)
    assert.deepEqual(await all(), ["7", "6", "5", "4", "3", "2", "1"])
  })

  it("show a line that was changed, one that was taken out, and an end that was cut off", async () => {
    const { hash } = await five()
    await change(lines => lines.map((line, at) => (at === 1 ? line.replace("calm-otter", "calm-other") : line)))
    assert.deepEqual(await faults(), [[2, "changed"]])
    await change(lines => lines.toSpliced(1, 1))
    assert.deepEqual(await faults(), [[2, "missing-before"]])
    await change(lines => lines.slice(0, -1))
    assert.equal((await files.verify("audit", hash)).contains, false)
    await change(lines => lines.slice(1))
    assert.deepEqual((await faults())[0], [1, "older-files-gone"])
    await appendFile(pathOf(FILE), '{"seq":9,"torn')
    assert.deepEqual((await faults()).at(-1), [3, "unreadable"])
    await files.append("audit", [entry("8")])
    assert.equal((await all())[0], "8", "what follows a torn line is not glued to it")
  })

  it("write what is repeated once", async () => {
    await five()
    await files.append("audit", [entry("5"), entry("6")])
    assert.deepEqual(await all(), ["6", "5", "4", "3", "2", "1"])
    assert.equal((await files.verify("audit")).lines, 6)
  })

  it("bear two that write at the same time: nothing is lost, and it is no fault", async () => {
    await five()
    await Promise.all([files.append("audit", [entry("a")]), files.append("audit", [entry("b")])])
    await files.append("audit", [entry("c")])
    const { lines, faults: found } = await files.verify("audit")
    assert.deepEqual([lines, found], [8, []])
    assert.deepEqual((await all()).slice(0, 3).sort(), ["a", "b", "c"])
  })

  it("are read by user, workspace and time, both chains by time, however long the lines", async () => {
    const far = entry("cli", { at: NOVEMBER + 2, as: "command-line", login: "ada", who: "ada", user: null })
    await five()
    await files.append("command-line", [far])
    const long = { at: NOVEMBER + 9, workspace: "w-ü", input: { text: "ü".repeat(90_000) } }
    await files.append("audit", [entry("long", long)])
    assert.deepEqual(await all(), ["long", "5", "4", "3", "cli", "2", "1"])
    assert.deepEqual(await all({ user: "ROOT", since: NOVEMBER + 3 }), ["long", "5", "4"])
    assert.deepEqual(await all({ user: "gh-2", until: NOVEMBER + 1 }), ["1"])
    assert.deepEqual(await all({ user: "ada" }), ["cli"])
    assert.deepEqual(await all({ workspace: "w-ü" }), ["long"])
    assert.deepEqual(await all({ workspace: "other" }), [])
    assert.deepEqual(await idsOf(files.oldestFirst({ until: NOVEMBER + 4 })), ["1", "2", "3", "4", "cli"])
  })

  it("are nothing where nothing was written", async () => {
    assert.deepEqual(await all(), [])
    assert.deepEqual((await files.verify("audit")).faults, [])
  })

  it("export no formula", () => {
    const row = csvRow(presentEntry(entry("1", { login: '=cmd|"x"', input: { name: "a,b" } })))
    assert.match(row, /^2026-11-20T12:00:00.000Z,gh-1,"'=cmd\|""x""",operator,/)
    assert.match(row, /"\{""name"":""a,b""\}"\r\n$/)
  })
})
