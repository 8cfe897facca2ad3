import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { createPlaces, shutDownForHost } from "../../../local-cloud/after-reboot.ts"
import type { Machines } from "../../../local-cloud/machines/contract.ts"
import { createGate, driverWith } from "../../support/driver.ts"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"
import { waitUntil } from "../../support/wait-until.ts"

describe("reboots of the host", () => {
  let cloud: TestCloud
  let tell: (id: number) => void
  let inner: Machines
  let starts: number[]
  let gate: ReturnType<typeof createGate> | null

  beforeEach(async () => {
    starts = []
    gate = null
    cloud = await startTestCloud({
      machines: "qemu",
      driver: driverWith(made => {
        inner = made
        return {
          onStopped: listener => {
            tell = listener
          },
          start: async config => {
            starts.push(config.id)
            await gate?.pass()
            await made.start(config)
          },
        }
      }),
      settings: { restarts: { atOnce: 2, pauseMs: 0 } },
    })
  })
  afterEach(() => cloud.close())

  const shown = async (id: number) =>
    (await cloud.api<{ server: { status: string; locked: boolean } }>("GET", `/servers/${id}`)).server
  const is = (id: number, status: string) =>
    waitUntil(`${id} is ${status}`, async () => (await shown(id)).status === status && !(await shown(id)).locked)
  const create = async (name: string) => {
    const body = { name, server_type: "cx23", image: cloud.imageId }
    const { server } = await cloud.api<{ server: { id: number } }>("POST", "/servers", body)
    await is(server.id, "running")
    return server.id
  }
  const act = (id: number, action: string) => cloud.api("POST", `/servers/${id}/actions/${action}`)
  /** All machines lose their power, and the local cloud comes back in another boot. */
  const reboot = async (boot: string, ids: number[]) => {
    starts = []
    for (const id of ids) await inner.powerOff(id)
    await cloud.restart(boot)
  }

  it("starts again what ran, and nothing else", async () => {
    const ids = [await create("ran"), await create("off"), await create("asleep")]
    const [ran, off, asleep] = ids as [number, number, number]
    await act(off, "poweroff")
    await is(off, "off")
    await inner.powerOff(asleep)
    tell(asleep)
    await reboot("second", ids)
    await is(ran, "running")
    assert.deepEqual(starts, [ran])
    assert.deepEqual([(await shown(off)).status, (await shown(asleep)).status], ["off", "off"])
  })

  it("does not start what went off while the host went on", async () => {
    const id = await create("ended")
    await cloud.restart("second")
    await inner.powerOff(id)
    starts = []
    await cloud.restart("second")
    assert.equal((await shown(id)).status, "off")
    assert.deepEqual(starts, [])
  })

  it("leaves off what was asked to shut down, until somebody starts it", async () => {
    const id = await create("slow")
    const { store } = cloud.cloud.context
    await act(id, "shutdown")
    await is(id, "off")
    // Its guest takes its time: it is still on when the host goes down.
    const record = store.get("server", id)
    assert.ok(record)
    store.put("server", { ...record, status: "running" })
    await reboot("second", [id])
    assert.equal((await shown(id)).status, "off")
    await act(id, "poweron")
    await is(id, "running")
    await reboot("third", [id])
    await is(id, "running")
  })

  it("tells by the API that machines wait for their turn, and starts no more at once than it may", async () => {
    const ids = [await create("a"), await create("b"), await create("c")]
    gate = createGate()
    await reboot("second", ids)
    await gate.reached(2)
    assert.equal(starts.length, 2)
    for (const id of ids) {
      assert.deepEqual(
        { status: (await shown(id)).status, locked: (await shown(id)).locked },
        { status: "starting", locked: true },
      )
      const { actions } = await cloud.api<{ actions: { command: string; status: string }[] }>(
        "GET",
        `/servers/${id}/actions`,
      )
      assert.equal(actions.filter(one => one.command === "start_server" && one.status === "running").length, 1)
      assert.equal((await cloud.call("POST", `/servers/${id}/actions/poweron`)).status, 423)
    }
    gate.open()
    for (const id of ids) await is(id, "running")
    assert.deepEqual([...starts].sort(), [...ids].sort())
  })

  it("starts a machine whose snapshot was being made when that has ended", async () => {
    const id = await create("copied")
    const { store } = cloud.cloud.context
    const record = store.get("server", id)
    assert.ok(record)
    store.put("server", { ...record, locked: true })
    const work = { run: "createImage", server: id, args: { image: 999_999 } }
    cloud.cloud.context.actions.begin({
      project: "test",
      command: "create_image",
      resources: [{ id, type: "server" }],
      work,
    })
    await reboot("second", [id])
    await is(id, "running")
    assert.deepEqual(starts, [id])
  })

  it("shuts machines down with the host, and starts them in its next boot", async () => {
    const id = await create("one")
    assert.equal(await shutDownForHost(cloud.cloud.context, 1_000), 0)
    assert.equal(await inner.isRunning(id), false)
    tell(id)
    await reboot("second", [])
    await is(id, "running")
  })

  it("a place stays taken for a pause, unless there is a hurry", async () => {
    const places = createPlaces({ atOnce: 1, pauseMs: 3_600_000 })
    const done: number[] = []
    const both = [1, 2].map(one => places.take(async () => done.push(one)))
    await both[0]
    await sleep(20)
    assert.deepEqual(done, [1])
    places.hurry()
    await Promise.all(both)
    assert.deepEqual(done, [1, 2])
  })
})
