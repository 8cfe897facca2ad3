import assert from "node:assert/strict"
import { availableParallelism } from "node:os"
import { promised } from "../../../local-cloud/capacity.ts"
import type { LocalCloudSettings } from "../../../local-cloud/config.ts"
import { createGate, driverWith } from "../../support/driver.ts"
import { startTestCloud, type TestCloud } from "../../support/local-cloud.ts"
import { waitUntil } from "../../support/wait-until.ts"

/** Enough for this many machines of type cx23, which has 2 cores, on a host of any size. */
const machinesOfTwoCores = (count: number) => ({ coresPerCore: (2 * count) / availableParallelism(), diskGb: null })
const whole = { memory: 1, cores: 1, disk: 1 }

describe("what a host promises", () => {
  let cloud: TestCloud
  let gate: ReturnType<typeof createGate> | null = null
  afterEach(() => cloud?.close())

  const start = async (settings: Partial<LocalCloudSettings>) => {
    const start = driverWith(inner => ({
      start: async config => {
        await gate?.pass()
        await inner.start(config)
      },
    }))
    cloud = await startTestCloud({ machines: "qemu", driver: start, settings: { scale: whole, ...settings } })
  }
  const record = (id: number) => cloud.cloud.context.store.get("server", id)
  const settled = (id: number, status: string) =>
    waitUntil(`${id} is ${status}`, () => record(id)?.status === status && !record(id)?.locked)
  const ask = (name: string, more: object = {}) =>
    cloud.call("POST", "/servers", { name, server_type: "cx23", image: cloud.imageId, ...more })
  const create = async (name: string, more: object = {}) => {
    const { status, body } = await ask(name, more)
    assert.equal(status, 201, JSON.stringify(body))
    const { id } = (body as { server: { id: number } }).server
    await settled(id, more && "start_after_create" in more ? "off" : "running")
    return id
  }
  const refused = ({ status, body }: { status: number; body: unknown }) => {
    const { code, message } = (body as { error: { code: string; message: string } }).error
    return { status, code, message }
  }
  const act = (id: number, action: string, body?: object) =>
    cloud.call("POST", `/servers/${id}/actions/${action}`, body)
  /** The error of the newest action of a server once it has ended. */
  const lastError = (id: number) =>
    waitUntil("the action ends", () => {
      const actions = cloud.cloud.context.store.all("action").filter(one => one.resources.some(of => of.id === id))
      const last = actions.sort((a, b) => a.id - b.id).at(-1)
      return last && last.status !== "running" && { error: last.error }
    })

  describe("cores", () => {
    beforeEach(() => start({ capacity: machinesOfTwoCores(2) }))

    it("are those of machines that are on: a third is refused until one is off", async () => {
      const [first] = [await create("one"), await create("two")]
      const { status, code, message } = refused(await ask("three"))
      assert.deepEqual([status, code], [422, "resource_unavailable"])
      assert.match(message, /with 2 cores does not fit: 4 of the 4 that this host promises/)
      assert.equal(cloud.ledger().created.length, 2, "nothing of it exists")
      await act(first, "poweroff")
      await settled(first, "off")
      await create("three")
      await act(first, "poweron")
      const { error } = await lastError(first)
      assert.equal(error?.code, "resource_unavailable")
      await settled(first, "off")
    })

    it("are promised to a machine from the moment that its start begins, and to no more than fit", async () => {
      const ids = [await create("a", { start_after_create: false }), await create("b", { start_after_create: false })]
      await create("c")
      gate = createGate()
      for (const id of ids) await act(id, "poweron")
      await gate.reached(1)
      gate.open()
      gate = null
      await waitUntil("both have ended", () => ids.every(id => !record(id)?.locked))
      assert.deepEqual(ids.map(id => record(id)?.status).sort(), ["off", "running"])
      assert.deepEqual(promised(cloud.cloud.context).cores, { promised: 4, most: 4 })
    })
  })

  describe("disk", () => {
    const limit = async (diskGb: number) => {
      await start({ capacity: { coresPerCore: null, diskGb } })
    }

    it("is promised to servers as a whole, and is there again when one is deleted", async () => {
      await limit(79)
      const id = await create("one")
      const { status, code, message } = refused(await ask("two"))
      assert.deepEqual([status, code], [403, "resource_limit_exceeded"])
      assert.match(message, /40\.0 GB are wanted, and 40\.0 GB of 79 GB are promised/)
      await cloud.api("DELETE", `/servers/${id}`)
      await waitUntil("it is gone", () => record(id) === undefined)
      await create("two")
    })

    it("is promised to volumes, which grow no further than there is some", async () => {
      await limit(60)
      await create("one")
      const made = await cloud.api<{ volume: { id: number } }>("POST", "/volumes", {
        name: "v",
        size: 15,
        location: "fsn1",
      })
      const more = await cloud.call("POST", "/volumes", { name: "w", size: 10, location: "fsn1" })
      assert.equal(refused(more).code, "resource_limit_exceeded")
      const grow = (size: number) => cloud.call("POST", `/volumes/${made.volume.id}/actions/resize`, { size })
      assert.equal(refused(await grow(21)).code, "resource_limit_exceeded")
      assert.equal((await grow(20)).status, 201)
    })

    it("is promised to a snapshot as its whole disk, until it is known what it takes", async () => {
      await limit(100)
      const id = await create("one")
      const { status } = await act(id, "create_image", {})
      assert.equal(status, 201)
      await settled(id, "running")
      // A pretended snapshot takes 0.4 GB: what is left is enough for one more whole disk.
      assert.equal(promised(cloud.cloud.context).disk.promisedBytes, 40.4e9)
      await cloud.api("POST", "/volumes", { name: "v", size: 20, location: "fsn1" })
      assert.equal(refused(await act(id, "create_image", {})).code, "resource_limit_exceeded")
    })

    it("is weighed when a disk grows with its server's type", async () => {
      await limit(100)
      const id = await create("one", { start_after_create: false })
      await cloud.api("POST", "/volumes", { name: "v", size: 30, location: "fsn1" })
      const grow = (upgrade_disk: boolean) => act(id, "change_type", { server_type: "cx33", upgrade_disk })
      assert.equal(refused(await grow(true)).code, "resource_limit_exceeded")
      assert.equal((await grow(false)).status, 201)
    })
  })
})
