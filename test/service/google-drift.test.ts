import assert from "node:assert/strict"
import type { Json } from "../../local-cloud/gcp/state.ts"
import { byHandAtGoogle } from "../support/gcp-by-hand.ts"
import { GCP_ZONE, startTwoProviders, type TwoProviders } from "../support/gcp-service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const HOUR = 3600_000
const ZONE = "us-central1-a"

/** What operators see of changes by hand at Google, whose own API is asked; repairs, but for what the engine's plugin does. */
describe("service: what was changed by hand at Google Cloud", function () {
  this.timeout(300_000)
  let both: TwoProviders
  let [root, ada] = ["", ""]
  let desk: WorkspaceLife
  let hand: ReturnType<typeof byHandAtGoogle>
  let ahead = 0

  before(async () => {
    both = await startTwoProviders({ FOOZOL_OPERATORS: "root", FOOZOL_READY_SECONDS: "20" }, { ahead: () => ahead })
    root = await both.test.token(await both.test.signIn("root"), "operate")
    ada = await both.test.token(await both.test.signIn("ada"))
    desk = await newWorkspace(both.test, ada, { provider: "gcp", region: ZONE, sizeClass: "medium" })
    hand = byHandAtGoogle(both.google, desk.id, { zone: ZONE, domain: GCP_ZONE })
  })
  after(() => both?.close())
  beforeEach(() => both.test.forgetLimits())

  interface Told {
    id: string
    words: string
    mends: string
    todo: string | null
    acceptable: boolean
  }
  const path = (what: string) => `/workspaces/${desk.id}/${what}`
  const look = async (): Promise<Told[]> => {
    const { status, body } = await both.test.api(root, "POST", path("drift"))
    assert.equal(status, 200, JSON.stringify(body))
    return body.differences
  }
  const ids = async () => (await look()).map(one => one.id)
  const ends = async (method: string, what: string, body?: unknown) => {
    const answer = await both.test.api(root, method, path(what), body)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return waitUntil("the operation is over", async () => {
      const found = await both.test.service.services.store.operation(answer.body.operation.id)
      return found?.finishedAt ? found : null
    })
  }
  const repaired = async () => assert.equal((await ends("POST", "repair")).state, "succeeded")
  const noDeviations = () => assert.deepEqual(both.google.deviations, [])

  it("a workspace as it was made differs in nothing, on, off and asleep", async () => {
    assert.deepEqual(await look(), [])
    await desk.does("stop")
    assert.deepEqual(await look(), [])
    await desk.does("stop?mode=hibernate")
    assert.deepEqual(await look(), [])
    await desk.does("start")
    assert.deepEqual(await look(), [])
    noDeviations()
  })

  /** One change each that a repair takes back: who does what, what is told, and what must be so again. */
  const mended: [what: string, does: () => void, id: string, words: RegExp, isSo: () => unknown][] = [
    [
      "a rule that lets more in",
      () => hand.change(hand.paths.rule("ipv4"), { allowed: [{ IPProtocol: "tcp", ports: ["22", "443"] }] }),
      "firewall.ipv4.rules",
      /^The firewall rule for IPv4 lets through TCP 22, 443 from 0\.0\.0\.0\/0 instead of TCP 443 from 0\.0\.0\.0\/0\.$/,
      () => JSON.stringify(hand.find(hand.paths.rule("ipv4"))?.allowed) === '[{"IPProtocol":"tcp","ports":["443"]}]',
    ],
    [
      "a rule that was switched off",
      () => hand.change(hand.paths.rule("ipv6"), { disabled: true }),
      "firewall.ipv6.disabled",
      /^The firewall rule for IPv6 was switched off by hand\.$/,
      () => hand.find(hand.paths.rule("ipv6"))?.disabled === false,
    ],
    [
      "a rule for all machines",
      () => hand.change(hand.paths.rule("ipv4"), { targetTags: [] }),
      "firewall.ipv4.targets",
      /is for all machines of the network instead of this workspace's machine/,
      () => String(hand.find(hand.paths.rule("ipv4"))?.targetTags) === `foozol-${desk.id}`,
    ],
    [
      "a rule that is gone",
      () => hand.remove(hand.paths.rule("ipv4")),
      "firewall.ipv4.there",
      /^The firewall rule for IPv4 was deleted by hand: nobody reaches the machine by IPv4\.$/,
      () => hand.find(hand.paths.rule("ipv4")),
    ],
    [
      "a record that leads elsewhere",
      () => hand.point("A", "203.0.113.7"),
      "record-A.records",
      /^The DNS record for IPv4 points to 203\.0\.113\.7 instead of /,
      () => !String(hand.pointsTo("A")).includes("203.0.113.7"),
    ],
    [
      "a record that is gone",
      () => hand.removeRecord("AAAA"),
      "record-AAAA.there",
      /^The DNS record for IPv6 was deleted by hand\.$/,
      () => hand.pointsTo("AAAA"),
    ],
    [
      "protection that was lifted",
      () => hand.change(hand.paths.machine, { deletionProtection: false }),
      "machine.protection",
      /^Delete protection of the machine was lifted by hand\.$/,
      () => hand.machine().deletionProtection,
    ],
    [
      "network tags",
      () => hand.change(hand.paths.machine, { tags: { items: ["open-door"] } }),
      "machine.tags.own",
      /^The machine's network tag was taken away by hand: its firewall rules are not for it/,
      () => !JSON.stringify(hand.machine().tags).includes("open-door"),
    ],
    [
      "a label of ours",
      () => hand.label(hand.paths.machine, { "foozol-owner": "somebody" }),
      "machine.labels.foozol-owner",
      /^The label foozol-owner of the machine was changed by hand from ".*" to "somebody"\.$/,
      () => (hand.machine().labels as Json)["foozol-owner"] !== "somebody",
    ],
    [
      "the schedule of snapshots",
      () => hand.remove(hand.paths.schedule),
      "schedule.there",
      /^The schedule of Google's daily snapshots was deleted by hand/,
      () => hand.find(hand.paths.schedule),
    ],
  ]
  for (const [what, does, id, words, isSo] of mended) {
    it(`${what}: told in words, and repaired without the machine noticing`, async () => {
      const before = hand.machine().id
      does()
      const found = (await look()).find(one => one.id === id) ?? assert.fail(JSON.stringify(await look()))
      assert.match(found.words, words)
      assert.equal(found.mends, "repair")
      await repaired()
      assert.deepEqual(await look(), [])
      assert.ok(isSo())
      assert.deepEqual([hand.machine().id, hand.machine().status], [before, "RUNNING"])
      noDeviations()
    })
  }

  it("a machine that was switched off is switched on again, and one that shall be off is switched off", async () => {
    hand.change(hand.paths.machine, { status: "TERMINATED" })
    assert.deepEqual(await ids(), ["machine.power"])
    await repaired()
    assert.equal(hand.machine().status, "RUNNING")
    await desk.does("stop")
    hand.change(hand.paths.machine, { status: "RUNNING" })
    assert.deepEqual(await ids(), ["machine.power"])
    await repaired()
    assert.equal(hand.machine().status, "TERMINATED")
    await desk.does("start")
  })

  it("another type is repaired of a machine that is off, and left while somebody may be at it", async () => {
    const type = String(hand.machine().machineType)
    hand.change(hand.paths.machine, { machineType: type.replace("e2-highmem-2", "e2-standard-4") })
    const [found] = await look()
    assert.deepEqual([found?.id, found?.mends], ["machine.size", "operator"])
    assert.match(
      `${found?.words} ${found?.todo}`,
      /of type e2-standard-4, not e2-highmem-2\. Stop the workspace \(power-off\)/,
    )
    await repaired()
    assert.deepEqual([await ids(), hand.machine().status], [["machine.size"], "RUNNING"])
    await desk.does("stop")
    await repaired()
    assert.deepEqual([await ids(), hand.machine().machineType], [[], type])
    await desk.does("start")
  })

  it("what a repair does not touch is told with what to do, and a repair says so honestly", async () => {
    const { machine, disk } = hand.paths
    const whole = structuredClone({ machine: hand.machine(), disk: hand.find(disk) })
    const rule = hand.addRule("everybody", { allowed: [{ IPProtocol: "all" }], sourceRanges: ["0.0.0.0/0"] })
    const [boot] = hand.machine().disks as Json[]
    hand.change(machine, {
      serviceAccounts: [{ email: "builder@test-desks.iam.gserviceaccount.com" }],
      metadata: {
        items: [
          { key: "user-data", value: "x" },
          { key: "ssh-keys", value: "eve:secret-key" },
        ],
      },
      networkInterfaces: [{ accessConfigs: [{ natIP: "203.0.113.9" }] }],
      disks: [
        { ...boot, autoDelete: false },
        { ...boot, boot: false, deviceName: "more", source: `${boot?.source}-more` },
      ],
      labels: { ...(hand.machine().labels as Json), team: "red" },
    })
    hand.change(disk, { sizeGb: "200", labels: {}, resourcePolicies: [] })
    const told = await look()
    assert.ok(told.every(one => one.mends === "operator" && one.todo !== null))
    assert.deepEqual(
      told.map(one => one.id),
      [
        "firewall.others.everybody",
        "ipv4.machine",
        "ipv6.machine",
        "machine.accounts.builder-test-desks.iam.gserviceaccount.com",
        ...["block-project-ssh-keys", "enable-oslogin", "serial-port-enable", "ssh-keys"].map(
          key => `machine.metadata.${key}`,
        ),
        "machine.labels.team",
        ...["size", "auto-delete", "labels", "schedule", `others.foozol-${desk.id}-more`].map(one => `disk.${one}`),
      ],
    )
    const words = told.map(one => one.words).join("\n")
    assert.match(
      words,
      /A firewall rule was added by hand that reaches all machines: everything from 0\.0\.0\.0\/0 \(everybody\)/,
    )
    assert.match(words, /was taken off the machine by hand: it has 203\.0\.113\.9 instead/)
    assert.match(words, /The machine's disk was made larger by hand: 200 GB instead of 64 GB/)
    assert.doesNotMatch(JSON.stringify(told), /secret-key/)
    assert.doesNotMatch(both.test.logged(), /secret-key/)
    const record = await ends("POST", "repair")
    assert.equal(record.state, "succeeded")
    assert.equal((await ids()).length, told.length)
    rule.remove()
    // The repair has marked the machine with its own epoch since.
    const { team: _, ...labels } = hand.machine().labels as Json
    hand.change(machine, { ...whole.machine, labels, serviceAccounts: [] })
    hand.change(disk, whole.disk as Json)
    assert.deepEqual(await ids(), [])
  })

  it("a label that somebody wants may stay, and is a difference again when that is taken back", async () => {
    hand.label(hand.paths.machine, { team: "red" })
    assert.deepEqual(await ids(), ["machine.labels.team"])
    await ends("POST", "drift/accept", { difference: "machine.labels.team", reason: "cost centre" })
    assert.deepEqual(await ids(), [])
    await repaired()
    assert.equal((hand.machine().labels as Json).team, "red")
    await ends("DELETE", "drift/accept/machine.labels.team")
    assert.deepEqual(await ids(), ["machine.labels.team"])
    const { team: _, ...labels } = hand.machine().labels as Json
    hand.change(hand.paths.machine, { labels })
  })

  it("by itself, once in the time that is set, workspaces at Google too", async () => {
    both.test.env.FOOZOL_DRIFT_HOURS = "24"
    hand.point("A", "203.0.113.7")
    await both.test.restart()
    ahead = 25 * HOUR
    const drift = async () => (await both.test.api(root, "GET", path("drift"))).body
    const seen = await waitUntil(
      "it was looked at",
      async () => {
        const { differences } = await drift()
        return differences.some((one: Told) => one.id === "record-A.records") && differences
      },
      120_000,
    )
    assert.deepEqual(
      seen.map((one: Told) => one.id),
      ["record-A.records"],
    )
    both.test.env.FOOZOL_DRIFT_HOURS = "0"
    await both.test.restart()
    await repaired()
  })

  it("an address that was given back: told, another one is got, and the machine has it when it is made again", async () => {
    hand.remove(hand.paths.address("ipv4"))
    const [found] = await look()
    assert.deepEqual([found?.id, found?.mends], ["ipv4.there", "repair"])
    assert.match(found?.words ?? "", /A repair gets another one, which the machine has when it is made again/)
    await repaired()
    // What was got is told as what it is: not yet the machine's.
    assert.deepEqual(await ids(), ["ipv4.machine"])
    await desk.does("stop?mode=hibernate")
    await desk.does("start")
    assert.deepEqual(await ids(), [])
  })

  it("a machine that is gone is left to a restore, which makes it again; a disk that is gone, too", async () => {
    await desk.does("backups", { name: "before" })
    await hand.removeMachine()
    const [found] = await look()
    assert.deepEqual([found?.id, found?.mends, found?.acceptable], ["machine.there", "restore", false])
    assert.match(`${found?.words} ${found?.todo}`, /deleted by hand, and its disk with it\. Restore its newest backup/)
    await repaired()
    assert.deepEqual(await ids(), ["machine.there"])
    const [backup] = await desk.backups()
    const { state, failure } = await desk.does("restore", { backup: backup.id })
    assert.equal(state, "succeeded", JSON.stringify(failure))
    assert.deepEqual(await ids(), [])
    hand.change(hand.paths.machine, { disks: [] })
    const [disk] = await look()
    assert.deepEqual([disk?.id, disk?.mends], ["disk.there", "restore"])
  })

  it("a look that fails is told, and says nothing of what it did not see", async () => {
    const away = { status: 503, reason: "backendError", message: "Internal error" }
    const fault = { at: /./, refusal: away, times: 10_000 }
    both.google.gcp.faults.push(fault)
    const { status, body } = await both.test.api(root, "POST", path("drift"))
    fault.times = 0
    assert.equal(status, 503, JSON.stringify(body))
    assert.equal(body.id, "provider-failed")
  })
})
