import assert from "node:assert/strict"
import { InfraError } from "../../../infra/errors.ts"
import { preempt } from "../../../local-cloud/gcp/instances.ts"
import { applyGcp } from "../../support/gcp-apply.ts"
import { GCP_IMAGE, GCP_PROJECT, startTestGcp, type TestGcp } from "../../support/gcp-cloud.ts"
import { gcpSpec } from "../../support/gcp-spec.ts"
import { waitUntil } from "../../support/wait-until.ts"
import { TEST_ZONE } from "../../support/workspace.ts"

const ZONE = "us-central1-a"
const ID = `projects/${GCP_PROJECT}/zones/${ZONE}/instances/foozol-blue-otter`
const WISH = { size: "e2-highmem-2", region: ZONE, image: GCP_IMAGE, zone: TEST_ZONE }

const refused = (work: Promise<unknown>, id: string, words: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof InfraError, String(error))
    assert.equal(error.id, id, error.message)
    assert.match(error.message, words)
    assert.ok(!JSON.stringify([error.message, error.detail]).includes("the-token-of-tests"))
    return true
  })

describe("machines of Google Cloud", () => {
  let cloud: TestGcp
  beforeEach(async () => {
    cloud = await startTestGcp()
  })
  afterEach(async () => {
    await cloud.close()
    assert.deepEqual(cloud.deviations, [])
  })
  const made = async (given: Parameters<typeof gcpSpec>[0] = {}) => {
    await cloud.machines.prepare({ region: ZONE })
    await applyGcp(cloud, gcpSpec({ deleteProtection: false, ...given }))
    return cloud.machines
  }
  const fail = (at: RegExp, status: number, reason: string, message: string, times = 1) =>
    cloud.gcp.faults.push({ at, refusal: { status, reason, message }, times })

  it("the network is made once, with a part for each region and no rule in it", async () => {
    await cloud.machines.prepare({ region: ZONE })
    await cloud.machines.prepare({ region: "us-central1-b" })
    await cloud.machines.prepare({ region: "europe-west3-a" })
    const { state } = cloud.gcp
    assert.deepEqual(
      state.all("subnetworks").map(([path, one]) => [path, one.ipCidrRange, one.stackType]),
      [
        [`projects/${GCP_PROJECT}/regions/us-central1/subnetworks/foozol`, "10.64.0.0/20", "IPV4_IPV6"],
        [`projects/${GCP_PROJECT}/regions/europe-west3/subnetworks/foozol`, "10.65.0.0/20", "IPV4_IPV6"],
      ],
    )
    assert.deepEqual(
      state.all("networks").map(([, one]) => [one.name, one.autoCreateSubnetworks]),
      [["foozol", false]],
    )
    assert.deepEqual(state.all("firewalls"), [])
  })

  it("two regions that want the same range at once get two", async () => {
    await Promise.all([ZONE, "europe-west3-a"].map(region => cloud.machines.prepare({ region })))
    assert.equal(new Set(cloud.gcp.state.all("subnetworks").map(([, one]) => one.ipCidrRange)).size, 2)
  })

  it("a request whose answer was lost is made again, and done once", async () => {
    const machines = await made()
    cloud.gcp.faults.push({ at: /createSnapshot$/, refusal: null, times: 1 })
    await machines.createSnapshot(ID, { description: "x", labels: { "foozol-workspace": "blue-otter" } })
    assert.equal(cloud.asked.filter(one => one.endsWith("createSnapshot")).length, 2)
    assert.equal((await machines.listSnapshots({})).length, 1)
    const ids = cloud.exchanges
      .filter(one => one.path.endsWith("createSnapshot"))
      .map(one => one.query.get("requestId"))
    assert.ok(ids[0] && ids[0] === ids[1])
  })

  it("every change bears an id of its own", async () => {
    const machines = await made()
    cloud.exchanges.length = 0
    await machines.powerOff(ID)
    await machines.powerOn(ID)
    await machines.remove(ID)
    const changes = cloud.exchanges.filter(one => one.method !== "GET")
    const ids = changes.map(one => one.query.get("requestId") ?? "")
    assert.equal(changes.length, 3)
    assert.equal(new Set(ids).size, 3)
    for (const id of ids) assert.match(id, /^[0-9a-f-]{36}$/)
  })

  it("tries again what Google had too much to do for, and then says so", async () => {
    const machines = await made()
    fail(/instances$/, 503, "backendError", "Try again", 2)
    assert.equal((await machines.list({})).length, 1)
    fail(/instances$/, 403, "rateLimitExceeded", "Rate Limit Exceeded", 9)
    await refused(machines.list({}), "provider-rate-limited", /try again in a few minutes/)
  })

  it("a Google that is not there is told within seconds", async () => {
    await cloud.gcp.close()
    await refused(cloud.machines.list({}), "provider-unreachable", /check the network/)
    cloud = await startTestGcp()
  })

  it("asks once where trying again is no use", async () => {
    const machines = await made()
    cloud.asked.length = 0
    fail(/instances\/foozol-blue-otter$/, 403, "forbidden", "Required 'compute.instances.get' permission for 'x'", 9)
    await refused(machines.get(ID), "provider-unauthorized", /may not do this/)
    assert.equal(cloud.asked.length, 1)
  })

  it("a wrong token is said to be one", async () => {
    cloud.gcp.state.settings.token = "another-one"
    await refused(cloud.machines.list({}), "provider-unauthorized", /credentials/)
  })

  it("does not go on when its caller no longer wants it", async () => {
    cloud.gcp.state.settings.operationMs = 60_000
    const machines = cloud.machines
    const work = machines.prepare({ region: ZONE }, { signal: AbortSignal.timeout(200) })
    await assert.rejects(work, { name: "TimeoutError" })
  })

  it("sold out is said so, at birth and at a start, and leaves nothing", async () => {
    const machines = await made()
    await machines.powerOff(ID)
    cloud.gcp.state.stockouts.add(ZONE)
    await refused(machines.powerOn(ID), "provider-no-capacity", /no room for this machine type in this zone/)
    assert.equal((await machines.get(ID))?.state, "off")
    const apart = {
      name: "foozol-try",
      labels: {},
      size: "e2-standard-2",
      region: ZONE,
      image: GCP_IMAGE,
      userData: "x",
    }
    await refused(machines.createApart(apart), "provider-no-capacity", /another size or zone/)
    assert.equal((await machines.list({})).length, 1)
    assert.equal(cloud.gcp.state.all("disks").length, 1)
  })

  it("a quota is named before anything is made", async () => {
    const { machines } = cloud
    await machines.check(WISH)
    cloud.gcp.state.settings.quotas.CPUS = 1
    await refused(machines.check(WISH), "provider-limit", /quota CPUS in us-central1 is 1, of which 0 are in use/)
  })

  it("a quota that is used up meanwhile is named as well", async () => {
    const machines = await made()
    await machines.powerOff(ID)
    cloud.gcp.state.settings.quotas.CPUS = 1
    await refused(machines.powerOn(ID), "provider-limit", /A quota of the Google project/)
  })

  it("what cannot be had is said in words", async () => {
    const { machines } = cloud
    await refused(machines.check({ ...WISH, size: "e2-giant-9" }), "unknown-size", /no machine type "e2-giant-9"/)
    await refused(
      machines.check({ ...WISH, region: "us-moon1-a" }),
      "unknown-region",
      /only in us-central1-a, us-central1-b/,
    )
    await refused(machines.check({ ...WISH, region: "europe-west3-a" }), "unknown-region", /cannot be had/)
    await refused(machines.check({ ...WISH, image: "nothing" }), "unknown-image", /no usable image "nothing"/)
    await refused(machines.check({ ...WISH, image: "snapshot-nothing" }), "unknown-image", /no usable image/)
    await refused(machines.check({ ...WISH, zone: "other.example" }), "unknown-zone", /no zone "other-example"/)
  })

  it("a spot machine that Google takes back is off with its disk, and comes on again", async () => {
    const machines = await made({ market: "spot" })
    preempt(cloud.gcp.state, ID)
    await waitUntil("the machine to be off", async () => (await machines.get(ID))?.state === "off")
    assert.equal(cloud.gcp.state.all("disks").length, 1)
    await machines.powerOn(ID)
    assert.equal((await machines.get(ID))?.state, "running")
  })

  it("a snapshot may be let go of when Google has the disk, before it is copied", async () => {
    const machines = await made()
    const { state } = cloud.gcp
    // Nothing goes on by itself.
    state.settings.operationMs = 3_600_000
    let begun = 0
    const making = machines.createSnapshot(ID, { description: "x", labels: {} }, { begun: () => begun++ })
    const looks = () => cloud.asked.filter(one => /^GET .*\/snapshots\//.test(one)).length
    await waitUntil("looks at the snapshot", () => looks() > 2)
    assert.equal(begun, 0)
    const [snapshot] = state.all("snapshots").map(([, one]) => one)
    Object.assign(snapshot ?? {}, { status: "UPLOADING" })
    await waitUntil("the word that the disk may change", () => begun === 1)
    Object.assign(snapshot ?? {}, { status: "READY", storageBytes: "7" })
    for (const [, one] of state.all("operations")) Object.assign(one, { status: "DONE" })
    assert.equal((await making).bytes, 7)
    assert.equal(begun, 1)
  })

  it("snapshots of Google's own schedule are not ours to keep or remove", async () => {
    const labels = { "managed-by": "foozol-cloud" }
    const path = `projects/${GCP_PROJECT}/global/snapshots/foozol-blue-otter-us-central1-20260101`
    cloud.gcp.state.add(path, { name: "foozol-blue-otter-us-central1-20260101", status: "READY", labels })
    assert.deepEqual(await cloud.machines.listSnapshots(labels), [])
  })

  it("sizes have prices of processor, memory and disk; what shares a processor or is of another family is left out", async () => {
    const sizes = await cloud.machines.sizes()
    assert.deepEqual(sizes.map(({ name }) => name).toSorted(), ["e2-highmem-2", "e2-standard-2", "e2-standard-4"])
    const size = sizes.find(({ name }) => name === "e2-highmem-2")
    assert.partialDeepStrictEqual(size, { cores: 2, memoryGb: 16, diskGb: 64, architecture: "x86", orderable: true })
    assert.deepEqual(Object.keys(size?.regions ?? {}), [ZONE, "us-central1-b"])
    // 2 x 0.0218 + 16 x 0.0029 an hour, and 64 GB at 0.10 a month.
    assert.equal(size?.regions[ZONE]?.price.monthly.toFixed(2), "72.39")
    const side = await cloud.machines.sidePrices()
    assert.equal(side.snapshotGbMonthly, 0.05)
    assert.equal(side.ipv4Monthly[ZONE]?.toFixed(2), "3.65")
  })

  for (const step of ["detachDisk", "attachDisk", "start", "disks/foozol-blue-otter$", "setLabels"])
    it(`a rebuild that is cut off at ${step} is done by the next one, with one disk`, async () => {
      const machines = await made()
      fail(new RegExp(`^(POST|DELETE) .*${step}`), 400, "invalid", "cut off here")
      await assert.rejects(machines.rebuild(ID, GCP_IMAGE), { id: "provider-refused" })
      await machines.rebuild(ID, GCP_IMAGE)
      assert.equal((await machines.get(ID))?.state, "running")
      const disks = cloud.gcp.state.all("disks").map(([, one]) => one)
      assert.equal(disks.length, 1)
      const labels = disks[0]?.labels as Record<string, string>
      assert.equal(labels["foozol-workspace"], "blue-otter")
      assert.equal(labels["foozol-fresh-for"], undefined)
    })
})
