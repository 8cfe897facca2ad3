import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promote, promotedImage, promotionOf, storedImages } from "../../../image-builder/promotion.ts"
import type { Result } from "../../../image-builder/verify/check.ts"
import type { Report } from "../../../image-builder/verify.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("promotion of golden images", () => {
  let cache: Awaited<ReturnType<typeof temporaryDirectory>>
  beforeEach(async () => {
    cache = await temporaryDirectory()
  })
  afterEach(() => cache.remove())

  const image = async (hash: string, profile = "browser", usedAt = 0) => {
    const directory = join(cache.path, `image-${profile}-${hash}`)
    await mkdir(directory)
    await writeFile(join(directory, "manifest.json"), JSON.stringify({ version: 1, hash, profile }))
    await utimes(directory, usedAt, usedAt)
    return directory
  }
  const ok: Result = { name: "door: open", state: "ok", seconds: 1, detail: "" }
  const failed: Result = {
    name: "screen: a terminal",
    state: "failed",
    seconds: 9,
    detail: "The terminal covers 0 %",
    screenshot: "/pictures/screen.png",
  }
  const report = (hash: string, given: Partial<Report> = {}): Report => ({
    ...{
      version: 1,
      image: hash,
      profile: "browser",
      level: "full",
      at: "2026-01-01T00:00:00Z",
      seconds: 10,
      results: [ok],
    },
    ...given,
  })

  it("promotes what passed all of the checklist", async () => {
    const directory = await image("a1")
    assert.equal(await promotedImage(cache.path, "browser"), null)
    await promote(directory, report("a1"))
    assert.equal(await promotedImage(cache.path, "browser"), directory)
    assert.equal(await promotedImage(cache.path, "desktop"), null)
    assert.deepEqual(JSON.parse(await readFile(join(directory, "verified.json"), "utf8")), report("a1"))
  })
  it("does not promote for the cheap part", async () => {
    const directory = await image("a1")
    await promote(directory, report("a1", { level: "quick" }))
    assert.equal(await promotionOf(directory), null)
  })
  it("never promotes what failed, and names the checks and the picture", async () => {
    const directory = await image("a1")
    const error = await promote(directory, report("a1", { results: [ok, failed] })).catch(error => error)
    assert.equal(error.id, "not-verified")
    assert.match(error.message, /browser-a1 failed 1 of 2 checks and is not promoted: "screen: a terminal"/)
    assert.match(error.message, /The terminal covers 0 %\. The screen at that moment: \/pictures\/screen\.png/)
    assert.equal(existsSync(join(directory, "verified.json")), false)
  })
  it("takes the promotion back when a check fails later, at any level", async () => {
    const directory = await image("a1")
    await promote(directory, report("a1"))
    await assert.rejects(promote(directory, report("a1", { level: "quick", results: [failed] })))
    assert.equal(await promotionOf(directory), null)
  })
  it("does not take another image's report", async () => {
    const directory = await image("a1")
    await promote(directory, report("b2"))
    assert.equal(await promotionOf(directory), null)
  })
  it("gives the promoted image that was last used, whatever was built after it", async () => {
    const [old, used] = [await image("a1"), await image("b2")]
    await promote(old, report("a1"))
    await promote(used, report("b2"))
    await utimes(old, 1_000, 1_000)
    await utimes(used, 2_000, 2_000)
    await image("c3", "browser", 3_000)
    assert.equal(await promotedImage(cache.path, "browser"), used)
    assert.deepEqual(
      (await storedImages(cache.path)).map(({ manifest, verified }) => [manifest.hash, verified !== null]),
      [
        ["c3", false],
        ["b2", true],
        ["a1", true],
      ],
    )
  })
  it("passes over what is no image", async () => {
    await mkdir(join(cache.path, "image-browser-broken"))
    assert.deepEqual(await storedImages(cache.path), [])
    assert.deepEqual(await storedImages(join(cache.path, "nowhere")), [])
  })
})
