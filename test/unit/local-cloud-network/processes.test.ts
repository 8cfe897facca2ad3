import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { findQemu, identify, isAlive, isGoneWithin, kill } from "../../../local-cloud/machines/qemu/processes.ts"

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

  it("findQemu() takes no other program for a machine", () => {
    assert.equal(findQemu().has(process.cwd()), false)
  })
})
