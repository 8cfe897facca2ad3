import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { PROVER, proverLabels } from "../../infra/machines/provers.ts"
import { tidySnapshots } from "../../service/backups/tidy.ts"
import { FINE, MANIFEST } from "../support/reporting-machines.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { startWebhookReceiver } from "../support/webhook-receiver.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Backups that are made, kept, tried out and removed by themselves; machines are pretended, everything else is real. */
describe("service: backups by themselves", () => {
  let test: TestService
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
  let token: string
  let desk: WorkspaceLife
  let ahead = 0
  let count = 0

  before(async () => {
    receiver = await startWebhookReceiver()
    test = await startTestService(
      { FOOZOL_BACKUPS: "true", FOOZOL_FINAL_SNAPSHOT_DAYS: "30", FOOZOL_PROOFS_AT_ONCE: "10" },
      { ahead: () => ahead },
    )
  })
  after(async () => {
    receiver?.close()
    await test?.close()
  })
  beforeEach(async () => {
    await test.forgetLimits()
    await test.cloud.clearFaults()
    test.machines.setReady(true)
    test.machines.setProof(() => FINE)
    test.machines.setAgent(1)
    receiver.hooks.length = 0
    token = await test.token(await test.signIn(`ada${count++}`))
    await test.api(token, "PUT", "/notifications/webhook", { url: receiver.url })
    desk = await newWorkspace(test, token)
  })
  afterEach(async () => {
    // Others would be looked after as well in the next test.
    const { workspaces, redis } = test.service.services
    for (const one of await redis.smembers("fz:ws-all")) {
      const found = await test.service.services.store.get(one)
      if (!found || found.state === "TERMINATING") continue
      const operation = await workspaces.destroy(found.owner, one)
      await waitUntil("it is gone", async () => (await test.service.services.store.operation(operation))?.finishedAt)
    }
    const { images } = await test.cloud.api<{ images: { id: number }[] }>("GET", "/images?type=snapshot&per_page=50")
    for (const { id } of images) await test.cloud.api("DELETE", `/images/${id}`)
  })

  const look = () => test.service.services.lookAfterBackups(new AbortController().signal)
  const pass = (ms: number) => {
    ahead += ms
  }
  const proven = async (id: string) => (await desk.backups()).find(one => one.id === id)?.proof
  async function provers(): Promise<{ id: number; status: string }[]> {
    const labelled = encodeURIComponent(`foozol-role==${PROVER}`)
    return (
      await test.cloud.api<{ servers: { id: number; status: string }[] }>("GET", `/servers?label_selector=${labelled}`)
    ).servers
  }
  const noProofGoes = () =>
    waitUntil("no trial goes on", async () => {
      const going = await test.service.services.store.going()
      return !going.some(one => one.kind === "prove")
    })
  const told = (kind: string) =>
    waitUntil(`a message of ${kind}`, () => receiver.hooks.find(one => one.body.kind === kind))

  describe("schedule", () => {
    it("a workspace in use is backed up once a day, and what was made is shown", async () => {
      await look()
      assert.deepEqual(await desk.backups(), [], "nothing is due yet")
      const planned = Date.parse((await desk.shown()).backups.next)
      pass(planned - Date.now() - ahead + 1_000)
      await look()
      const [made, ...more] = await desk.backups()
      assert.deepEqual(more, [])
      assert.deepEqual(
        [made.kind, made.scheduled, made.available, made.name],
        ["backup", true, true, `${desk.id}, daily`],
      )
      const kept = (Date.parse(made.keepUntil) - Date.parse(made.createdAt)) / DAY
      assert.ok(Math.abs(kept - 7) < 0.01, `${kept} days`)
      const { backups, state, operation } = await desk.shown()
      assert.equal(state, "RUNNING")
      assert.ok(Math.abs(Date.parse(backups.last) - Date.parse(made.createdAt)) < 10_000)
      assert.equal((await test.api(token, "GET", `/operations/${operation}`)).body.requestedBy, "schedule")
      await noProofGoes()
      await look()
      assert.equal((await desk.backups()).length, 1, "one a day")
      pass(31 * HOUR)
      await look()
      assert.equal((await desk.backups()).length, 2)
    })

    it("two looks at once make one backup", async () => {
      pass(31 * HOUR)
      await Promise.all([look(), look(), look()])
      assert.equal((await desk.backups()).length, 1)
    })

    it("one that is off is backed up once, and not again while it stays off", async () => {
      await desk.does("stop?mode=power-off")
      pass(31 * HOUR)
      await look()
      assert.equal((await desk.backups()).length, 1)
      await noProofGoes()
      for (let day = 0; day < 3; day++) {
        pass(DAY)
        await look()
      }
      assert.equal((await desk.backups()).length, 1)
    })

    it("of one that sleeps the snapshot it sleeps in is the day's backup, and stays when it wakes", async () => {
      await desk.does("stop?mode=hibernate")
      pass(31 * HOUR)
      await look()
      const [asleep, ...others] = await desk.snapshots()
      assert.deepEqual([asleep?.kind, others.length], ["sleep", 0])
      await look()
      await desk.does("start")
      assert.deepEqual(
        (await desk.backups()).map(one => [one.id, one.kind, one.scheduled]),
        [[String(asleep?.id), "backup", true]],
      )
      await look()
      assert.equal((await desk.snapshots()).length, 1)
    })

    it("a machine that knows how holds still while it is copied, and goes on at once", async () => {
      test.machines.setAgent(2)
      await waitUntil("its agent has said so", async () => {
        const { report } = await test.service.services.reports.last(desk.id)
        return report?.versions.agent === "2"
      })
      test.machines.received.length = 0
      await desk.does("backups", {})
      const orders = test.machines.received.filter(one => one.workspace === desk.id && /freeze|thaw/.test(one.type))
      assert.deepEqual([...new Set(orders.map(one => one.type))], ["freeze", "thaw"])
      const [made] = await test.service.services.backups.all()
      assert.equal(made?.manifest, MANIFEST)
    })

    it("what fails again and again is tried again, and its owner hears of it once", async () => {
      pass(31 * HOUR)
      await test.cloud.addFault({ match: { method: "POST", path: "create_image" }, fault: { kind: "fail_action" } })
      for (let hour = 0; hour < 12; hour++) {
        await look()
        pass(HOUR)
      }
      assert.deepEqual(
        (await desk.backups()).filter(one => one.available),
        [],
      )
      const hook = await told("backup-failed")
      assert.equal(hook.body.facts.workspace, desk.id)
      await test.cloud.clearFaults()
      pass(4 * HOUR)
      await look()
      assert.equal((await desk.backups()).filter(one => one.available).length, 1)
      assert.equal(receiver.hooks.filter(one => one.body.kind === "backup-failed").length, 1)
      await noProofGoes()
      pass(2 * HOUR)
      await look()
      assert.equal((await desk.backups()).length, 1, "unusable copies are gone")
    })

    it("one that a person asked for and that failed is told at once", async () => {
      await test.cloud.addFault({ match: { method: "POST", path: "create_image" }, fault: { kind: "fail_action" } })
      assert.equal((await desk.does("backups", {})).state, "failed")
      await told("backup-failed")
    })

    it("a repair that goes on is not cut off by the day's backup, which comes with the next look", async () => {
      const { store, workspaces } = test.service.services
      await test.cloud.addFault({ match: { path: "^/v1/firewalls" }, fault: { kind: "delay", ms: 15_000 } })
      const { epoch } = (await store.get(desk.id)) ?? { epoch: 0 }
      const repair = await workspaces.repairAs({ requestedBy: "root" }, desk.id, { epoch })
      await waitUntil("it is under way", async () => (await store.operation(repair))?.state === "running")
      pass(31 * HOUR)
      await look()
      assert.equal((await store.operation(repair))?.state, "running")
      await test.cloud.clearFaults()
      assert.equal((await test.finished(token, repair)).state, "succeeded")
      assert.deepEqual(await desk.backups(), [])
      await look()
      assert.equal((await desk.backups()).length, 1)
    })

    it("a stop waits for a backup that its provider is still busy with", async () => {
      await test.service.services.workspaces.backupAs(desk.id)
      assert.equal((await desk.does("stop?mode=power-off")).state, "succeeded")
      assert.equal((await desk.shown()).state, "STOPPED")
    })
  })

  describe("retention", () => {
    it("daily ones go after their days, without the store too; the newest good one and named ones stay", async () => {
      await desk.does("backups", { name: "before the weekend" })
      for (let day = 0; day < 3; day++) {
        pass(31 * HOUR)
        await look()
        await noProofGoes()
      }
      assert.equal((await desk.backups()).length, 4)
      await desk.does("stop?mode=power-off")
      pass(40 * DAY)
      const { backups, machines } = test.service.services
      const failed = (error: unknown) => assert.fail(String(error))
      const left = await tidySnapshots({ machines, now: () => Date.now() + ahead, failed }, await backups.all())
      assert.equal(left.length, (await desk.snapshots()).length)
      const names = (await desk.backups()).map(one => one.name)
      assert.ok(names.includes("before the weekend"))
      assert.ok(names.includes(`${desk.id}, daily`), "the newest good one")
      assert.ok(names.length <= 3, names.join())
    })

    it("of a deleted workspace the last snapshot is kept for its days, and then nothing", async () => {
      await desk.does("stop?mode=hibernate")
      const gone = await test.api(token, "DELETE", `/workspaces/${desk.id}`)
      await test.finished(token, gone.body.operation.id)
      pass(29 * DAY)
      await look()
      assert.deepEqual(
        (await desk.snapshots()).map(one => one.kind),
        ["final"],
      )
      pass(2 * DAY)
      await look()
      assert.deepEqual(await desk.snapshots(), [])
    })
  })

  describe("trials", () => {
    async function backUp(): Promise<string> {
      const ended = await test.finished(token, await test.service.services.workspaces.backupAs(desk.id))
      assert.equal(ended.state, "succeeded", JSON.stringify(ended.failure))
      return (await desk.backups())[0].id
    }
    const prove = (id: string) => test.service.services.workspaces.prove(desk.id, id)

    it("the newest backup is restored by itself on a machine that is nobody's, which is gone afterwards", async () => {
      const id = await backUp()
      let seen: { labels: Record<string, string>; userData: string } | undefined
      test.machines.setProof(() => (seen ? FINE : null))
      await look()
      const [prover] = await waitUntil("its machine runs", async () => {
        const found = await provers()
        return found[0]?.status === "running" && found
      })
      assert.ok(prover)
      const { server } = await test.cloud.api<{
        server: { labels: Record<string, string>; public_net: { firewalls: { id: number }[] } }
      }>("GET", `/servers/${prover.id}`)
      assert.equal(server.labels["foozol-workspace"], undefined)
      const { firewall } = await test.cloud.api<{ firewall: { rules: unknown[] } }>(
        "GET",
        `/firewalls/${server.public_net.firewalls[0]?.id}`,
      )
      assert.deepEqual(firewall.rules, [], "nothing comes in")
      const userData = await test.cloud.userData(prover.id)
      assert.ok(!userData.includes(desk.id), "it does not know whose it is")
      seen = { labels: server.labels, userData }
      await noProofGoes()
      assert.equal(await proven(id), "passed")
      assert.deepEqual(await provers(), [])
      assert.ok((await desk.shown()).backups.lastProven)
      pass(6 * DAY)
      await look()
      await noProofGoes()
      const passed = async () => (await desk.backups()).filter(one => one.proof === "passed").length
      assert.equal(await passed(), 1, "not again within the week")
      pass(2 * DAY)
      await look()
      await noProofGoes()
      await look()
      await noProofGoes()
      assert.ok((await desk.backups()).some(one => one.id !== id && one.proof === "passed"))
    })

    it("its key is good for its own report and nothing else", async () => {
      const id = await backUp()
      test.machines.setProof(() => null)
      await prove(id)
      const [prover] = await waitUntil("its machine runs", async () => {
        const found = await provers()
        return found[0]?.status === "running" && found
      })
      const { workspaceKey } = JSON.parse(await test.cloud.userData(prover?.id ?? 0))
      const as = (method: string, path: string, key = workspaceKey, body?: unknown) =>
        fetch(`${test.url}${path}`, {
          method,
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
      assert.equal((await as("GET", "/machine/events")).status, 401)
      assert.equal((await as("POST", "/machine/report", workspaceKey, {})).status, 401)
      assert.equal((await as("POST", "/machine/frozen", workspaceKey, {})).status, 401)
      assert.equal((await as("GET", "/vnc/authorize")).status, 401)
      assert.equal((await as("POST", "/machine/proof", `${workspaceKey.slice(0, -1)}_`, FINE)).status, 401)
      assert.equal((await as("POST", "/machine/proof", workspaceKey, { checks: "all good" })).status, 422)
      test.machines.setProof(() => FINE)
      await noProofGoes()
      assert.equal((await as("POST", "/machine/proof", workspaceKey, FINE)).status, 409, "it is over")
    })

    it("the workspace stops and starts while its backup is tried out", async () => {
      const id = await backUp()
      test.machines.setProof(() => null)
      await prove(id)
      await waitUntil("it is tried out", async () => (await provers()).length === 1)
      assert.equal((await desk.does("stop?mode=power-off")).state, "succeeded")
      assert.equal((await desk.does("start")).state, "succeeded")
      assert.equal((await provers()).length, 1)
      test.machines.setProof(() => FINE)
      await noProofGoes()
      assert.equal(await proven(id), "passed")
      assert.equal((await desk.shown()).state, "RUNNING")
    })

    it("what does not restore is told, and the backup before it is kept", async () => {
      const before = await backUp()
      await test.finished(token, await prove(before))
      pass(20 * HOUR)
      const id = await backUp()
      test.machines.setAgent(2)
      const manifest = { ...FINE.manifest, damaged: ["/home/user/thesis"] }
      test.machines.setProof(() => ({ checks: [{ name: "disk", ok: false, detail: "e2fsck ended with 4" }], manifest }))
      const { state, failure } = await test.finished(token, await prove(id))
      assert.deepEqual([state, failure?.id], ["failed", "restore-unproven"])
      assert.match(failure?.message ?? "", /e2fsck/)
      assert.match(JSON.stringify((await told("restore-unproven")).body), new RegExp(desk.id))
      await desk.does("stop?mode=power-off")
      // Nothing newer will come: the one before is tried again when its time is over.
      test.machines.setProof(() => FINE)
      const triedAt = async () => (await desk.backups()).find(one => one.id === before)?.provenAt
      const first = await triedAt()
      pass(60 * DAY)
      await look()
      await waitUntil("it was tried again", async () => (await triedAt()) !== first)
      await waitUntil("its machine is gone", async () => (await provers()).length === 0)
      assert.deepEqual(
        (await desk.backups()).filter(one => one.id === before || one.id === id).map(one => [one.id, one.proof]),
        [[before, "passed"]],
      )
    })

    it("a machine that says nothing is tried twice, and then counts against the backup", async () => {
      const id = await backUp()
      test.machines.setProof(() => null)
      const operation = await prove(id)
      const seen = new Set<number>()
      const next = () =>
        waitUntil("another machine", async () => {
          const found = (await provers()).find(one => !seen.has(one.id) && one.status === "running")
          if (found) seen.add(found.id)
          return found !== undefined
        })
      await next()
      pass(HOUR)
      await next()
      pass(HOUR)
      const { failure } = await test.finished(token, operation)
      assert.match(failure?.message ?? "", /no machine made from it started and reported within 15 minutes/)
      assert.equal(await proven(id), "failed")
      assert.deepEqual(await provers(), [])
    })

    it("where no machine can be had, nothing is said of the backup", async () => {
      const id = await backUp()
      const { server_types: types } = await test.cloud.api<{ server_types: { name: string }[] }>("GET", "/server_types")
      const places = ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"]
      for (const { name } of types) for (const place of places) test.cloud.cloud.context.soldOut.add(`${name}@${place}`)
      const { failure } = await test.finished(token, await prove(id))
      test.cloud.cloud.context.soldOut.clear()
      assert.equal(failure?.id, "sold-out")
      assert.equal(await proven(id), null)
    })

    it("a service that goes away in the middle goes on with the same machine", async () => {
      const id = await backUp()
      test.machines.setProof(() => null)
      const operation = await prove(id)
      const [before] = await waitUntil("its machine runs", async () => {
        const found = await provers()
        return found[0]?.status === "running" && found
      })
      await test.restart(0)
      await waitUntil("it goes on", async () => {
        const found = await test.service.services.store.operation(operation)
        return (found?.attempts ?? 0) > 1
      })
      assert.deepEqual(
        (await provers()).map(one => one.id),
        [before?.id],
      )
      test.machines.setProof(() => FINE)
      assert.equal((await test.finished(token, operation)).state, "succeeded")
      assert.equal(await proven(id), "passed")
    })

    it("a machine whose trial is over, or that nobody knows, is removed by the next look", async () => {
      const id = await backUp()
      await test.finished(token, await prove(id))
      const [over] = await test.service.services.store.operationsOf(desk.id, 1)
      for (const operation of [over?.id ?? "", randomUUID()]) {
        await test.service.services.machines.createApart({
          ...{ name: `left-${operation}`, size: "cx23", region: "fsn1", image: id, userData: "{}" },
          labels: proverLabels({ operation, backup: id }),
        })
      }
      assert.equal((await provers()).length, 2)
      await look()
      assert.deepEqual(await provers(), [])
      assert.equal((await desk.machines()).length, 1)
    })
  })

  describe("a new workspace from a backup", () => {
    it("has that one's disk and profile, an identity of its own, and leaves the other alone", async () => {
      await desk.does("backups", {})
      const [backup] = await desk.backups()
      const other = await newWorkspace(test, token, { from: backup.id, profile: "desktop" })
      assert.notEqual(other.id, desk.id)
      assert.equal(String((await other.machines())[0]?.madeFrom), backup.id)
      assert.equal((await other.shown()).profile, "browser")
      assert.equal((await desk.shown()).state, "RUNNING")
      // What it was made from may go: it has a disk of its own.
      assert.equal((await test.api(token, "DELETE", `/backups/${backup.id}`)).status, 204)
      assert.equal((await other.does("stop?mode=hibernate")).state, "succeeded")
      assert.equal((await other.does("start")).state, "succeeded")
    })

    it("can be made from what a deleted workspace has left", async () => {
      const gone = await test.api(token, "DELETE", `/workspaces/${desk.id}`)
      await test.finished(token, gone.body.operation.id)
      const { backups } = (await test.api(token, "GET", "/backups")).body
      assert.deepEqual(
        backups.map((one: { kind: string; workspace: string }) => [one.kind, one.workspace]),
        [["final", desk.id]],
      )
      const again = await newWorkspace(test, token, { from: backups[0].id })
      assert.equal(String((await again.machines())[0]?.madeFrom), backups[0].id)
    })

    it("is refused on a smaller disk, and from a backup that is another's", async () => {
      const large = await newWorkspace(test, token, { sizeClass: "large" })
      await large.does("backups", {})
      const [backup] = await large.backups()
      const wish = { sizeClass: "small", region: "fsn1", from: backup.id }
      const small = await test.api(token, "POST", "/workspaces", wish)
      assert.deepEqual([small.status, small.body.id], [422, "disk-too-small"])
      const eve = await test.token(await test.signIn("eve"))
      const theirs = await test.api(eve, "POST", "/workspaces", wish)
      assert.deepEqual([theirs.status, theirs.body.id], [409, "no-backup"])
      assert.equal((await test.api(token, "POST", "/workspaces", { ...wish, from: "no id" })).status, 422)
    })
  })
})
