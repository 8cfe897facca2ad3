import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { chmod, mkdir, open, readdir, readFile, readlink, stat, symlink, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { createPlaces } from "../../../image-builder/file-server/places.ts"
import { directoryBytes, layOut, zipBytes } from "../../../image-builder/file-server/zip.ts"
import { type Item, planZip } from "../../../image-builder/file-server/zip-plan.ts"
import { which } from "../../../tools/setup/run.ts"
import { skipSuite } from "../../support/skip.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const run = promisify(execFile)
describe("files: archives", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let home: string
  before(async function () {
    if (!(await which("unzip"))) skipSuite(this, "this system has no unzip")
  })
  beforeEach(async () => {
    scratch = await temporaryDirectory()
    home = join(scratch.path, "home")
    await mkdir(join(home, "a/ö empty"), { recursive: true })
    await writeFile(join(home, "a/one.txt"), "one")
    await writeFile(join(home, "a/none"), "")
    await writeFile(join(home, "a/big"), Buffer.alloc(200_000, "0123456789"))
    await chmod(join(home, "a/one.txt"), 0o755)
    await symlink("/etc/passwd", join(home, "a/out"))
  })
  afterEach(() => scratch.remove())

  const collect = async (items: Item[], from = 0) => {
    const chunks: Buffer[] = []
    for await (const chunk of zipBytes(items, from)) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  }

  it("are read by others, are as large as was said, and hold links as links", async () => {
    const { items, leftOut } = await planZip(createPlaces(home), "", ["a"])
    const bytes = await collect(items)
    assert.equal(bytes.length, layOut(items).size)
    assert.equal(leftOut, 0)
    const [file, out] = [join(scratch.path, "a.zip"), join(scratch.path, "out")]
    await writeFile(file, bytes)
    await run("unzip", ["-q", file, "-d", out], { env: { ...process.env, LC_ALL: "C.UTF-8" } })
    const names = (await readdir(join(out, "a"))).sort()
    assert.deepEqual(names, ["big", "none", "one.txt", "out", "ö empty"])
    assert.ok((await readFile(join(out, "a/big"))).equals(await readFile(join(home, "a/big"))))
    assert.equal(await readFile(join(out, "a/one.txt"), "utf8"), "one")
    assert.equal((await stat(join(out, "a/one.txt"))).mode & 0o777, 0o755)
    assert.equal((await stat(join(out, "a/none"))).size, 0)
    assert.ok((await stat(join(out, "a/ö empty"))).isDirectory())
    assert.equal(await readlink(join(out, "a/out")), "/etc/passwd")
    const [before, after] = [await stat(join(home, "a/big")), await stat(join(out, "a/big"))]
    assert.equal(Math.floor(after.mtimeMs / 1000), Math.floor(before.mtimeMs / 1000))
  })

  it("go on anywhere in the middle with the same bytes", async () => {
    const { items } = await planZip(createPlaces(home), "a", [])
    const whole = await collect(items)
    for (const from of [1, 40, 100, 70_000, 199_990, 200_100, whole.length - 300, whole.length - 1])
      assert.ok((await collect(items, from)).equals(whole.subarray(from)), `from ${from}`)
  })

  it("break off when a file has changed, and are named anew by what is in them", async () => {
    const places = createPlaces(home)
    const before = await planZip(places, "a", [])
    await truncate(join(home, "a/big"), 100_000)
    await assert.rejects(collect(before.items), /changed meanwhile/)
    assert.notEqual((await planZip(places, "a", [])).tag, before.tag)
  })

  it("beyond four gigabytes, or of many files, have the larger fields", async () => {
    const item = (path: string, size: number): Item => ({
      ...{ path, from: "/", kind: "file", size, changed: 1.7e12, mode: 0o100_644 },
    })
    const items = [item("big", 5e9), item("after", 3), ...Array.from({ length: 70_000 }, (_, at) => item(`n${at}`, 0))]
    const { directory, size } = layOut(items)
    const file = join(scratch.path, "large.zip")
    // A hole in the place of the content: who lists an archive reads its end alone.
    const handle = await open(file, "w")
    const end = Buffer.concat([...directoryBytes(items, new Uint32Array(items.length).fill(7))])
    await handle.write(end, 0, end.length, directory)
    await handle.close()
    assert.equal((await stat(file)).size, size)
    const listed = (await run("unzip", ["-l", file, "big", "after"])).stdout
    assert.match(listed, /\b5000000000 .*\bbig\n/)
    assert.match(listed, /\b3 .*\bafter\n/)
    assert.match((await run("unzip", ["-Z", "-h", file])).stdout, /number of entries: 70002/)
  })
})
