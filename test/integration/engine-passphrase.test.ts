import assert from "node:assert/strict"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { RunResult } from "../../infra/engine.ts"
import { rotatePassphrase } from "../../infra/rotate-passphrase.ts"
import type { StateFiles } from "../../infra/state-files/contract.ts"
import { openStateFiles } from "../../infra/state-files/open.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { testSecrets as secrets, testSpec } from "../support/workspace.ts"

const NEW = "another passphrase for tests"
const NAMES = ["blue-otter", "red-fox", "calm-owl"]

describe("engine: another passphrase for all stacks", () => {
  let test: TestEngine
  let files: StateFiles
  /** What every process has meanwhile, what it has afterwards, and what somebody has who was forgotten. */
  let both: CloudConfig
  let renewed: CloudConfig
  let wrong: CloudConfig

  const spec = (workspace: string) =>
    testSpec({ image: test.cloud.imageId, workspace, dns: { name: workspace, zone: "desk.example", ttl: 60 } })
  const apply = (config: CloudConfig, workspace: string) =>
    test.pool.run<RunResult>(config, { action: "apply", spec: spec(workspace), secrets })
  const rotate = (some = files) =>
    rotatePassphrase(some, { from: [test.config.passphrase], to: NEW }, { patienceMs: 500 })
  const stateFile = (name: string) =>
    join(fileURLToPath(test.config.backendUrl), ".pulumi", "stacks", "foozol-cloud", `${name}.json`)

  before(async () => {
    test = await startTestEngine()
    const found = openStateFiles(test.config.backendUrl, {})
    if (!found) throw new Error("no files")
    files = found
    both = { ...test.config, passphrase: NEW, previousPassphrase: test.config.passphrase }
    renewed = { ...test.config, passphrase: NEW }
    wrong = { ...test.config, passphrase: "neither of them" }
    for (const name of NAMES.slice(0, 2)) await apply(test.config, name)
  })
  after(() => test?.close())

  it("a wrong one is said, and nothing is touched", async () => {
    const before = await readFile(stateFile("blue-otter"), "utf8")
    await assert.rejects(test.pool.run(wrong, { action: "refresh", workspace: "blue-otter" }), {
      ...{ id: "wrong-passphrase", message: /FOOZOL_STATE_PASSPHRASE/ },
    })
    const said = await rotatePassphrase(files, { from: ["neither of them"], to: NEW }, { dryRun: true })
    assert.deepEqual([said.unreadable.sort(), said.rotated], [["blue-otter", "red-fox"], []])
    assert.equal(await readFile(stateFile("blue-otter"), "utf8"), before)
  })

  it("who knows both works on stacks of the earlier one, and makes new ones", async () => {
    assert.deepEqual((await apply(both, "blue-otter")).changes, { same: 8 })
    await apply(both, "calm-owl")
  })

  it("cut off after any write, it is done again; a mixture is worked on meanwhile", async () => {
    let left = 1
    const cut: StateFiles = {
      ...files,
      async replace(name, text) {
        if (left-- <= 0) throw new Error("cut off")
        return files.replace(name, text)
      },
    }
    for (let writes = 1; writes < 4; writes++) {
      left = writes
      await assert.rejects(rotate(cut), /cut off/)
      for (const name of NAMES.slice(0, 2))
        assert.deepEqual(
          Object.keys((await test.pool.run<RunResult>(both, { action: "refresh", workspace: name })).changes),
          ["same"],
        )
    }
    // The process that was cut off is this one, which lives: its lock went with it.
    assert.deepEqual(
      (await files.list(".pulumi/locks")).filter(name => name.endsWith(".json")),
      [],
    )
  })

  it("a run that is at a stack is waited for, and the stack left for the next try", async () => {
    const lock = ".pulumi/locks/organization/foozol-cloud/red-fox/held.json"
    await files.writeNew(lock, JSON.stringify({ pid: 1, hostname: "elsewhere", timestamp: new Date() }))
    const { held, rotated, fine } = await rotate()
    assert.deepEqual([held, rotated.length + fine], [["red-fox"], 2])
    await files.remove(lock)
  })

  it("then all are of the new one alone, whose secrets are the same, and so is what is kept of earlier states", async () => {
    assert.deepEqual(await rotate(), { rotated: ["red-fox"], fine: 2, held: [], unreadable: [] })
    assert.deepEqual(await rotate(), { rotated: [], fine: 3, held: [], unreadable: [] })
    for (const name of NAMES) {
      const { changes, outputs } = await apply(renewed, name)
      assert.deepEqual([changes, outputs.workspaceKey], [{ same: 8 }, secrets.workspaceKey])
      const repaired = await test.pool.run<RunResult>(renewed, { action: "repair-as-recorded", workspace: name })
      assert.equal(repaired.outputs.workspaceKey, secrets.workspaceKey, "out of the state itself")
    }
    await assert.rejects(test.pool.run(test.config, { action: "refresh", workspace: "red-fox" }), {
      id: "wrong-passphrase",
    })
    await writeFile(stateFile("red-fox"), "{")
    await test.pool.run(renewed, { action: "recover", workspace: "red-fox" })
    assert.deepEqual(Object.keys((await apply(renewed, "red-fox")).changes), ["same"])
    const empty = (await readdir(join(fileURLToPath(test.config.backendUrl), ".foozol"))).filter(name =>
      name.startsWith("empty"),
    )
    assert.equal(empty.length, 1)
    await test.pool.run(renewed, { action: "apply", spec: spec("new-bee"), secrets })
    for (const name of [...NAMES, "new-bee"]) await test.pool.run(renewed, { action: "destroy", workspace: name })
  })
})
