import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { StartError } from "../../../local-cloud/errors.ts"
import { byName } from "../../../local-cloud/state/keys.ts"
import type { SshKeyRecord } from "../../../local-cloud/state/records.ts"
import { openStore, type Store } from "../../../local-cloud/state/store.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("store", () => {
  let directory: string
  let remove: () => Promise<void>
  let store: Store
  beforeEach(async () => {
    ;({ path: directory, remove } = await temporaryDirectory())
    store = openStore(directory)
  })
  afterEach(async () => {
    store.close()
    await remove()
  })
  const key = (id: number, name: string): SshKeyRecord => ({
    id,
    name,
    project: "p",
    created: "2026-01-01T00:00:00Z",
    labels: {},
    publicKey: "",
    fingerprint: "",
  })
  const reopen = () => {
    store.close()
    store = openStore(directory)
  }

  it("reads everything back, and uses no id twice", () => {
    const id = store.nextId()
    store.put("ssh_key", key(id, "a"))
    store.put("ssh_key", key(id, "b"))
    store.put("ssh_key", key(store.nextId(), "c"))
    store.remove("ssh_key", id + 1)
    reopen()
    assert.deepEqual(store.all("ssh_key"), [key(id, "b")])
    assert.deepEqual(store.find("ssh_key", byName("p", "b")), [key(id, "b")])
    assert.ok(store.nextId() > id + 1)
  })
  it("a transaction rolled back leaves memory, keys and disk as they were", () => {
    store.put("ssh_key", key(1, "kept"))
    store.put("ssh_key", key(2, "also"))
    const fail = () => {
      store.put("ssh_key", key(1, "changed"))
      store.put("ssh_key", key(1, "twice"))
      store.remove("ssh_key", 2)
      store.put("ssh_key", key(3, "new"))
      throw new Error("no")
    }
    assert.throws(() => store.transaction(fail), /no/)
    const check = () => {
      assert.deepEqual(
        store.all("ssh_key").sort((a, b) => a.id - b.id),
        [key(1, "kept"), key(2, "also")],
      )
      assert.deepEqual(store.find("ssh_key", byName("p", "kept")), [key(1, "kept")])
      assert.deepEqual(store.find("ssh_key", byName("p", "also")), [key(2, "also")])
      for (const name of ["changed", "twice", "new"]) assert.deepEqual(store.find("ssh_key", byName("p", name)), [])
    }
    check()
    reopen()
    check()
  })
  it("a transaction inside another belongs to it", () => {
    const work = () => {
      store.transaction(() => store.put("ssh_key", key(1, "inner")))
      throw new Error("no")
    }
    assert.throws(() => store.transaction(work), /no/)
    assert.equal(store.get("ssh_key", 1), undefined)
    store.transaction(() => store.put("ssh_key", key(1, "after")))
    reopen()
    assert.deepEqual(store.get("ssh_key", 1), key(1, "after"))
  })
  it("an id given in a transaction rolled back is not given again", () => {
    let id = 0
    const fail = () => {
      id = store.nextId()
      throw new Error("no")
    }
    assert.throws(() => store.transaction(fail))
    assert.ok(store.nextId() > id)
  })
  it("skips ids somebody else has used, also after a restart", () => {
    store.skipIds(41)
    store.skipIds(7)
    reopen()
    assert.equal(store.nextId(), 42)
  })
  it("a newer format is refused in so many words", () => {
    store.close()
    const db = new DatabaseSync(join(directory, "records.sqlite"))
    db.exec("UPDATE meta SET value = '99' WHERE key = 'format'")
    db.close()
    assert.throws(
      () => openStore(directory),
      (error: unknown) => error instanceof StartError && /99/.test(error.message),
    )
    const mended = new DatabaseSync(join(directory, "records.sqlite"))
    mended.exec("UPDATE meta SET value = '1' WHERE key = 'format'")
    mended.close()
    store = openStore(directory)
  })
  it("a second process over the same folder is refused", () => {
    assert.throws(
      () => openStore(directory),
      (error: unknown) => error instanceof StartError && /Another local cloud/.test(error.message),
    )
  })
  it("a folder that cannot be written is a StartError that names it", async () => {
    // A file in the folder's place: nobody can write there, whatever their rights.
    const blocked = join(directory, "file")
    await writeFile(blocked, "")
    assert.throws(
      () => openStore(join(blocked, "records")),
      (error: unknown) => error instanceof StartError && error.message.includes(blocked),
    )
  })
})
