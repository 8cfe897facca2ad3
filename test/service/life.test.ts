import assert from "node:assert/strict"
import { readEvents } from "../support/event-reader.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

/** What happens to a workspace between its creation and its end; machines are pretended, everything else is real. */
describe("service: the life of a workspace", () => {
  let test: TestService
  let token: string
  let count = 0
  let desk: WorkspaceLife

  before(async () => {
    test = await startTestService({ FOOZOL_READY_SECONDS: "10" })
  })
  after(() => test?.close())
  beforeEach(async () => {
    await test.forgetLimits()
    test.cloud.cloud.context.soldOut.clear()
    test.machines.setReady(true)
    token = await test.token(await test.signIn(`ada${count++}`))
    desk = await newWorkspace(test, token)
  })

  const succeeds = async (what: string, body?: unknown) => {
    const { state, failure } = await desk.does(what, body)
    assert.equal(state, "succeeded", JSON.stringify(failure))
  }
  const kinds = async () => (await desk.snapshots()).map(({ kind }) => kind).sort()

  describe("hibernation", () => {
    it("puts the machine away and keeps its disk; waking makes it again with the same address", async () => {
      const [before] = await desk.machines()
      await succeeds("stop?mode=hibernate")
      const asleep = await desk.shown()
      assert.deepEqual([asleep.state, asleep.asleep], ["STOPPED", true])
      assert.deepEqual(await desk.machines(), [])
      const [snapshot] = await desk.snapshots()
      assert.equal(snapshot?.kind, "sleep")

      await succeeds("start")
      const [after] = await desk.machines()
      assert.notEqual(after?.id, before?.id)
      assert.equal(after?.madeFrom, null, "from an image that is not there any more: the snapshot")
      assert.deepEqual([after?.ip, after?.size, after?.region], [before?.ip, before?.size, before?.region])
      const awake = await desk.shown()
      assert.deepEqual([awake.state, awake.asleep], ["RUNNING", false])
      assert.deepEqual(await desk.snapshots(), [], "the snapshot it slept in is gone")
    })

    describe("where the provider can keep a machine's memory", () => {
      const reported = () => waitUntil("it has said so", async () => (await desk.shown()).keepsPrograms)
      afterEach(() => test.machines.setMemory(false))

      it("keeps what runs with the disk, says so, and goes on from it; then it is gone", async () => {
        test.machines.setMemory(true)
        await reported()
        await succeeds("stop?mode=hibernate")
        const [snapshot] = await desk.snapshots()
        assert.equal(snapshot?.labels["foozol-memory"], "kept")
        assert.deepEqual([...test.machines.remembered], [Number(snapshot?.id)])
        assert.equal((await desk.shown()).programsKept, true)
        const orders = test.machines.received.filter(one => one.workspace === desk.id && one.type === "sleep")
        assert.equal(orders.length, 1)
        await succeeds("start")
        assert.equal(test.machines.wokeFromMemory(desk.id), true)
        assert.equal((await desk.shown()).programsKept, false)
        assert.deepEqual(await desk.snapshots(), [])
      })

      it("has nothing to go on from after a power-off, and leaves none behind when it is deleted asleep", async () => {
        test.machines.setMemory(true)
        await reported()
        await succeeds("stop?mode=power-off")
        await succeeds("stop?mode=hibernate")
        assert.equal((await desk.shown()).programsKept, false)
        await succeeds("start")
        assert.equal(test.machines.wokeFromMemory(desk.id), false)
        await succeeds("stop?mode=hibernate")
        const [asleep] = await desk.snapshots()
        assert.ok(test.machines.remembered.has(Number(asleep?.id)))
        const { body } = await test.api(token, "DELETE", `/workspaces/${desk.id}`)
        assert.equal((await test.finished(token, body.operation.id)).state, "succeeded")
        await waitUntil("the memory is gone", () => !test.machines.remembered.has(Number(asleep?.id)))
      })

      it("is shut down where it cannot be kept after all, which is said", async () => {
        test.machines.setMemory(true, false)
        await reported()
        await succeeds("stop?mode=hibernate")
        assert.equal((await desk.shown()).programsKept, false)
        const [snapshot] = await desk.snapshots()
        assert.equal(snapshot?.labels["foozol-memory"], undefined)
        await succeeds("start")
      })
    })

    it("can follow a power-off", async () => {
      await succeeds("stop?mode=power-off")
      assert.equal((await desk.machines())[0]?.status, "off")
      await succeeds("stop?mode=hibernate")
      assert.deepEqual(await desk.machines(), [])
      await succeeds("start")
    })

    it("does not delete a machine whose type cannot be had again", async () => {
      const [machine] = await desk.machines()
      test.cloud.cloud.context.soldOut.add(`${machine?.size}@fsn1`)
      await succeeds("stop?mode=hibernate")
      assert.equal((await desk.machines())[0]?.status, "off")
      assert.deepEqual(await desk.snapshots(), [])
      assert.equal((await desk.shown()).asleep, false)
      await succeeds("start")
    })

    it("sold out at waking: it says so, goes on sleeping, and wakes with another size or in another region", async () => {
      const size = (await desk.machines())[0]?.size
      await succeeds("stop?mode=hibernate")
      test.cloud.cloud.context.soldOut.add(`${size}@fsn1`)
      const first = await test.api(token, "POST", `/workspaces/${desk.id}/start`)
      // Known before it begins, or found when it is done: it depends on when sizes were looked at last.
      const failure = first.status === 202 ? (await test.finished(token, first.body.operation.id)).failure : first.body
      assert.equal(failure?.id, "sold-out")
      const asleep = await desk.shown()
      assert.deepEqual([asleep.state, asleep.asleep], ["STOPPED", true])
      assert.deepEqual(await kinds(), ["sleep"])
      await succeeds("start?sizeClass=medium")
      assert.equal((await desk.shown()).sizeClass, "medium")
      assert.notEqual((await desk.machines())[0]?.size, size)
    })
  })

  describe("backup and restore", () => {
    it("a backup of a running workspace changes nothing about it, and bears its name", async () => {
      await succeeds("backups", { name: "before the weekend" })
      assert.equal((await desk.shown()).state, "RUNNING")
      const [made] = await desk.backups()
      assert.deepEqual(
        [made.kind, made.name, made.available, made.keepUntil],
        ["backup", "before the weekend", true, null],
      )
    })

    it("a restore makes the machine from the backup and keeps how it was", async () => {
      await succeeds("backups", {})
      const [backup] = await desk.backups()
      const [before] = await desk.machines()
      await succeeds("restore", { backup: backup.id })
      const [after] = await desk.machines()
      assert.equal(String(after?.madeFrom), backup.id)
      assert.notEqual(after?.id, before?.id)
      assert.equal(after?.ip, before?.ip)
      assert.deepEqual(await kinds(), ["backup", "safety"])
    })

    it("a restore whose machine does not come up returns to the machine from before", async () => {
      await succeeds("backups", {})
      const [backup] = await desk.backups()
      test.machines.setReady(false)
      const operation = await desk.begins("restore", { backup: backup.id })
      const reader = await readEvents(test.url, { token, operation })
      await waitUntil("it returns", () => JSON.stringify(reader.events).includes("The one before is made again"))
      test.machines.setReady(true)
      const { state, failure } = await test.finished(token, operation)
      assert.equal(state, "failed")
      assert.match(failure?.message ?? "", /The workspace is as it was/)
      assert.equal((await desk.shown()).state, "RUNNING")
      const safety = (await desk.snapshots()).find(one => one.kind === "safety")
      assert.equal((await desk.machines())[0]?.madeFrom, safety?.id)
    })

    it("nobody restores another's backup, or one that is none", async () => {
      await succeeds("backups", {})
      const [backup] = await desk.backups()
      const eve = await test.token(await test.signIn(`eve${count}`))
      const theirs = await newWorkspace(test, eve)
      for (const wanted of [backup.id, "1", "99999999"]) {
        const answer = await test.api(eve, "POST", `/workspaces/${theirs.id}/restore`, { backup: wanted })
        assert.deepEqual([answer.status, answer.body.id], [409, "no-backup"], wanted)
      }
      assert.equal((await test.api(eve, "DELETE", `/backups/${backup.id}`)).status, 404)
      assert.equal((await test.api(token, "DELETE", `/backups/${backup.id}`)).status, 204)
      assert.deepEqual(await desk.backups(), [])
    })
  })

  describe("upgrade", () => {
    /** There is a newer image from now on. */
    async function newImage(): Promise<number> {
      const id = await test.cloud.addImage()
      test.env.FOOZOL_IMAGE_BROWSER = String(id)
      await test.restart()
      return id
    }
    const isWhole = async () => {
      assert.equal(test.machines.read(desk.id), "what she wrote")
      assert.deepEqual((await test.cloud.api<{ volumes: unknown[] }>("GET", "/volumes")).volumes, [])
      const { server } = await test.cloud.api<{ server: { protection: { delete: boolean } } }>(
        "GET",
        `/servers/${(await desk.machines())[0]?.id}`,
      )
      assert.equal(server.protection.delete, true)
    }
    beforeEach(() => test.machines.write(desk.id, "what she wrote"))
    afterEach(() => test.machines.setCarrying(() => "done"))

    it("there is nothing to do while there is no newer image", async () => {
      const answer = await test.api(token, "POST", `/workspaces/${desk.id}/upgrade`)
      assert.deepEqual([answer.status, answer.body.id], [409, "up-to-date"])
      const { image } = await desk.shown()
      assert.deepEqual([image.current === image.newest, image.outdated], [true, false])
    })

    it("the same machine and address with the new image, and what was written; how it was is kept", async () => {
      const [before] = await desk.machines()
      const id = await newImage()
      assert.deepEqual((await desk.shown()).image, { current: before?.madeFrom, newest: id, outdated: true })
      await succeeds("upgrade")
      const [after] = await desk.machines()
      assert.deepEqual([after?.id, after?.ip, after?.madeFrom], [before?.id, before?.ip, id])
      assert.deepEqual((await desk.shown()).image, { current: id, newest: id, outdated: false })
      assert.deepEqual(await kinds(), ["safety"])
      await isWhole()
    })

    it("a restore of how it was brings the old image back, which can be upgraded again", async () => {
      const id = await newImage()
      await succeeds("upgrade")
      test.machines.write(desk.id, "something else")
      const [safety] = await desk.backups()
      await succeeds("restore", { backup: safety.id })
      await isWhole()
      assert.equal((await desk.shown()).image.outdated, true)
      await succeeds("upgrade")
      assert.deepEqual((await desk.shown()).image, { current: id, newest: id, outdated: false })
      await isWhole()
    })

    it("one that is off is off again afterwards; one that sleeps is woken", async () => {
      await newImage()
      await succeeds("stop?mode=power-off")
      await succeeds("upgrade")
      assert.equal((await desk.shown()).state, "STOPPED")
      assert.equal((await desk.machines())[0]?.status, "off")
      await isWhole()
      await newImage()
      await succeeds("stop?mode=hibernate")
      await succeeds("upgrade")
      assert.equal((await desk.shown()).state, "RUNNING")
      await isWhole()
    })

    it("files that cannot be put aside: nothing is changed", async () => {
      const [before] = await desk.machines()
      await newImage()
      test.machines.setCarrying(() => "failed")
      const { state, failure } = await desk.does("upgrade")
      assert.equal(state, "failed")
      assert.match(failure?.message ?? "", /The workspace is as it was/)
      assert.equal((await desk.shown()).state, "RUNNING")
      assert.equal((await desk.machines())[0]?.madeFrom, before?.madeFrom)
      assert.deepEqual(await kinds(), [])
      await isWhole()
    })

    it("files that cannot be taken in: it is as it was", async () => {
      await newImage()
      test.machines.setCarrying(direction => (direction === "out" ? "done" : "failed"))
      const { state, failure } = await desk.does("upgrade")
      assert.equal(state, "failed")
      assert.match(failure?.message ?? "", /The workspace is as it was/)
      const { state: rest, image } = await desk.shown()
      assert.deepEqual([rest, image.outdated], ["RUNNING", true])
      const [safety] = await desk.snapshots()
      assert.deepEqual([safety?.kind, (await desk.machines())[0]?.madeFrom], ["safety", safety?.id])
      await isWhole()
    })

    it("a new image that does not come up, and then nothing does: tried again, it is as it was", async () => {
      await newImage()
      test.machines.setCarrying(direction => {
        if (direction === "in") test.machines.setReady(false)
        return "done"
      })
      const { state } = await desk.does("upgrade")
      assert.deepEqual([state, (await desk.shown()).state], ["failed", "FAILED"])
      test.machines.setReady(true)
      // What is on the disk by now is nobody's.
      test.machines.write(desk.id, "half of it")
      const answer = await test.api(token, "POST", `/operations/${(await desk.shown()).operation}/retry`)
      const again = await test.finished(token, answer.body.operation?.id ?? (await desk.shown()).operation)
      assert.match(again.failure?.message ?? "", /The workspace is as it was/)
      assert.equal((await desk.shown()).state, "RUNNING")
      await isWhole()
    })
  })

  it("another size: the same machine, disk and address", async () => {
    const [before] = await desk.machines()
    await succeeds("resize", { sizeClass: "medium" })
    const [after] = await desk.machines()
    assert.deepEqual([after?.id, after?.ip, after?.status], [before?.id, before?.ip, "running"])
    assert.notEqual(after?.size, before?.size)
    assert.deepEqual([(await desk.shown()).sizeClass, (await desk.shown()).size], ["medium", after?.size])
  })

  it("another region: another address under the same name, and no snapshot left over", async () => {
    const [before] = await desk.machines()
    await succeeds("move", { region: "nbg1" })
    const [after] = await desk.machines()
    assert.equal(after?.region, "nbg1")
    assert.notEqual(after?.ip, before?.ip)
    assert.equal((await desk.shown()).region, "nbg1")
    assert.deepEqual(await desk.snapshots(), [])
    const { zones } = await test.cloud.api<{ zones: { id: number }[] }>("GET", "/zones")
    const { rrset } = await test.cloud.api<{ rrset: { records: { value: string }[] } }>(
      "GET",
      `/zones/${zones[0]?.id}/rrsets/${desk.id}/A`,
    )
    assert.deepEqual(
      rrset.records.map(one => one.value),
      [after?.ip],
    )
  })
})
