import assert from "node:assert/strict"
import {
  addPane,
  asDesktop,
  choose,
  fromNames,
  keepExisting,
  NOTHING,
  removePane,
} from "../../../image-builder/terminal/layout.ts"
import { readRemembered, writeRemembered } from "../../../image-builder/terminal/remembered.ts"
import { quoted, topOf } from "../../../image-builder/terminal/send-files.ts"
import { keyBytes, withAlt, withControl } from "../../../image-builder/terminal/typed.ts"

const all = ["%1", "%2", "%3", "%4", "%5"].map(id => ({ id, name: `name ${id}` }))

describe("terminal page: layout", () => {
  it("shows what is chosen in the active pane, and each terminal once", () => {
    const one = choose(NOTHING, "%1")
    assert.deepEqual(one, { shown: ["%1"], active: 0 })
    assert.deepEqual(choose(one, "%2"), { shown: ["%2"], active: 0 })
    const two = addPane(one, "%2")
    assert.deepEqual(two, { shown: ["%1", "%2"], active: 1 })
    assert.deepEqual(choose(two, "%1"), { shown: ["%1", "%2"], active: 0 })
    assert.deepEqual(addPane({ ...two, active: 0 }, "%3"), { shown: ["%1", "%3", "%2"], active: 1 })
    const four = { shown: ["%1", "%2", "%3", "%4"], active: 2 }
    assert.deepEqual(addPane(four, "%5"), { shown: ["%1", "%2", "%5", "%4"], active: 2 })
    assert.deepEqual(removePane(four, 0), { shown: ["%2", "%3", "%4"], active: 1 })
    assert.deepEqual(removePane(four, 3), { shown: ["%1", "%2", "%3"], active: 2 })
    assert.deepEqual(removePane(one, 0), one)
  })

  it("keeps what is left, and finds by name what has another id", () => {
    const three = { shown: ["%1", "%2", "%3"], active: 2 }
    assert.deepEqual(keepExisting(three, all.slice(1, 3)), { shown: ["%2", "%3"], active: 1 })
    assert.deepEqual(keepExisting({ ...three, active: 0 }, all.slice(1)), { shown: ["%2", "%3"], active: 0 })
    assert.deepEqual(keepExisting(three, all.slice(4)), { shown: ["%5"], active: 0 })
    assert.deepEqual(keepExisting(three, []), NOTHING)
    assert.deepEqual(fromNames(["name %3", "gone", "name %3", 7, "name %1"], all), { shown: ["%3", "%1"], active: 0 })
    assert.deepEqual(fromNames(["gone"], all), NOTHING)
  })

  it("begins with what the desktop shows", () => {
    const listed = all.map(({ id }) => ({ id, front: id === "%3" }))
    assert.deepEqual(asDesktop(listed), { shown: ["%3"], active: 0 })
    assert.deepEqual(asDesktop(all.map(({ id }) => ({ id, front: false }))), { shown: ["%1"], active: 0 })
    assert.deepEqual(asDesktop([]), NOTHING)
  })
})

describe("terminal page: what is typed and remembered", () => {
  const bytes = (...all: number[]) => Uint8Array.from(all)

  it("is controlled as terminals have it", () => {
    assert.deepEqual(withControl(bytes(0x63)), bytes(3))
    assert.deepEqual(withControl(bytes(0x5b)), bytes(0x1b))
    assert.deepEqual(withControl(bytes(0x20)), bytes(0))
    assert.deepEqual(withControl(bytes(0x31)), bytes(0x31))
    assert.deepEqual(withControl(bytes(0xc3, 0xb6)), bytes(0xc3, 0xb6))
    assert.deepEqual(withAlt(bytes(0x62)), bytes(0x1b, 0x62))
    assert.equal(new TextDecoder().decode(keyBytes("up", false)), "\x1b[A")
    assert.equal(new TextDecoder().decode(keyBytes("left", true)), "\x1bOD")
  })

  it("names files as shells take them, and a folder by itself", () => {
    assert.equal(quoted("/home/user/uploads/pasted-2026.png"), "/home/user/uploads/pasted-2026.png")
    assert.equal(quoted("/a b/ö$(x)'\"`;&.txt"), "/a\\ b/ö\\$\\(x\\)\\'\\\"\\`\\;\\&.txt")
    assert.equal(topOf("/home/user/uploads/a.txt", "a.txt"), "/home/user/uploads/a.txt")
    assert.equal(topOf("/home/user/uploads/dir/in/a.txt", "dir/in/a.txt"), "/home/user/uploads/dir")
  })

  it("reads nothing but what it wrote", () => {
    const kept = new Map<string, string>()
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    }
    writeRemembered(storage, { shown: ["a"], letters: 16 })
    assert.deepEqual(readRemembered(storage, 14), { shown: ["a"], letters: 16 })
    for (const wrong of ["{", "null", "7", '{"shown":"x","letters":"big"}', '{"shown":[1]}']) {
      kept.set("foozol.terminal", wrong)
      assert.deepEqual(readRemembered(storage, 14), { shown: [], letters: 14 })
    }
  })
})
