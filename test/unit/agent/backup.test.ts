import assert from "node:assert/strict"
import { chmod, mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freeze } from "../../../image-builder/agent/backup/freezer.ts"
import { compareWithManifest, type Manifest, writeManifest } from "../../../image-builder/agent/backup/manifest.ts"
import { createStill } from "../../../image-builder/agent/backup/still.ts"
import { parseOrder } from "../../../image-builder/agent/service/orders.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { waitUntil } from "../../support/wait-until.ts"

const silent = { info: () => {}, warn: () => {} }

describe("agent: backups", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let home: string
  let list: string
  beforeEach(async () => {
    scratch = await temporaryDirectory()
    home = join(scratch.path, "home")
    list = join(scratch.path, "state", "manifest.json")
    const past = new Date(Date.now() - 3_600_000)
    for (let folder = 0; folder < 20; folder++) {
      await mkdir(join(home, `f${folder}`), { recursive: true })
      for (let file = 0; file < 30; file++) {
        const path = join(home, `f${folder}`, `${file}`)
        await writeFile(path, `${folder} ${file}`.repeat(100))
        await utimes(path, past, past)
      }
    }
  })
  afterEach(() => scratch.remove())

  const write = (id = "op") => writeManifest(list, id, { random: Math.random, now: Date.now(), roots: { [home]: 60 } })

  it("a sample of files is written down, from many folders", async () => {
    const digest = await write()
    assert.match(digest, /^[0-9a-f]{40}$/)
    const { id, files } = JSON.parse(await readFile(list, "utf8")) as Manifest
    assert.equal(id, "op")
    assert.equal(files.length, 60)
    assert.ok(new Set(files.map(one => one.path.split("/").at(-2))).size > 8)
    assert.notEqual(await write(), digest, "another sample each time")
  })

  it("files that were just changed, that are large, or of the cache are left out", async () => {
    await mkdir(join(home, ".cache"))
    await writeFile(join(home, "fresh"), "x")
    await writeFile(join(home, ".cache", "c"), "x")
    await writeFile(join(home, "large"), Buffer.alloc(3 * 1024 * 1024))
    const past = new Date(Date.now() - 3_600_000)
    for (const name of [".cache/c", "large"]) await utimes(join(home, name), past, past)
    await writeManifest(list, "op", { random: Math.random, now: Date.now(), roots: { [home]: 10_000 } })
    const { files } = JSON.parse(await readFile(list, "utf8")) as Manifest
    assert.ok(files.length > 80)
    assert.ok(!files.some(({ path }) => /fresh|large|\.cache/.test(path)))
  })

  it("the comparison tells damage from a change that somebody has made", async () => {
    const digest = await write()
    assert.deepEqual(await compareWithManifest(list), { digest, files: 60, damaged: [], changed: 0 })
    const { files } = JSON.parse(await readFile(list, "utf8")) as Manifest
    const [damaged, gone, edited] = files.map(one => one.path) as [string, string, string]
    const { atime, mtime } = await stat(damaged)
    const content = await readFile(damaged)
    content[7] = (content[7] ?? 0) ^ 1
    await writeFile(damaged, content)
    await utimes(damaged, atime, mtime)
    await rm(gone)
    await writeFile(edited, "something else")
    assert.deepEqual(await compareWithManifest(list), { digest, files: 60, damaged: [damaged], changed: 2 })
  })

  it("no list, or a torn one, is no comparison that passes", async () => {
    assert.equal(await compareWithManifest(list), null)
    const digest = await write()
    const text = await readFile(list, "utf8")
    await writeFile(list, text.slice(0, text.length / 2))
    const found = await compareWithManifest(list)
    assert.equal(found?.files, 0)
    assert.notEqual(found?.digest, digest)
  })

  describe("freezing", () => {
    let said: string
    const tool = async (fails = false) => {
      said = join(scratch.path, "said")
      const path = join(scratch.path, "bin")
      await mkdir(path)
      await writeFile(join(path, "fsfreeze"), `#!/bin/sh\necho "$@" >> ${said}\nexit ${fails ? 1 : 0}\n`)
      await chmod(join(path, "fsfreeze"), 0o755)
      // The real one waits for all that anybody writes on this computer.
      await writeFile(join(path, "sync"), "#!/bin/sh\n", { mode: 0o755 })
      return ["env", `PATH=${path}:${process.env.PATH}`, "bash"]
    }
    const lines = async () => (await readFile(said, "utf8")).trim().split("\n")

    it("holds until it is let go", async () => {
      const frozen = await freeze(20, { folder: "/mnt", shell: await tool() })
      assert.ok(frozen)
      assert.deepEqual(await lines(), ["--freeze /mnt"])
      frozen.thaw()
      await waitUntil("it is thawed", async () => (await lines()).length === 2)
      assert.deepEqual(await lines(), ["--freeze /mnt", "--unfreeze /mnt"])
    })
    it("lets go by itself when nobody says so", async () => {
      assert.ok(await freeze(1, { folder: "/mnt", shell: await tool() }))
      await waitUntil("it is thawed", async () => (await lines()).length === 2)
    })
    it("is not done where the filesystem cannot", async () => {
      assert.equal(await freeze(1, { folder: "/mnt", shell: await tool(true) }), null)
      assert.equal(await freeze(1, { shell: ["/no/such/shell"] }), null)
    })
  })

  it("the orders are understood, and nobody is held up for longer than a quarter of a minute", () => {
    const order = (type: string, data: object) => parseOrder({ type, data: JSON.stringify(data) })
    assert.deepEqual(order("freeze", { id: "a-1", seconds: 10 }), { type: "freeze", id: "a-1", seconds: 10 })
    assert.deepEqual(order("freeze", { id: "a-1", seconds: 3600 }), { type: "freeze", id: "a-1", seconds: 15 })
    assert.deepEqual(order("freeze", { id: "a-1" }), { type: "freeze", id: "a-1", seconds: 5 })
    assert.deepEqual(order("thaw", { id: "a-1" }), { type: "thaw", id: "a-1" })
    assert.throws(() => order("freeze", { id: "../etc", seconds: 1 }), /names no operation/)
  })

  it("a word to go on that comes early is not forgotten, and a newer backup ends an older one's hold", async () => {
    const told: object[] = []
    let thawed = 0
    const still = createStill({
      writeManifest: async () => {
        await sleep(30)
        return "aa"
      },
      freeze: async () => ({ thaw: () => thawed++ }),
      answer: async answer => void told.push(answer),
      log: silent,
    })
    const first = still.begin("one", 5)
    still.end("one")
    await first
    assert.deepEqual([told, thawed], [[], 0], "nothing was frozen")
    await still.begin("two", 5)
    assert.deepEqual(told, [{ id: "two", manifest: "aa", frozen: true }])
    still.end("one")
    assert.equal(thawed, 0)
    await still.begin("three", 5)
    assert.equal(thawed, 1)
    still.close()
    assert.equal(thawed, 2)
  })
})
