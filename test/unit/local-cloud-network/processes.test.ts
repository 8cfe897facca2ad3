import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { findQemu, identify, isAlive, isGoneWithin, kill } from "../../../local-cloud/machines/qemu/processes.ts"
import { which } from "../../../tools/setup/run.ts"
import { skipTest } from "../../support/skip.ts"
import { waitUntil } from "../../support/wait-until.ts"

describe("processes", () => {
  it("identify() knows living processes only", () => {
    const self = identify(process.pid)
    assert.equal(self?.pid, process.pid)
    assert.ok((self?.startTicks ?? 0) > 0)
    assert.equal(identify(2 ** 22 + 1), null)
  })

  it("isAlive() is not fooled by another process with the same number", () => {
    const self = identify(process.pid)
    assert.ok(self !== null)
    assert.equal(isAlive(self), true)
    assert.equal(isAlive({ ...self, startTicks: self.startTicks - 1 }), false)
    assert.equal(isAlive({ ...self, hostBoot: "another" }), false)
  })

  it("kill() ends exactly the process it was given", async () => {
    const child = spawn("sleep", ["1000"])
    await once(child, "spawn")
    const identity = identify(child.pid ?? 0)
    assert.ok(identity !== null)
    await kill({ ...identity, startTicks: identity.startTicks + 1 })
    assert.equal(await isGoneWithin(identity, 0), false)
    await kill(identity)
    assert.equal(isAlive(identity), false)
    await kill(identity)
  })

  it("isAlive() counts a process whose first thread has ended as alive while others hold its files", async function () {
    if ((await which("python3")) === null) skipTest(this, "this system has no python3")
    // Its first thread ends alone (system call 60 of x86: exit); the other one waits for its input to end.
    const program = "import ctypes, os, threading\nthreading.Thread(target=os.read, args=(0, 1)).start()\n"
    const child = spawn("python3", ["-c", `${program}print(1, flush=True)\nctypes.CDLL(None).syscall(60, 0)`])
    await once(child.stdout, "data")
    const identity = identify(child.pid ?? 0)
    assert.ok(identity !== null)
    const isZombie = () => /\) Z /.test(readFileSync(`/proc/${identity.pid}/stat`, "utf8"))
    await waitUntil("its first thread has ended", async () => isZombie())
    assert.equal(isAlive(identity), true)
    child.stdin.end()
    assert.equal(await isGoneWithin(identity, 60_000), true)
  })

  it("findQemu() takes no other program for a machine", () => {
    assert.equal(findQemu().has(process.cwd()), false)
  })
})
