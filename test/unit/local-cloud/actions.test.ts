import assert from "node:assert/strict"
import { cp } from "node:fs/promises"
import { pino } from "pino"
import { NoRoomError } from "../../../local-cloud/machines/contract.ts"
import { createNoMachines } from "../../../local-cloud/machines/none.ts"
import { startLocalCloud } from "../../../local-cloud/server.ts"
import { createGate, driverWith } from "../../support/driver.ts"
import { startTestCloud, type TestCloud, type TestCloudOptions } from "../../support/local-cloud.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { waitUntil } from "../../support/wait-until.ts"

interface Action {
  id: number
  command: string
  status: string
  progress: number
  finished: string | null
  error: { code: string; message: string } | null
}
interface Created {
  server: { id: number; status: string; locked: boolean }
  action: Action
  next_actions: Action[]
}

describe("actions", () => {
  let cloud: TestCloud
  afterEach(() => cloud?.close())
  const start = async (options: Partial<TestCloudOptions> = {}) => {
    cloud = await startTestCloud({ machines: "none", ...options })
  }
  const create = (name: string, more: object = {}) =>
    cloud.api<Created>("POST", "/servers", { name, server_type: "cx23", image: cloud.imageId, ...more })
  const action = async (id: number) => (await cloud.api<{ action: Action }>("GET", `/actions/${id}`)).action
  const server = async (id: number) => (await cloud.api<{ server: Created["server"] }>("GET", `/servers/${id}`)).server
  const ended = (id: number) =>
    waitUntil("the action has ended", async () => {
      const now = await action(id)
      return now.status !== "running" && now
    })

  it("are done when the answer comes, with instantaneous machines", async () => {
    await start()
    const { action, next_actions, server } = await create("one")
    assert.deepEqual([action.status, action.progress, action.error], ["success", 100, null])
    assert.deepEqual([next_actions[0]?.command, next_actions[0]?.status], ["start_server", "success"])
    assert.deepEqual([server.status, server.locked], ["running", false])
  })

  it("take at least the delay that is set", async () => {
    await start({ settings: { actionDelayMs: 30 } })
    const { action: first, server } = await create("slow", { start_after_create: false })
    assert.deepEqual([first.status, first.progress, server.status], ["running", 0, "initializing"])
    const last = await ended(first.id)
    const record = cloud.cloud.context.store.get("action", first.id)
    assert.ok(Date.parse(last.finished ?? "") - Date.parse(record?.created ?? "") >= 25)
  })

  it("one at a time for a server: 423 while it runs, and the start waits for the creation", async () => {
    const gate = createGate()
    const calls: string[] = []
    const driver = driverWith(inner => ({
      createDisk: async () => {
        calls.push("disk")
        await gate.pass()
      },
      start: config => {
        calls.push("start")
        return inner.start(config)
      },
    }))
    await start({ driver })
    const { action, next_actions, server: made } = await create("busy")
    await gate.reached()
    for (const [method, path] of [
      ["POST", `/servers/${made.id}/actions/poweroff`],
      ["DELETE", `/servers/${made.id}`],
    ] as const) {
      const { status, body } = await cloud.call(method, path, {})
      assert.deepEqual([status, (body as { error: { code: string } }).error.code], [423, "locked"])
    }
    assert.deepEqual([calls, (await server(made.id)).status], [["disk"], "initializing"])
    gate.open()
    assert.equal((await ended(next_actions[0]?.id ?? 0)).status, "success")
    assert.equal((await ended(action.id)).status, "success")
    assert.deepEqual([calls, (await server(made.id)).status], [["disk", "start"], "running"])
    assert.equal((await server(made.id)).locked, false)
  })

  it("go on after a crash in their middle", async () => {
    const gate = createGate()
    await start({ driver: driverWith({ createDisk: gate.pass }) })
    const { action, next_actions, server: made } = await create("interrupted")
    await gate.reached()
    // What a process killed now would leave behind.
    const copy = await temporaryDirectory()
    await cp(cloud.directory, copy.path, { recursive: true })
    const { config } = cloud.cloud.context
    const settings = { ...config, directory: copy.path, port: 0 }
    const second = await startLocalCloud(settings, createNoMachines(copy.path), pino({ level: "silent" }))
    try {
      const { store } = second.context
      assert.equal(store.get("action", action.id)?.status === "error", false)
      await second.context.actions.idle()
      for (const one of [action, ...next_actions]) assert.equal(store.get("action", one.id)?.status, "success")
      const record = store.get("server", made.id)
      assert.deepEqual([record?.status, record?.locked], ["running", false])
      assert.equal(await second.context.machines.isRunning(made.id), true)
    } finally {
      await second.close()
      await copy.remove()
      gate.open()
    }
  })

  it("end in an error that says why, and leave the server usable", async () => {
    let broken = true
    const powerOff = async () => {
      if (broken) throw new Error("the plug is stuck")
    }
    await start({ driver: driverWith({ powerOff }) })
    const { server: made, next_actions } = await create("stubborn")
    await ended(next_actions[0]?.id ?? 0)
    const off = () => cloud.api<{ action: Action }>("POST", `/servers/${made.id}/actions/poweroff`)
    const failed = await ended((await off()).action.id)
    assert.deepEqual(failed.error, { code: "action_failed", message: "the plug is stuck" })
    const after = await server(made.id)
    assert.deepEqual([failed.status, after.status, after.locked], ["error", "running", false])
    broken = false
    assert.equal((await ended((await off()).action.id)).status, "success")
  })

  it("without room: resource_unavailable, and nothing of the server exists", async () => {
    const admit = async () => {
      throw new NoRoomError("no memory is left")
    }
    await start({ driver: driverWith({ admit }) })
    await assert.rejects(create("big"), /422.*resource_unavailable.*no memory is left/)
    assert.deepEqual(await cloud.api("GET", "/servers").then(answer => (answer as { servers: unknown[] }).servers), [])
    assert.deepEqual(cloud.ledger().created, [])
  })
  it("room that is gone by the time the disk is made: the action says so, and the server can be deleted", async () => {
    const createDisk = async () => {
      throw new NoRoomError("no disk is left")
    }
    await start({ driver: driverWith({ createDisk }) })
    const { server: made, action: first, next_actions } = await create("big")
    assert.deepEqual((await ended(first.id)).error, { code: "resource_unavailable", message: "no disk is left" })
    assert.equal((await ended(next_actions[0]?.id ?? 0)).status, "error")
    const left = await server(made.id)
    assert.deepEqual([left.status, left.locked], ["off", false])
    const { action: deletion } = await cloud.api<{ action: Action }>("DELETE", `/servers/${made.id}`)
    assert.equal((await ended(deletion.id)).status, "success")
    assert.equal((await cloud.call("GET", `/servers/${made.id}`)).status, 404)
    assert.deepEqual(cloud.ledger().alive, [])
  })
})
