import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { TestCloud } from "../support/local-cloud.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { testSpec } from "../support/workspace.ts"

type State = { deployment: { pending_operations?: unknown[] } }
const SECRETS = { workspaceKey: "a-key-for-a-test-that-is-long-enough" }

describe("engine: a killed run", () => {
  let test: TestEngine
  let cloud: TestCloud
  let pool: EnginePool
  let config: CloudConfig

  before(async () => {
    test = await startTestEngine()
    ;({ cloud, pool, config } = test)
  })
  after(() => test?.close())

  it("is done again: it breaks the lock that was left and finishes what was begun, with one machine", async () => {
    const spec = testSpec({ image: cloud.imageId })
    let [group, killed] = [0, 0]
    let locked: string[] = []
    let plugins: string[] = []
    // Nothing more is done however late this hears of what is.
    await cloud.addFault({ match: { method: "POST", path: "^/v1/servers$" }, fault: { kind: "hang" } })
    const { outputs } = await pool.run<{ outputs: Record<string, unknown> }>(
      config,
      { action: "apply", spec, secrets: SECRETS },
      {
        onEvent: event => {
          if (event.type === "process") group = event.pgid
          // In the middle of it: something is made, and not all of it.
          if (killed === 0 && event.type === "resource" && event.name === "ipv4" && event.state === "done") {
            killed = group
            plugins = pluginsOf(group)
            process.kill(-group, "SIGKILL")
            void cloud.clearFaults()
            locked = readdirSync(new URL(config.backendUrl), { recursive: true, encoding: "utf8" })
          }
        },
      },
    )
    assert.notEqual(killed, 0)
    assert.equal(locked.filter(name => /locks.*\.json$/.test(name)).length, 1, "the killed engine has left its lock")
    assert.ok(outputs.machineId)
    const state = await pool.run<State>(config, { action: "export", workspace: spec.workspace })
    assert.deepEqual(state.deployment.pending_operations ?? [], [], "nothing is remembered as begun")
    assert.ok(plugins.length > 0)
    assert.deepEqual(plugins.filter(isPlugin), [], "its plugins have ended too")
    assert.equal(cloud.ledger().alive.filter(one => one.event === "created").length, 1)
  })
})

describe("engine: unlocking", () => {
  let test: TestEngine
  let cloud: TestCloud
  let pool: EnginePool
  let config: CloudConfig
  before(async () => {
    test = await startTestEngine()
    ;({ cloud, pool, config } = test)
  })
  after(() => test?.close())

  it("takes away the lock of the dead, and that of the living only by force", async () => {
    const { workspace } = testSpec()
    const folder = join(fileURLToPath(config.backendUrl), ".pulumi/locks/organization/foozol-cloud", workspace)
    await pool.run(config, { action: "apply", spec: testSpec({ image: cloud.imageId }), secrets: SECRETS })
    await mkdir(folder, { recursive: true })
    const hold = (pid: number) =>
      writeFile(
        join(folder, "0f2a.json"),
        JSON.stringify({ pid, username: "root", hostname: hostname(), timestamp: new Date().toISOString() }),
      )
    const unlock = (force: boolean) => pool.run(config, { action: "unlock", workspace, force })
    const dead = spawn("true")
    await once(dead, "exit")
    await hold(dead.pid as number)
    await unlock(false)
    assert.deepEqual(await readdir(folder), [])
    await hold(process.pid)
    await assert.rejects(unlock(false), { id: "stack-locked", message: new RegExp(`process ${process.pid} on `) })
    await assert.rejects(pool.run(config, { action: "recover", workspace }), { id: "stack-locked" })
    assert.equal((await readdir(folder)).length, 1)
    await unlock(true)
    assert.deepEqual(
      (await readdir(folder)).filter(name => name.endsWith(".json")),
      [],
    )
  })
})

/** Process ids of the plugins an engine has started; the kernel keeps them by the thread that did. */
function pluginsOf(engine: number): string[] {
  return readdirSync(`/proc/${engine}/task`)
    .flatMap(thread => readFileSync(`/proc/${engine}/task/${thread}/children`, "utf8").trim().split(" "))
    .filter(isPlugin)
}

function isPlugin(pid: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes("/plugins/resource-hcloud-")
  } catch {
    return false
  }
}
