import assert from "node:assert/strict"
import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createBackoff } from "../../../image-builder/agent/backoff.ts"
import { keepHome } from "../../../image-builder/agent/home-backup/keeper.ts"
import { moveOver } from "../../../image-builder/agent/home-backup/move-over.ts"
import { type HomeNews, type HomeOrder, parseHomeOrder } from "../../../image-builder/agent/home-backup/order.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { waitUntil } from "../../support/wait-until.ts"

const ORDER: HomeOrder = { id: "one", do: "backup", prove: false, keepDays: null, backup: null }

describe("agent: orders about the home", () => {
  it("are read strictly", () => {
    assert.deepEqual(parseHomeOrder({ ...ORDER }), ORDER)
    for (const wrong of [
      { id: "a b" },
      { do: "destroy" },
      { backup: "latest; rm" },
      { backup: undefined },
      { keepDays: 0 },
      { keepDays: "7" },
    ]) {
      assert.throws(() => parseHomeOrder({ ...ORDER, ...wrong }), JSON.stringify(wrong))
    }
  })

  it("are done one after the other, once each; a newer one takes the place of one that goes on", async () => {
    const ending = new AbortController()
    const [told, begun]: [HomeNews[], string[]] = [[], []]
    let refusals = 2
    let isLeft = true
    const keeper = keepHome({
      async work({ id }, _, signal) {
        begun.push(id)
        if (id === "one" || (id === "left" && isLeft))
          await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error())))
        if (id === "bad") throw new Error("in plain words")
        return {}
      },
      async tell(news) {
        if (news.state !== "going" && refusals-- > 0) throw new Error("the service is away")
        told.push(news)
      },
      backoff: () => createBackoff({ first: 1, most: 2, random: Math.random }),
      signal: ending.signal,
      log: { info: () => {}, warn: () => {} },
    })
    keeper.obey(ORDER)
    keeper.obey(ORDER)
    await waitUntil("it has begun", () => begun.length > 0)
    keeper.obey({ ...ORDER, id: "two" })
    await waitUntil("that is told", () => told.some(({ id, state }) => id === "two" && state === "done"))
    keeper.obey({ ...ORDER, id: "two" })
    await waitUntil("it is told again", () => told.filter(({ state }) => state === "done").length === 2)
    keeper.obey({ ...ORDER, id: "bad" })
    await waitUntil("it is told", () => told.some(({ state }) => state === "failed"))
    assert.deepEqual(begun, ["one", "two", "bad"])
    // Where another home comes it is left, and done anew when it is ordered again.
    keeper.obey({ ...ORDER, id: "left" })
    await waitUntil("it has begun", () => begun.includes("left"))
    await keeper.letGo()
    assert.ok(!told.some(({ id, state }) => id === "left" && state !== "going"))
    isLeft = false
    keeper.obey({ ...ORDER, id: "left" })
    await waitUntil("that is told", () => told.some(({ id, state }) => id === "left" && state === "done"))
    keeper.obey({ ...ORDER, id: "bad" })
    await waitUntil("that is told", () => told.at(-1)?.id === "bad" && told.at(-1)?.state === "failed")
    assert.deepEqual(told.at(-1), { id: "bad", state: "failed", reason: "in plain words" })
    ending.abort()
    await keeper.done()
  })
})

describe("agent: a home that is brought back", () => {
  it("takes the place of what has its names; folders become one, and the rest stays", async () => {
    const { path, remove } = await temporaryDirectory()
    const [from, to] = [join(path, "from"), join(path, "to")]
    try {
      for (const folder of [from, to]) await mkdir(join(folder, "both"), { recursive: true })
      await chmod(join(from, "both"), 0o750)
      await writeFile(join(from, "both/file"), "new")
      await writeFile(join(to, "both/file"), "old")
      await writeFile(join(to, "both/mine"), "stays")
      await symlink("new", join(from, "link"))
      await symlink("old", join(to, "link"))
      await writeFile(join(from, "was-folder"), "file")
      await mkdir(join(to, "was-folder/inner"), { recursive: true })
      await mkdir(join(from, "was-file/inner"), { recursive: true })
      await writeFile(join(to, "was-file"), "file")
      // What a link leads to is none of it.
      await mkdir(join(path, "elsewhere"))
      await mkdir(join(from, "linked"))
      await writeFile(join(from, "linked/file"), "new")
      await symlink("../elsewhere", join(to, "linked"))
      await moveOver(from, to)
      const read = (name: string) => readFile(join(to, name), "utf8")
      assert.deepEqual(
        [await read("both/file"), await read("both/mine"), await read("was-folder"), await read("linked/file")],
        ["new", "stays", "file", "new"],
      )
      assert.equal(await readlink(join(to, "link")), "new")
      assert.deepEqual(await readdir(join(to, "was-file")), ["inner"])
      assert.equal((await lstat(join(to, "both"))).mode & 0o777, 0o750)
      assert.deepEqual(await readdir(join(path, "elsewhere")), [])
    } finally {
      await remove()
    }
  })
})
