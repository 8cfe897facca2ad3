import assert from "node:assert/strict"
import { disposition, readRange } from "../../../image-builder/file-server/download.ts"
import { cleanName, cleanPath, isName, numbered } from "../../../image-builder/file-server/names.ts"
import { pastedName } from "../../../image-builder/files/given.ts"
import { folderOf, hashOf, sizeWords, sorted } from "../../../image-builder/files/words.ts"

describe("files: names", () => {
  it("are made safe, and stay readable", () => {
    assert.equal(cleanName("Notes (2).txt"), "Notes (2).txt")
    assert.equal(cleanName("../../etc/passwd"), ".._.._etc_passwd")
    assert.equal(cleanName("a\u0000b\u001b[31m\nc"), "a_b_[31m_c")
    assert.equal(cleanName("C:\\temp\\x"), "C:_temp_x")
    assert.equal(cleanName("photo\u202egnp.exe"), "photo_gnp.exe")
    assert.equal(cleanName("O\u0308l.txt"), "Öl.txt")
    assert.equal(cleanName("\ud800.txt"), "\ufffd.txt")
    for (const none of ["", " ", ".", "..", "\t"])
      assert.equal(cleanName(none), none === "\t" ? "_" : null, JSON.stringify(none))
    assert.equal(cleanName("...")?.length, 3)
  })

  it("are cut to what Linux takes, with their ending", () => {
    const long = cleanName(`${"ö".repeat(300)}.tar.gz`) as string
    assert.ok(Buffer.byteLength(long) <= 255 && long.endsWith("ö.tar.gz"), long)
    const more = numbered(long, 12)
    assert.ok(Buffer.byteLength(more) <= 255 && more.endsWith(" (12).tar.gz"), more)
    assert.equal(numbered("a.txt", 2), "a (2).txt")
    assert.equal(numbered(".bashrc", 2), ".bashrc (2)")
    assert.equal(numbered("Makefile", 3), "Makefile (3)")
  })

  it("of a folder's files are safe one by one, and no way leads up", () => {
    assert.deepEqual(cleanPath("a/b/c.txt"), ["a", "b", "c.txt"])
    for (const wrong of ["", "/etc/passwd", "a//b", "a/../b", "..", "a/.", Array(80).fill("x").join("/")])
      assert.equal(cleanPath(wrong), null, wrong)
    for (const wrong of ["", ".", "..", "a/b", "a\0"]) assert.equal(isName(wrong), false)
    assert.equal(isName("...."), true)
  })

  it("of pasted pictures say when; others keep theirs", () => {
    const at = new Date(2026, 10, 22, 9, 5, 3).getTime()
    assert.equal(pastedName({ name: "image.png", type: "image/png" }, at, 0), "pasted-2026-11-22-090503.png")
    assert.equal(pastedName({ name: "", type: "image/jpeg" }, at, 1), "pasted-2026-11-22-090503-2.jpg")
    assert.equal(pastedName({ name: "plan.pdf", type: "application/pdf" }, at, 0), "plan.pdf")
  })

  it("are told to browsers whatever they are", () => {
    assert.equal(
      disposition('a "b"\r\n; öß%.txt'),
      `attachment; filename="a _b___; ___.txt"; filename*=UTF-8''a%20%22b%22%0D%0A%3B%20%C3%B6%C3%9F%25.txt`,
    )
    assert.match(disposition("it's (1)*"), /UTF-8''it%27s%20%281%29%2A$/)
  })
})

describe("files: words and order", () => {
  it("of sizes, folders in addresses, and lists", () => {
    assert.deepEqual([0, 1, 999, 1_000, 1_449, 14_000, 999_600, 5e9].map(sizeWords), [
      ...["0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.4 kB", "14 kB", "1.0 MB", "5.0 GB"],
    ])
    assert.equal(folderOf(hashOf("a b/ö#?/%41")), "a b/ö#?/%41")
    assert.equal(folderOf("#/%zz"), "")
    const entry = (name: string, kind: string, size: number | null, changed: number) => ({ name, kind, size, changed })
    const all = [
      entry("b10", "file", 1, 5),
      entry("b9", "file", 3, 1),
      entry("z", "folder", null, 9),
      entry("A", "file", 3, 2),
    ]
    const names = (by: "name" | "size" | "changed", down: boolean) =>
      sorted(all, { by, down })
        .map(({ name }) => name)
        .join(" ")
    assert.equal(names("name", false), "z A b9 b10")
    assert.equal(names("name", true), "z b10 b9 A")
    assert.equal(names("size", true), "z A b9 b10")
    assert.equal(names("changed", true), "z b10 A b9")
  })
})

describe("files: ranges", () => {
  it("are one, or all of it", () => {
    assert.deepEqual(readRange("bytes=5-", 10), [5, 9])
    assert.deepEqual(readRange("bytes=0-99", 10), [0, 9])
    assert.deepEqual(readRange("bytes=-3", 10), [7, 9])
    assert.equal(readRange("bytes=10-", 10), "none")
    assert.equal(readRange("bytes=0-", 0), "none")
    for (const all of ["bytes=-", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b"]) assert.equal(readRange(all, 10), null)
  })
})
