import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { isDead, parseLock, removeDeadLocks } from "../../../infra/stack-locks.ts"
import { folderFiles } from "../../../infra/state-files/folder.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

const TAKEN = Date.parse("2026-01-02T03:04:05Z")
const lock = { pid: 42, hostname: "here", takenAt: TAKEN }

describe("infra/stack-locks", () => {
  const cases: [string, Promise<boolean>, boolean][] = [
    ["its process is gone", isDead(lock, "here", async () => null), true],
    ["its process lives", isDead(lock, "here", async () => TAKEN - 60_000), false],
    ["its process began just before it", isDead(lock, "here", async () => TAKEN), false],
    ["another process has its id since", isDead(lock, "here", async () => TAKEN + 60_000), true],
    ["it was taken on another host", isDead(lock, "there", async () => null), false],
  ]
  for (const [what, answer, dead] of cases) {
    it(`${dead ? "dead" : "not proven dead"}: ${what}`, async () => assert.equal(await answer, dead))
  }

  it("half a file is no lock", () => {
    for (const text of ["", "{", '{"pid":1}', '{"pid":"1","hostname":"a","timestamp":"x"}', "[]", "null"]) {
      assert.equal(parseLock(text), null, text)
    }
  })

  it("removes the lock of a process that was killed, and leaves that of one that lives", async () => {
    const { path, remove } = await temporaryDirectory("fc-")
    const child = spawn("sleep", ["1000"])
    const files = folderFiles(path)
    await mkdir(join(path, "locks", "one"), { recursive: true })
    const write = (name: string, pid: number) =>
      writeFile(
        join(path, "locks", "one", name),
        JSON.stringify({ pid, hostname: hostname(), timestamp: new Date().toISOString() }),
      )
    try {
      await write("living.json", process.pid)
      await write("child.json", child.pid as number)
      assert.equal(await removeDeadLocks(files, "locks"), 0)
      child.kill("SIGKILL")
      await once(child, "exit")
      assert.equal(await removeDeadLocks(files, "locks/one"), 1)
      assert.deepEqual(await readdir(join(path, "locks", "one")), ["living.json"])
      assert.equal(await removeDeadLocks(files, "nothing"), 0)
    } finally {
      child.kill("SIGKILL")
      await remove()
    }
  })
})
