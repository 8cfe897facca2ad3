import assert from "node:assert/strict"
import { InfraError } from "../../../infra/errors.ts"
import { LABELS, MANAGER } from "../../../infra/workspace-spec.ts"
import { invalid, outOfStock, quotaExceeded, ScalewayRefusal } from "../../../local-cloud/scaleway/errors.ts"
import { applyScaleway } from "../../support/scaleway-apply.ts"
import { startTestScaleway, type TestScaleway, ZONE } from "../../support/scaleway-cloud.ts"
import { scalewaySpec } from "../../support/scaleway-spec.ts"
import { TEST_ZONE } from "../../support/workspace.ts"

const OURS = { [LABELS.managedBy]: MANAGER }

const refused = (work: Promise<unknown>, id: string, words: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof InfraError, String(error))
    assert.equal(error.id, id, `${error.message} ${error.detail}`)
    assert.match(error.message, words)
    assert.ok(!JSON.stringify([error.message, error.detail]).includes("the-key-of-tests"))
    return true
  })

describe("machines of Scaleway", () => {
  let cloud: TestScaleway
  beforeEach(async () => {
    cloud = await startTestScaleway()
  })
  afterEach(async () => {
    await cloud.close()
    assert.deepEqual(cloud.deviations, [])
  })
  const made = async (given: Parameters<typeof scalewaySpec>[0] = {}) => {
    await applyScaleway(cloud, scalewaySpec({ image: cloud.image, deleteProtection: false, ...given }))
    const [machine] = await cloud.machines.list(OURS)
    assert.ok(machine)
    return machine
  }
  const fail = (at: RegExp, refusal: ScalewayRefusal | null, times = 1) =>
    cloud.scaleway.faults.push({ at, refusal, times })
  const apart = (name = "foozol-apart-1") => ({
    ...{ name, labels: { ...OURS, "foozol-role": "prover" }, size: "PRO2-XS", region: ZONE },
    ...{ image: cloud.image, userData: '{"foozol":1}' },
  })
  const volumes = () => cloud.scaleway.state.all("volumes", ZONE)

  it("a machine says where it is, how large its disk is, and what address it has out of its network", async () => {
    const machine = await made({ diskGb: 80 })
    assert.match(machine.id, /^fr-par-1\/[0-9a-f-]{36}$/)
    assert.deepEqual([machine.diskGb, machine.region, machine.size], [80, ZONE, "PRO2-XS"])
    assert.match(machine.ipv6 ?? "", /^2001:bc8:710:[0-9a-f]+:dc00:/)
  })

  it("waits for the step under way before it takes the next, and takes none that is done", async () => {
    const { id } = await made()
    const { machines } = cloud
    await Promise.all([machines.powerOff(id), machines.powerOff(id)].map(work => work.catch(() => undefined)))
    await machines.powerOff(id)
    assert.equal((await machines.get(id))?.state, "off")
    const asked = cloud.asked.filter(one => one.endsWith("/action")).length
    await machines.powerOff(id)
    assert.equal(cloud.asked.filter(one => one.endsWith("/action")).length, asked)
  })

  it("prices are those of the machine and its disk, by the hour and without a monthly cap", async () => {
    const sizes = await cloud.machines.sizes()
    assert.deepEqual(sizes.map(({ name }) => name).toSorted(), [
      ...["BASIC2-A4C-16G", "DEV1-L", "PLAY2-MICRO", "PRO2-XS", "PRO2-XXS"],
    ])
    const one = sizes.find(({ name }) => name === "PRO2-XS")
    assert.deepEqual([one?.cores, one?.memoryGb, one?.diskGb, one?.architecture], [4, 16, 64, "x86"])
    const price = one?.regions[ZONE]?.price
    assert.ok(price && Math.abs(price.hourly - (0.112 + 64 * 0.000118)) < 1e-9 && price.currency === "EUR")
    assert.ok(Math.abs(price.monthly - price.hourly * 730) < 1e-9)
    assert.equal(sizes.find(({ name }) => name === "DEV1-L")?.orderable, false)
    const side = await cloud.machines.sidePrices()
    assert.ok(Math.abs(side.snapshotGbMonthly - 0.000044 * 730) < 1e-9)
    assert.ok(Math.abs((side.ipv4Monthly[ZONE] ?? 0) - 0.004 * 730) < 1e-9)
  })

  it("a list is read to its end", async () => {
    const { state } = cloud.scaleway
    state.settings.quotas = {}
    for (let at = 0; at < 120; at++)
      state.add("volumes", ZONE, {
        ...{ name: `v${at}`, size: 5e9, status: "available", references: [], type: "sbs_5k", specs: {} },
        ...{ created_at: state.now(), tags: ["managed-by=foozol-cloud"] },
      })
    assert.equal((await cloud.machines.listVolumes(OURS)).length, 120)
  })

  describe("what cannot be had", () => {
    const wish = () => ({ size: "PRO2-XS", region: ZONE, image: cloud.image, zone: TEST_ZONE })
    it("is said before anything is made", async () => {
      const { machines, scaleway } = cloud
      await refused(machines.check({ ...wish(), size: "DEV1-L" }), "unknown-size", /DEV1-L/)
      await refused(machines.check({ ...wish(), size: "STARDUST1-S" }), "unknown-size", /STARDUST1-S/)
      await refused(machines.check({ ...wish(), size: "BASIC2-A4C-16G" }), "unknown-image", /x86_64.*arm64/)
      await refused(machines.check({ ...wish(), region: "nl-ams-1" }), "unknown-image", /one zone each/)
      scaleway.state.shortages.add(`${ZONE}/PRO2-XS`)
      await refused(machines.check(wish()), "provider-no-capacity", /sold out in "fr-par-1"/)
      assert.equal((await machines.sizes()).find(one => one.name === "PRO2-XS")?.regions[ZONE]?.available, false)
    })
    it("a quota is said with what to do, and so is a stock-out while a machine is woken", async () => {
      const { machines } = cloud
      fail(/^POST .*\/servers$/, quotaExceeded("instance_server", 10, 10))
      await refused(machines.createApart(apart()), "provider-limit", /have the quota raised/)
      const { id } = await made()
      await machines.powerOff(id)
      fail(/^POST .*\/action$/, outOfStock("PRO2-XS"))
      await refused(machines.powerOn(id), "provider-no-capacity", /another size or zone, or try again later/)
    })
    it("a machine that Scaleway says it starts, and does not, is for trying again", async () => {
      const { id } = await made()
      const { machines, scaleway } = cloud
      await machines.powerOff(id)
      const server = scaleway.state.all("servers", ZONE)[0]
      scaleway.state.later = () => {
        setTimeout(() => Object.assign(server ?? {}, { state: "stopped", state_detail: "no node available" }), 20)
      }
      await refused(machines.powerOn(id), "provider-no-capacity", /no node available/)
    })
    it("other refusals are told in Scaleway's words, faults of its own tried again", async () => {
      fail(/^POST .*\/servers$/, invalid("image", "is not compatible"))
      await refused(cloud.machines.createApart(apart()), "provider-refused", /invalid argument/)
      fail(/^GET .*\/servers$/, new ScalewayRefusal(503, "internal_error", "internal error"), 2)
      assert.deepEqual(await cloud.machines.list({}), [])
      fail(/^GET .*\/servers$/, new ScalewayRefusal(403, "permissions_denied", "insufficient permissions"))
      await refused(cloud.machines.list({}), "provider-unauthorized", /permission sets/)
    })
  })

  describe("steps that are cut off", () => {
    it("a machine apart is told what it is and started by the next try", async () => {
      const { machines } = cloud
      fail(/^PATCH .*\/user_data\/cloud-init$/, new ScalewayRefusal(500, "internal_error", "internal error"), 4)
      await refused(machines.createApart(apart()), "provider-failed", /try again/)
      const machine = await machines.createApart(apart())
      assert.equal(machine.state, "running")
      assert.equal((await machines.list({})).length, 1)
      assert.deepEqual([...cloud.scaleway.state.userData.values()], ['{"foozol":1}'])
      // Nothing comes in: a group without rules, whose policy is to drop.
      const [group] = cloud.scaleway.state.all("security_groups", ZONE)
      assert.deepEqual([group?.name, group?.inbound_default_policy, group?.rules], ["foozol-apart", "drop", []])
      assert.match(machine.ipv4 ?? "", /^198\.51\.100\./)
    })

    for (const at of ["/detach-volume", "/volumes/[^/]+", "/servers/[^/]+"])
      it(`a removal that ends before ${at} leaves nothing once it is made again`, async () => {
        const { id } = await made()
        const method = at.startsWith("/d") ? "POST" : "DELETE"
        fail(new RegExp(`^${method} .*${at}$`), new ScalewayRefusal(400, "unknown", "cut off"))
        await refused(cloud.machines.remove(id), "provider-refused", /cut off/)
        await cloud.machines.remove(id)
        assert.deepEqual(volumes(), [])
        assert.deepEqual(await cloud.machines.list({}), [])
      })

    it("a disk that a destroy has left is found by its name, and by the label of a rebuild", async () => {
      const { state } = cloud.scaleway
      await made()
      const server = state.all("servers", ZONE)[0]
      assert.ok(server)
      // As Scaleway's plugin does it: the machine goes first, its disk after it.
      Object.assign(server, { state: "stopped" })
      await cloud.call("DELETE", `/instance/v1/zones/${ZONE}/servers/${server.id}`)
      const held = await cloud.machines.heldResources()
      assert.deepEqual(
        held.filter(one => one.name === "volume").map(one => [one.workspace, one.type]),
        [["blue-otter", "scaleway:block/volume:Volume"]],
      )
      await cloud.machines.removeResources(held)
      assert.deepEqual(await cloud.machines.heldResources(), [])
      assert.deepEqual(volumes(), [])
    })

    for (const [what, at, lost] of [
      ["the new disk is made", /^POST .*\/block\/.*\/volumes$/, true],
      ["the machine is off", /^POST .*\/action$/, true],
      ["the disks are changed", /^PATCH .*\/instance\/.*\/servers\/[^/]+$/, true],
      ["the old disk goes", /^DELETE .*\/volumes\/[^/]+$/, false],
    ] as const)
      it(`a rebuild that is cut off when ${what} goes on with the same disk`, async () => {
        const { id } = await made({ diskGb: 30 })
        const { machines } = cloud
        const refusal = lost ? null : new ScalewayRefusal(400, "unknown", "cut off")
        fail(at, refusal)
        await machines.rebuild(id, cloud.image).catch(() => machines.rebuild(id, cloud.image))
        const machine = await machines.get(id)
        assert.deepEqual([machine?.state, machine?.diskGb], ["running", 30])
        assert.equal(volumes().length, 1)
        await machines.remove(id)
        assert.deepEqual(volumes(), [])
      })

    it("a snapshot whose image was not made is shown as none, and can be removed", async () => {
      const { id } = await made()
      const { machines } = cloud
      const labels = { ...OURS, "foozol-snapshot": "backup" }
      fail(/^POST .*\/images$/, new ScalewayRefusal(400, "unknown", "cut off"))
      await refused(machines.createSnapshot(id, { description: "a backup", labels }), "provider-refused", /cut off/)
      const [left, ...others] = await machines.listSnapshots(labels)
      assert.equal(others.length, 0)
      assert.deepEqual([left?.state, left?.bytes, left?.description], ["unavailable", null, "a backup"])
      await machines.removeSnapshot(left?.id ?? "")
      assert.deepEqual(await machines.listSnapshots(labels), [])
    })

    it("a snapshot of which the half is removed is removed whole by the next try", async () => {
      const { id } = await made()
      const { machines } = cloud
      const taken = await machines.createSnapshot(id, { description: "a backup", labels: OURS })
      fail(/^DELETE .*\/snapshots\/[^/]+$/, new ScalewayRefusal(400, "unknown", "cut off"))
      await refused(machines.removeSnapshot(taken.id), "provider-refused", /cut off/)
      const [left] = await machines.listSnapshots(OURS)
      assert.equal(left?.state, "unavailable")
      await machines.removeSnapshot(left?.id ?? "")
      assert.deepEqual(await machines.listSnapshots(OURS), [])
    })

    it("a snapshot that fails is said to be none", async () => {
      const { id } = await made()
      const { state } = cloud.scaleway
      state.later = () => {
        setTimeout(() => {
          for (const one of state.all("snapshots", ZONE)) if (one.status === "creating") one.status = "error"
        }, 5)
      }
      await refused(
        cloud.machines.createSnapshot(id, { description: "a backup", labels: OURS }),
        "snapshot-unproven",
        /"error"/,
      )
    })
  })

  it("a volume goes from one machine to another, and stays what it is", async () => {
    const { machines } = cloud
    const one = await made()
    const carried = await machines.makeVolume(one.id, { name: "foozol-carry-1", gb: 1, labels: OURS })
    assert.equal(volumes().find(({ name }) => name === "foozol-carry-1")?.size, 5_000_000_000)
    // What it has besides stays when its own disk is another.
    await machines.rebuild(one.id, cloud.image)
    assert.equal((await machines.listVolumes(OURS))[0]?.machine, one.id)
    await machines.removeVolume(carried.id)
    assert.deepEqual(await machines.listVolumes(OURS), [])
  })

  it("records of the zone that are others' are not taken for a workspace's", async () => {
    await made()
    const zone = cloud.scaleway.state.zones.get(TEST_ZONE)
    zone?.records.push({ id: "r-1", name: "mail", type: "A", data: "192.0.2.9", ttl: 60 })
    zone?.records.push({ id: "r-2", name: "old", type: "AAAA", data: "2001:db8::1", ttl: 60 })
    const resources = await cloud.machines.resources("blue-otter")
    assert.deepEqual(
      resources.filter(one => one.name.startsWith("record")).map(one => one.name),
      ["record-A", "record-AAAA"],
    )
    await cloud.machines.removeResources(resources)
    assert.deepEqual(
      zone?.records.map(one => one.id),
      ["r-1", "r-2"],
    )
  })
})
