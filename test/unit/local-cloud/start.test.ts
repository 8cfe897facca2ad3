import assert from "node:assert/strict"
import { appendFile } from "node:fs/promises"
import { join } from "node:path"
import { pino } from "pino"
import { StartError } from "../../../local-cloud/errors.ts"
import { createNoMachines } from "../../../local-cloud/machines/none.ts"
import { startLocalCloud } from "../../../local-cloud/server.ts"
import { driverWith } from "../../support/driver.ts"
import { startTestCloud, type TestCloud, type TestCloudOptions } from "../../support/local-cloud.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("server/startLocalCloud", () => {
  let cloud: TestCloud
  afterEach(() => cloud?.close())
  const start = async (options: Partial<TestCloudOptions> = {}) => {
    cloud = await startTestCloud({ machines: "none", ...options })
  }
  const create = async (name: string) =>
    (
      await cloud.api<{ server: { id: number } }>("POST", "/servers", {
        name,
        server_type: "cx23",
        image: cloud.imageId,
      })
    ).server.id
  const status = async (id: number) =>
    (await cloud.api<{ server: { status: string } }>("GET", `/servers/${id}`)).server.status

  it("a port in use is a StartError that says what to do", async () => {
    await start()
    const { path, remove } = await temporaryDirectory()
    const port = Number(new URL(cloud.apiUrl).port)
    const settings = { directory: path, tokens: { "a-long-token": "p" }, adminToken: "another-token", port }
    try {
      await assert.rejects(
        startLocalCloud(settings, createNoMachines(path), pino({ level: "silent" })),
        (error: unknown) => error instanceof StartError && error.message.includes(`port ${port} is in use`),
      )
    } finally {
      await remove()
    }
  })

  it("a start that fails leaves port and folder free for the next", async () => {
    await start()
    const { path, remove } = await temporaryDirectory()
    const settings = { directory: path, tokens: { "a-long-token": "p" }, adminToken: "another-token" }
    const adminPort = Number(new URL(cloud.cloud.adminUrl).port)
    const begin = (more: object) =>
      startLocalCloud({ ...settings, ...more }, createNoMachines(path), pino({ level: "silent" }))
    try {
      await assert.rejects(begin({ adminPort }), /admin port cannot start/)
      await (await begin({})).close()
    } finally {
      await remove()
    }
  })

  it("counts requests whatever becomes of them", async () => {
    await start()
    await cloud.addFault({ match: { path: "/locations" }, times: 1, fault: { kind: "status", status: 503 } })
    await cloud.call("GET", "/locations/1")
    await cloud.call("GET", "/locations/1")
    assert.equal((await cloud.requests())["GET /v1/locations/:id"], 2)
  })

  it("remembers everything over a restart", async () => {
    await start()
    const id = await create("kept")
    const before = await cloud.api("GET", `/servers/${id}`)
    await cloud.restart()
    assert.deepEqual(await cloud.api("GET", `/servers/${id}`), before)
  })

  it("shows a machine as off that was found off at the start, and as running that was found on", async () => {
    await start()
    const [down, up] = [await create("down"), await create("up")]
    await cloud.cloud.context.machines.powerOff(down)
    await cloud.restart()
    assert.deepEqual([await status(down), await status(up)], ["off", "running"])
  })

  it("shows a machine as off once it went off by itself", async () => {
    let tell: (id: number) => void = () => {}
    const onStopped = (listener: (id: number) => void) => {
      tell = listener
    }
    await start({ driver: driverWith({ kind: "none", onStopped }) })
    const id = await create("guest")
    assert.equal(await status(id), "running")
    tell(id)
    assert.equal(await status(id), "off")
    // One that is gone meanwhile is nobody's concern.
    tell(9_999_999)
  })

  it("a machine of the ledger whose record a crash took is marked deleted, and its id never comes again", async () => {
    await start()
    const id = cloud.cloud.context.store.nextId() + 1
    const line = { at: "2026-01-01T00:00:00Z", event: "created", id, name: "ghost", project: "test", labels: {} }
    await appendFile(join(cloud.directory, "ledger.ndjson"), `${JSON.stringify(line)}\n`)
    assert.equal(cloud.ledger().alive.length, 1)
    await cloud.restart()
    assert.deepEqual(cloud.ledger().alive, [])
    assert.deepEqual(
      cloud.ledger().deleted.map(one => one.id),
      [id],
    )
    const next = await create("next")
    assert.ok(next > id)
    assert.deepEqual(
      cloud.ledger().alive.map(one => one.id),
      [next],
    )
  })

  it("a record without a line in the ledger gets one", async () => {
    await start()
    const id = await create("unnoted")
    const { store } = cloud.cloud.context
    const record = store.get("server", id)
    assert.ok(record)
    store.put("server", { ...record, id: id + 1_000, name: "twin", ipv4: null, ipv6: null })
    await cloud.restart()
    assert.deepEqual(
      cloud.ledger().alive.map(one => one.id),
      [id, id + 1_000],
    )
  })
})
