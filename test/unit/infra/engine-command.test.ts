import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { runCommand } from "../../../infra/engine-command.ts"

const options = { cwd: tmpdir(), env: {} }
const shell = (script: string, more: object = {}) => runCommand("/bin/sh", ["-c", script], { ...options, ...more })
describe("engine-command/runCommand", () => {
  it("gives output and exit code", async () => {
    const { pid, ...done } = await shell("echo out; echo err >&2; exit 3")
    assert.deepEqual(done, { stdout: "out\n", stderr: "err\n", code: 3, killed: false })
    assert.ok(pid > 0)
  })
  it("leaves nothing of its process group behind", async () => {
    const { stdout } = await shell("sleep 600 >/dev/null 2>&1 & echo $!; exit 0")
    const pid = Number(stdout)
    assert.ok(pid > 0)
    // Gone, or dead and not yet waited for by whoever inherited it.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z")
    assert.match(stat, /\) Z/)
  })
  it("asks the program to stop when aborted, and waits for it", async () => {
    const abort = new AbortController()
    const running = shell("trap 'echo stopped; exit 7' INT; echo ready; while :; do sleep 0.05; done", {
      signal: abort.signal,
      onOutput: (text: string) => text.includes("ready") && abort.abort(),
    })
    const done = await running
    assert.equal(done.code, 7)
    assert.match(done.stdout, /stopped/)
  })
  it("hands on none of our own environment but what the engine needs", async () => {
    process.env.FOOZOL_CANARY = "canary"
    try {
      assert.doesNotMatch((await shell("env")).stdout, /canary/)
    } finally {
      delete process.env.FOOZOL_CANARY
    }
  })
  it("names what to do when the program is not there", async () => {
    await assert.rejects(runCommand("/nowhere/pulumi", [], options), { id: "engine-missing" })
  })
})
