import assert from "node:assert/strict"
import { InfraError, type NextAction } from "../../infra/errors.ts"
import { LABELS, MANAGER } from "../../infra/workspace-spec.ts"
import { PROVIDERS_UNDER_TEST, type ProviderUnderTest, type UnderTest } from "../support/conformance.ts"
import { type CaseResult, providerTable, tableInDocs, writeTableInDocs } from "../support/provider-table.ts"
import { skipTest } from "../support/skip.ts"
import { TEST_ZONE } from "../support/workspace.ts"

const refused = (work: Promise<unknown>, id: string, next: NextAction) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof InfraError, String(error))
    assert.deepEqual([error.id, error.next], [id, next], `${error.message} ${error.detail}`)
    return true
  })

const OURS = { [LABELS.managedBy]: MANAGER }
const ran: string[] = []
const results: CaseResult[] = []

/** What every provider must do, whoever it is: programs by what is there after them, machines by their contract. */
for (const [name, start] of Object.entries(PROVIDERS_UNDER_TEST) as [UnderTest, () => Promise<ProviderUnderTest>][]) {
  describe(`contract of providers: ${name}`, () => {
    let provider: ProviderUnderTest
    before(async () => {
      provider = await start()
      ran.push(name)
    })
    after(() => provider?.close())
    afterEach(function () {
      const { title, parent, state } = this.currentTest as Mocha.Test
      const complaints = provider.complaints().splice(0)
      const isPassed = state === "passed" && complaints.length === 0
      results.push({ provider: name, group: parent?.title ?? "", title, isPassed })
      assert.deepEqual(complaints, [])
    })

    const found = async (workspace = "blue-otter") => {
      const all = await provider.machines.list({ [LABELS.workspace]: workspace })
      assert.equal(all.length, 1, `machines of ${workspace}`)
      return all[0] as (typeof all)[number]
    }
    const wish = () => {
      const { size, region, image } = provider.spec()
      return { size, region, image, zone: TEST_ZONE }
    }
    const apart = (image: string, more: object = {}) => {
      const { size, region } = provider.spec()
      const labels = { ...OURS, "foozol-role": "prover", "foozol-operation": "op-1" }
      return { name: "foozol-apart-1", labels, size, region, image, userData: "{}", ...more }
    }

    describe("before anything is made", () => {
      it("says that what can be had can be had", () => provider.machines.check(wish()))
      it("says what cannot be had, and why", async () => {
        const { unknown, machines } = provider
        await refused(machines.check({ ...wish(), size: unknown.size }), "unknown-size", "fail")
        await refused(machines.check({ ...wish(), region: unknown.region }), "unknown-region", "fail")
        await refused(machines.check({ ...wish(), image: unknown.image }), "unknown-image", "fail")
        await refused(machines.check({ ...wish(), zone: "not-here.example" }), "unknown-zone", "fail")
      })
      it("has sizes with prices where they are sold", async () => {
        const sizes = await provider.machines.sizes()
        const size = sizes.find(one => one.name === wish().size)
        assert.ok(size && size.cores > 0 && size.memoryGb > 0 && size.diskGb > 0 && size.orderable)
        const { price, available } = size.regions[wish().region] ?? {}
        assert.ok(price && available && /^[A-Z]{3}$/.test(price.currency))
        // A month has 672 to 744 hours; Hetzner's price of one is that of fewer.
        assert.ok(price.hourly > 0 && price.monthly > price.hourly * 500 && price.monthly <= price.hourly * 750)
        const side = await provider.machines.sidePrices()
        assert.equal(side.currency, price.currency)
        assert.ok(side.snapshotGbMonthly > 0 && (side.ipv4Monthly[wish().region] ?? 0) > 0)
      })
      it("has nothing of ours, and knows nothing that is not there", async () => {
        const { machines, unknown } = provider
        assert.deepEqual(await machines.list(OURS), [])
        assert.deepEqual(await machines.heldResources(), [])
        assert.equal(await machines.get(unknown.machine), null)
        await machines.remove(unknown.machine)
        await machines.removeSnapshot(unknown.snapshot)
        await machines.removeVolume(unknown.volume)
        await assert.rejects(machines.powerOn(unknown.machine), { id: "provider-not-found" })
      })
    })

    describe("create and adopt", () => {
      it("makes one machine, on, labelled, with its addresses", async () => {
        await provider.apply(provider.spec({ epoch: 3 }))
        const machine = await found()
        assert.equal(machine.state, "running")
        assert.deepEqual(machine.labels, {
          ...OURS,
          [LABELS.workspace]: "blue-otter",
          [LABELS.owner]: "gh-1001",
          [LABELS.epoch]: "3",
        })
        assert.equal(machine.name, "foozol-blue-otter")
        assert.equal(machine.size, wish().size)
        assert.equal(machine.region, wish().region)
        assert.equal(machine.deleteProtection, true)
        assert.match(machine.ipv4 ?? "", /^\d+\.\d+\.\d+\.\d+$/)
        assert.match(machine.ipv6 ?? "", /:/)
        assert.ok(machine.diskGb > 0 && !machine.busy)
        assert.ok(Math.abs(machine.createdAt.getTime() - Date.now()) < 600_000)
        assert.deepEqual(await provider.machines.get(machine.id), machine)
      })
      it("changes nothing the second time", async () => {
        const before = [await found(), await provider.machines.resources("blue-otter")]
        await provider.apply(provider.spec({ epoch: 3 }))
        assert.deepEqual([await found(), await provider.machines.resources("blue-otter")], before)
      })
      it("finds everything that the program makes, by the program's names: what was lost is taken in by them", async () => {
        const resources = await provider.machines.resources("blue-otter")
        assert.deepEqual(
          resources.map(one => one.name).toSorted(),
          (await provider.declared(provider.spec())).toSorted(),
        )
        assert.equal(new Set(resources.map(one => `${one.type} ${one.id}`)).size, resources.length)
      })
      it("tells workspaces apart", async () => {
        await provider.apply(provider.spec({ workspace: "red-fox", owner: "gh-2" }))
        assert.equal((await provider.machines.list(OURS)).length, 2)
        assert.equal((await provider.machines.list({ ...OURS, [LABELS.owner]: "gh-2" })).length, 1)
        assert.deepEqual(await provider.machines.list({ [LABELS.owner]: "gh-3" }), [])
        const held = await provider.machines.heldResources()
        const count = (workspace: string) => held.filter(one => one.workspace === workspace).length
        assert.equal(count("blue-otter"), count("red-fox"))
        assert.equal(count("blue-otter") + count("red-fox"), held.length)
      })
    })

    describe("power", () => {
      const states = async () => (await found()).state
      it("goes off and on, as often as it is asked to", async () => {
        const { machines } = provider
        const { id } = await found()
        for (const _ of [1, 2]) {
          await machines.powerOff(id)
          assert.equal(await states(), "off")
        }
        for (const _ of [1, 2]) {
          await machines.powerOn(id)
          assert.equal(await states(), "running")
        }
        await machines.reset(id)
        assert.equal(await states(), "running")
        await machines.shutDown(id, { graceMs: 2_000 })
        assert.equal(await states(), "off")
        await machines.powerOn(id)
        assert.equal((await found()).id, id)
      })
    })

    describe("snapshot and restore", () => {
      let snapshot: string
      const labels = {
        ...OURS,
        [LABELS.workspace]: "blue-otter",
        "foozol-snapshot": "backup",
        "foozol-region": "x.Y_z",
      }
      it("makes a snapshot that is proven, and says when the disk may change again", async () => {
        const { id } = await found()
        let begun = 0
        const made = await provider.machines.createSnapshot(
          id,
          { description: "a backup", labels },
          { begun: () => begun++ },
        )
        snapshot = made.id
        assert.equal(begun, 1)
        assert.partialDeepStrictEqual(made, { state: "available", description: "a backup", labels })
        assert.ok(made.diskGb > 0 && made.bytes !== null)
        // Part of labels, addresses and keys elsewhere.
        assert.match(snapshot, /^[a-z0-9-]{1,63}$/)
        assert.deepEqual(await provider.machines.listSnapshots({ "foozol-snapshot": "backup" }), [made])
        assert.deepEqual(await provider.machines.listSnapshots({ "foozol-snapshot": "sleep" }), [])
      })
      it("gives it other labels, all at once", async () => {
        const { "foozol-region": _, ...others } = { ...labels, "foozol-proof": "passed" }
        await provider.machines.labelSnapshot(snapshot, others)
        assert.deepEqual((await provider.machines.listSnapshots(OURS))[0]?.labels, others)
      })
      it("can be asked for as an image", () => provider.machines.check({ ...wish(), image: imageOf(snapshot) }))
      it("makes a machine apart from it, which is nobody's, and once", async () => {
        const { machines } = provider
        await provider.loseNextMachine()
        const first = await machines.createApart(apart(snapshot)).catch(() => machines.createApart(apart(snapshot)))
        const second = await machines.createApart(apart(snapshot))
        assert.equal(second.id, first.id)
        assert.equal(second.state, "running")
        assert.equal(second.deleteProtection, false)
        assert.equal((await machines.list({ "foozol-role": "prover" })).length, 1)
        assert.ok(!(await machines.heldResources()).some(one => one.id === second.id))
        await machines.remove(second.id)
        await machines.remove(second.id)
      })
      it("replaces the disk of a machine that stays itself", async () => {
        const { machines } = provider
        const before = await found()
        await refused(machines.rebuild(before.id, snapshot), "protected", "fail")
        await machines.setDeleteProtection(before.id, false)
        await machines.rebuild(before.id, snapshot)
        const { createdAt: _, ...machine } = await found()
        assert.deepEqual({ ...machine, createdAt: before.createdAt }, { ...before, deleteProtection: false })
        await machines.setDeleteProtection(before.id, true)
      })
    })

    describe("volumes", () => {
      it("are made, attached to one machine at a time, and removed with what is on them", async () => {
        const { machines } = provider
        const [one, two] = [await found(), await found("red-fox")]
        const labels = { ...OURS, [LABELS.workspace]: "blue-otter" }
        const made = await machines.makeVolume(one.id, { name: "foozol-carry-1", gb: 1, labels })
        assert.equal(made.machine, one.id)
        assert.deepEqual(made.labels, labels)
        assert.deepEqual(await machines.listVolumes({ [LABELS.workspace]: "blue-otter" }), [made])
        await machines.attachVolume(made.id, one.id)
        await machines.attachVolume(made.id, two.id)
        assert.equal((await machines.listVolumes(OURS))[0]?.machine, two.id)
        await machines.removeVolume(made.id)
        await machines.removeVolume(made.id)
        assert.deepEqual(await machines.listVolumes(OURS), [])
      })
    })

    describe("errors", () => {
      it("somebody without the right is refused, and told what to set", () =>
        refused(provider.asStranger().list(OURS), "provider-unauthorized", "fail"))
      it("a provider that is not there is for trying again", () =>
        refused(provider.unreachable().list(OURS), "provider-unreachable", "retry"))
      it("a provider that has too much to do is asked again", async () => {
        await provider.overload()
        assert.equal((await provider.machines.list(OURS)).length, 2)
      })
      it("whoever no longer wants an answer gets none", async () => {
        const signal = AbortSignal.abort(new Error("no longer wanted"))
        await assert.rejects(provider.machines.list(OURS, { signal }), /no longer wanted|abort/i)
      })
      it("what is sold out is for trying again, elsewhere or later, and leaves nothing", async () => {
        const before = await provider.machines.list({})
        await provider.sellOut()
        const image = String(provider.spec().image)
        await refused(
          provider.machines.createApart(apart(image, { name: "foozol-sold-out" })),
          "provider-no-capacity",
          "retry",
        )
        assert.equal((await provider.machines.list({})).length, before.length)
      })
    })

    describe("delete", () => {
      it("refuses a machine that is protected", async () => {
        const { id } = await found()
        await refused(provider.machines.remove(id), "protected", "fail")
        assert.equal((await found()).id, id)
      })
      it("leaves nothing of a workspace but its snapshots, and all of the others", async () => {
        const { machines } = provider
        const others = await machines.resources("red-fox")
        await provider.destroy("blue-otter")
        assert.deepEqual(await machines.resources("blue-otter"), [])
        assert.deepEqual(await machines.list({ [LABELS.workspace]: "blue-otter" }), [])
        assert.deepEqual(await machines.resources("red-fox"), others)
        assert.equal((await machines.listSnapshots({ [LABELS.workspace]: "blue-otter" })).length, 1)
      })
      it("is done when it is asked for again, and by labels alone", async () => {
        const { machines } = provider
        await provider.destroy("blue-otter")
        const left = await machines.resources("red-fox")
        await machines.removeResources(left)
        await machines.removeResources(left)
        assert.deepEqual(await machines.resources("red-fox"), [])
      })
      it("leaves nothing at all once the snapshots are gone", async () => {
        const { machines } = provider
        for (const { id } of await machines.listSnapshots(OURS)) {
          await machines.removeSnapshot(id)
          await machines.removeSnapshot(id)
        }
        assert.deepEqual(await machines.listSnapshots({}), [])
        assert.deepEqual(await machines.heldResources(), [])
        assert.deepEqual(await machines.list({}), [])
        assert.deepEqual(await machines.listVolumes({}), [])
      })
    })
  })
}

// The last, since it is about the others.
describe("table of providers in the documentation", () => {
  it("says what this suite has found (`node test/support/write-provider-table.ts` writes it)", async function () {
    // Of a part of the suite it would be the table of that part.
    if (ran.length < Object.keys(PROVIDERS_UNDER_TEST).length) return skipTest(this, "not all providers were looked at")
    const table = providerTable(results)
    if (process.env.FOOZOL_TEST_WRITE_TABLE) await writeTableInDocs(table)
    assert.equal(await tableInDocs(), table)
  })
})

after(() => {
  if (ran.length > 0) console.log(`Providers held to the contract: ${ran.join(", ")}`)
})

/** As specs name images: numbers where the provider numbers them. */
const imageOf = (id: string) => (/^\d+$/.test(id) ? Number(id) : id)
