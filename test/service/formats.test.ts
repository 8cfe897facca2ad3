import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Redis } from "ioredis"
import { pino } from "pino"
import type { Snapshot } from "../../infra/machines/contract.ts"
import { snapshotFacts, snapshotLabels } from "../../infra/machines/snapshots.ts"
import { parseStackFile, recordInFile } from "../../infra/stack-state.ts"
import { bringToFormat, formatOf, MIGRATIONS, readFormat } from "../../service/formats/format.ts"
import { createKeys } from "../../service/keys.ts"
import { createPreferences } from "../../service/notifications/preferences.ts"
import { createSecrets } from "../../service/secrets/secrets.ts"
import { readKey, StoredKey, writeKey } from "../../service/state-backup/redis-keys.ts"
import { lineText, parseLine } from "../../service/usage/ledger-line.ts"
import { createWorkspaceStore, KEY } from "../../service/workspaces/store.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { startTestWorld, type TestWorld } from "../support/service.ts"
import { startServiceProcess } from "../support/service-process.ts"

const FIXTURES = join(import.meta.dirname, "..", "fixtures", "formats")
const silent = pino({ level: "silent" })

interface About {
  token: string
  owner: string
  secret: string
  running: string
  asleep: string
  off: string
}

for (const version of readdirSync(FIXTURES)) {
  const file = (name: string) => readFileSync(join(FIXTURES, version, name), "utf8")
  const about = JSON.parse(file("about.json")) as About
  const lines = (name: string) => file(name).trim().split("\n")

  describe(`what a service of format ${version} has stored`, () => {
    let server: TestRedis
    let redis: Redis
    before(async () => {
      server = await startTestRedis()
      redis = new Redis(server.url)
      for (const line of lines("redis.ndjson")) {
        await writeKey(redis, "fz:", StoredKey.parse(JSON.parse(line)), Date.now())
      }
    })
    after(async () => {
      redis?.disconnect()
      await server?.close()
    })

    it("is written as it was read, key by key", async () => {
      for (const line of lines("redis.ndjson")) {
        const stored = StoredKey.parse(JSON.parse(line))
        // Redis knows no empty ones, but for streams, of which nothing is missed.
        if (stored.type === "stream" && stored.value.length === 0) continue
        const found = await readKey(redis, `fz:${stored.key}`)
        if (stored.type === "set" && found?.type === "set") assert.deepEqual(found.value.sort(), stored.value.sort())
        else assert.deepEqual(found, stored)
      }
    })
    it("holds one of every kind of key that lasts", () => {
      const keys = lines("redis.ndjson").map(line => (JSON.parse(line) as { key: string }).key)
      for (const kind of [
        /^ws:[^:]+$/,
        /^ws:.*:ops$/,
        /^ws:.*:secrets$/,
        /^op:[^:]+$/,
        /^op:.*:events$/,
        /^user:[^:]+$/,
      ]) {
        assert.ok(
          keys.some(key => kind.test(key)),
          String(kind),
        )
      }
      for (const kind of [
        /^user:.*:(ws|api|secrets|notify)$/,
        /^api:/,
        /^users$/,
        /^ws-all$/,
        /^format$/,
        /^secret$/,
      ]) {
        assert.ok(
          keys.some(key => kind.test(key)),
          String(kind),
        )
      }
    })
    it("is understood: workspaces, operations, secrets", async () => {
      const store = createWorkspaceStore(redis)
      const [running, asleep, off] = await Promise.all([about.running, about.asleep, about.off].map(store.get))
      assert.deepEqual([running?.state, running?.name, running?.owner], ["RUNNING", "Renamed", about.owner])
      assert.deepEqual([asleep?.state, typeof asleep?.snapshot], ["STOPPED", "string"])
      assert.deepEqual([off?.state, off?.snapshot, typeof off?.machineId], ["STOPPED", null, "string"])
      const operations = await store.operationsOf(about.asleep, 10)
      assert.deepEqual(
        operations.map(one => [one.kind, one.state]),
        [
          ["hibernate", "succeeded"],
          ["create", "succeeded"],
        ],
      )
      const keys = createKeys(about.secret)
      assert.deepEqual((await createSecrets(redis, keys).forMachine(about.running, about.owner)).secrets, {
        ...{ A_KEY: "of the user", OF_IT: "a value" },
      })
      assert.equal((await createPreferences(redis, keys).webhook(about.owner))?.secret, "signs")
    })
    it("is understood: stacks, the ledger, labels of snapshots", () => {
      const stack = file("stack.json")
      assert.equal(recordInFile(stack)?.spec.owner, about.owner)
      assert.ok((parseStackFile(stack, about.running)?.recorded.length ?? 0) >= 6)
      for (const line of lines("ledger.ndjson")) {
        const parsed = parseLine(line)
        assert.ok(parsed, line)
        assert.equal(lineText(parsed), `${line}\n`)
      }
      const snapshots = (JSON.parse(file("snapshots.json")) as Snapshot[]).map(one => ({
        ...one,
        createdAt: new Date(one.createdAt),
      }))
      for (const snapshot of snapshots) {
        const facts = snapshotFacts(snapshot)
        assert.ok(facts, JSON.stringify(snapshot.labels))
        assert.deepEqual(snapshotLabels(facts), snapshot.labels)
      }
    })

    describe("restored from its backup", () => {
      let world: TestWorld
      before(async () => {
        world = await startTestWorld({ FOOZOL_SECRET: about.secret })
      })
      after(() => world?.close())

      it("is worked on by today's service", async () => {
        const restored = await foozolCloud(
          ["service", "restore", "--from", join(FIXTURES, version, "backup")],
          world.env as Record<string, string>,
        )
        assert.equal(restored.code, 0, restored.stderr)
        const service = await startServiceProcess(world.url, world.env)
        try {
          const { body, status } = await world.api(about.token, "GET", "/workspaces")
          assert.equal(status, 200)
          assert.deepEqual(
            (body.workspaces as { id: string }[]).map(one => one.id).sort(),
            [about.running, about.asleep, about.off].sort(),
          )
          const renamed = await world.api(about.token, "PATCH", `/workspaces/${about.off}`, { name: "By today's" })
          assert.equal(renamed.body.name, "By today's")
          const month = (lines("ledger.ndjson")[0] ?? "").slice(9, 16)
          const usage = await world.api(about.token, "GET", `/usage?month=${month}`)
          assert.equal(usage.status, 200)
          assert.equal(usage.body.workspaces.length, 3)
        } finally {
          await service.stop()
        }
      })
    })
  })
}

describe("formats of what is stored", () => {
  let server: TestRedis
  let redis: Redis
  before(async () => {
    server = await startTestRedis()
    redis = new Redis(server.url)
  })
  beforeEach(() => redis.flushall())
  after(async () => {
    redis?.disconnect()
    await server?.close()
  })
  const next = (to: number, least: number, up: (redis: Redis) => Promise<void> = async () => {}) => ({
    ...{ to, least, up, what: "something new", back: "Run `foozol-cloud service restore` with a backup from before." },
  })

  it("are written down at the first start", async () => {
    await bringToFormat(redis, silent)
    assert.equal((await readFormat(redis)).version, formatOf(MIGRATIONS))
  })
  it("go on step by step, and a step that was cut off is done again", async () => {
    await bringToFormat(redis, silent)
    const done: number[] = []
    let fails = true
    const steps = [
      ...MIGRATIONS,
      next(2, 2, async () => void done.push(2)),
      next(3, 2, async () => {
        if (fails) throw new Error("cut off")
        done.push(3)
      }),
    ]
    await assert.rejects(bringToFormat(redis, silent, steps), /cut off/)
    assert.equal((await readFormat(redis)).version, 2)
    fails = false
    await bringToFormat(redis, silent, steps)
    await bringToFormat(redis, silent, steps)
    assert.deepEqual(done, [2, 3])
  })
  it("that are newer are refused by an older service, which says how to go back; those that only add are not", async () => {
    await bringToFormat(redis, silent, [...MIGRATIONS, next(2, 1)])
    await bringToFormat(redis, silent)
    assert.equal((await readFormat(redis)).version, 2, "what the newer one has said stays")
    await bringToFormat(redis, silent, [...MIGRATIONS, next(2, 1), next(3, 3)])
    await assert.rejects(
      bringToFormat(redis, silent),
      /is of format 3, which a newer service has written; this one knows 1: .*Run `foozol-cloud service restore`/,
    )
  })

  it("fields that a newer version has written outlive what an older one writes", async () => {
    const store = createWorkspaceStore(redis)
    const info = { id: "calm-otter", owner: "gh-1", name: "x", profile: "desktop", fromLater: { deep: [1] } }
    await redis.hset(KEY.workspace("calm-otter"), {
      ...{ info: JSON.stringify(info), profile: "desktop", state: "RUNNING", since: "1", epoch: "1", operation: "" },
      ...{ later: "stays", settings: JSON.stringify({ name: "y", later: { deep: "stays" } }) },
    })
    await store.changeSettings("calm-otter", { keepOnUntil: 1_800_000_000_000 })
    const operation = {
      id: "op-1",
      workspace: "calm-otter",
      owner: "gh-1",
      kind: "stop",
      requestedBy: "gh-1",
      createdAt: 2,
      estimate: { seconds: null, steps: {} },
    } as const
    await store.begin(operation)
    const hash = await redis.hgetall(KEY.workspace("calm-otter"))
    assert.equal(hash.later, "stays")
    assert.deepEqual(JSON.parse(hash.settings ?? ""), {
      name: "y",
      later: { deep: "stays" },
      keepOnUntil: 1_800_000_000_000,
    })
    assert.deepEqual(JSON.parse(hash.info ?? ""), info)
    const preferences = createPreferences(redis, createKeys("a secret for tests, long enough to be one"))
    await redis.hset("fz:user:gh-1:notify", "kinds", JSON.stringify({ "a-later-kind": ["email"] }), "later", "stays")
    await preferences.choose("gh-1", { woke: ["email"] })
    const { kinds, later } = await redis.hgetall("fz:user:gh-1:notify")
    assert.deepEqual([JSON.parse(kinds ?? ""), later], [{ "a-later-kind": ["email"], woke: ["email"] }, "stays"])
  })
  it("a stack whose spec says more than is known here is still that of its workspace", () => {
    const [version = ""] = readdirSync(FIXTURES)
    const stack = JSON.parse(readFileSync(join(FIXTURES, version, "stack.json"), "utf8"))
    const { outputs } = stack.checkpoint.latest.resources.find(
      (one: { type: string }) => one.type === "pulumi:pulumi:Stack",
    )
    outputs.spec.later = { deep: 1 }
    outputs.spec.dns.later = "x"
    assert.ok(recordInFile(JSON.stringify(stack))?.workspace)
  })
})
