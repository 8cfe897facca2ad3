import assert from "node:assert/strict"
import { appendFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Redis } from "ioredis"
import { KEY } from "../../service/workspaces/store.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace } from "../support/workspace-life.ts"

describe("service: backed up while it runs, restored on an empty host", () => {
  let world: TestWorld
  let service: ServiceProcess
  let empty: TestRedis
  let host: Awaited<ReturnType<typeof temporaryDirectory>>
  let file: string
  /** Settings of the second host. */
  let elsewhere: NodeJS.ProcessEnv

  const run = (args: string[], env: NodeJS.ProcessEnv) =>
    foozolCloud(["service", ...args], env as Record<string, string>)

  before(async () => {
    world = await startTestWorld({ FOOZOL_QUOTA_TOTAL: "10", FOOZOL_LOG_LEVEL: "info" })
    ;[service, empty, host] = await Promise.all([
      startServiceProcess(world.url, world.env),
      startTestRedis(),
      temporaryDirectory("fc-"),
    ])
    file = join(host.path, "backup")
    elsewhere = {
      ...world.env,
      FOOZOL_REDIS_URL: empty.url,
      FOOZOL_BACKEND_URL: pathToFileURL(join(host.path, "state")).href,
      FOOZOL_USAGE_DIRECTORY: join(host.path, "usage"),
      FOOZOL_AUDIT_DIRECTORY: join(host.path, "audit"),
      FOOZOL_ENGINE_DIRECTORY: join(host.path, "engine"),
    }
  })
  after(async () => {
    await service?.stop()
    await empty?.close()
    await world?.close()
    await host?.remove()
  })

  it("loses nothing and deletes nothing that lives, whatever has happened since", async () => {
    const token = await world.token(await world.signIn("ada"))
    const [still, destroyed, hibernated] = [
      await newWorkspace(world, token, { name: "Still", secrets: { KEPT: "a value" } }),
      await newWorkspace(world, token, { name: "Destroyed" }),
      await newWorkspace(world, token, { name: "Hibernated" }),
    ]
    assert.equal((await still.does("stop")).state, "succeeded")
    // Under way while the backup is taken.
    world.machines.setReady(false)
    const starting = await still.begins("start")
    const backup = await run(["backup", "--to", file], world.env)
    assert.equal(backup.code, 0, backup.stderr)
    assert.match(backup.stdout, /whole; 3 workspaces/)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal((await readFile(file, "latin1")).includes(still.id), false, "nothing in it is in the clear")

    world.machines.setReady(true)
    await world.finished(token, starting)
    assert.equal((await still.does("stop")).state, "succeeded")
    const later = await newWorkspace(world, token, { name: "Later" })
    assert.equal((await hibernated.does("stop?mode=hibernate")).state, "succeeded")
    const ended = await world.api(token, "DELETE", `/workspaces/${destroyed.id}`)
    assert.equal((await world.finished(token, ended.body.operation.id)).state, "succeeded")
    const before = new Redis(world.redis.url)
    const given = Number(await before.hget(KEY.workspace(still.id), "epoch"))
    before.disconnect()
    const alive = () =>
      world.cloud
        .ledger()
        .alive.map(one => one.labels["foozol-workspace"])
        .sort()
    const living = alive()
    assert.deepEqual(living, [still.id, later.id].sort())
    await service.stop()

    const restored = await run(["restore", "--from", file], elsewhere)
    assert.equal(restored.code, 0, restored.stderr)
    const redis = new Redis(empty.url)
    assert.ok(Number(await redis.hget(KEY.workspace(still.id), "epoch")) > given, "a worker of before is fenced off")
    assert.deepEqual(await redis.zrange(KEY.toDo, "0", "-1"), [])
    assert.equal(await redis.hget(KEY.operation(starting), "state"), "cancelled")

    service = await startServiceProcess(world.url, elsewhere)
    const known = async (id: string) => {
      const [state, snapshot] = await redis.hmget(KEY.workspace(id), "state", "snapshot")
      return `${state}${snapshot ? " asleep" : ""}`
    }
    // The first sweep settles what was restored, the second finds what has come since: its machine has reported then.
    await waitUntil(
      "all is as the provider has it",
      async () => (await redis.hexists("fz:restored", "settled")) === 1 && (await known(later.id)) === "RUNNING",
      180_000,
    )
    assert.deepEqual(
      [await known(still.id), await known(hibernated.id), await known(destroyed.id)],
      ["STOPPED", "STOPPED asleep", "FAILED"],
    )
    assert.deepEqual(alive(), living)
    // It notes that it is done before it says so.
    const says = /restored from a backup: these had changed since/
    await waitUntil("its log says so", () => says.test(service.output()))

    const again = await world.token(await world.signIn("ada"))
    const shown = (await world.api(again, "GET", "/workspaces")).body.workspaces as { id: string; name: string }[]
    assert.deepEqual(
      shown.map(one => one.name).sort(),
      ["Destroyed", "Hibernated", "Still", later.id].sort(),
      "all but the names of what is newer",
    )
    assert.equal((await world.api(token, "GET", "/workspaces")).status, 200, "tokens for scripts are good still")
    for (const { id } of [still, hibernated]) {
      const asked = await world.api(again, "POST", `/workspaces/${id}/start`)
      assert.equal(asked.status, 202, JSON.stringify(asked.body))
      const done = await world.finished(again, asked.body.operation.id)
      assert.equal(done.state, "succeeded", JSON.stringify(done.failure))
    }
    for (const { id } of [still, hibernated, destroyed, later]) {
      const asked = await world.api(again, "DELETE", `/workspaces/${id}`)
      const done = await world.finished(again, asked.body.operation.id)
      assert.equal(done.state, "succeeded", JSON.stringify(done.failure))
    }
    assert.deepEqual(alive(), [])
    redis.disconnect()
  })

  it("refuses what would make things worse, and says why", async () => {
    const refusals: [RegExp, NodeJS.ProcessEnv, string[]][] = [
      [/The service works on this Redis: stop all of its processes/, elsewhere, ["--replace"]],
      [
        /encrypted with another FOOZOL_SECRET/,
        { ...elsewhere, FOOZOL_SECRET: "quite another secret, long enough" },
        [],
      ],
      [/FOOZOL_STATE_PASSPHRASE to the one of then/, { ...elsewhere, FOOZOL_STATE_PASSPHRASE: "another" }, []],
    ]
    for (const [says, env, more] of refusals) {
      const { code, stderr } = await run(["restore", "--from", file, ...more], env)
      assert.equal(code, 1)
      assert.match(stderr, says)
    }
    const whole = await readFile(file)
    const [cut, changed, longer] = ["cut", "changed", "longer"].map(name => join(host.path, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(cut, whole.subarray(0, -100))
    const other = Buffer.from(whole)
    other[whole.length - 100] = (other[whole.length - 100] as number) ^ 1
    await writeFile(changed, other)
    await writeFile(longer, whole)
    await appendFile(longer, "more")
    for (const damaged of [cut, changed, longer]) {
      const { code, stderr } = await run(["backup", "verify", damaged], elsewhere)
      assert.equal(code, 1)
      assert.match(stderr, /damaged/)
    }
    await service.stop()
    const full = await run(["restore", "--from", file], elsewhere)
    assert.equal(full.code, 1)
    assert.match(full.stderr, /There is data in this Redis already/)
  })

  it("replaces what is there, keeps its folders beside, and leaves nothing half", async () => {
    const redis = new Redis(empty.url)
    await redis.set("fz:something", "of before")
    const dry = await run(["restore", "--from", file, "--replace", "--dry-run"], elsewhere)
    assert.match(dry.stdout, /It can be restored; nothing was changed/)
    assert.equal(await redis.get("fz:something"), "of before")
    // What an earlier try has left.
    await redis.set("fz-restoring:left", "half")
    await mkdir(join(host.path, "usage.restoring"))
    const { code, stdout, stderr } = await run(["restore", "--from", file, "--replace", "--without-tokens"], elsewhere)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /What was there before lies in .*state\.before-/)
    assert.deepEqual(await redis.keys("fz-restoring:*"), [])
    assert.deepEqual(await redis.keys("fz:api:*"), [])
    assert.equal(await redis.exists("fz:something"), 0)
    assert.equal((await redis.smembers(KEY.workspaces)).length, 3)
    const folders = (await readdir(host.path)).filter(name => name.endsWith(".restoring"))
    assert.deepEqual(folders, [])
    redis.disconnect()
  })

  it("may be encrypted with a passphrase of its own", async () => {
    const secret = join(host.path, "passphrase")
    await writeFile(secret, "a passphrase of sixteen and more\n")
    const other = join(host.path, "by-passphrase")
    const made = await run(["backup", "--to", other, "--passphrase-file", secret], elsewhere)
    assert.equal(made.code, 0, made.stderr)
    assert.equal((await run(["backup", "verify", other, "--passphrase-file", secret], elsewhere)).code, 0)
    assert.match((await run(["backup", "verify", other], elsewhere)).stderr, /give --passphrase-file/)
    await writeFile(secret, "another passphrase, as long as that\n")
    assert.match(
      (await run(["backup", "verify", other, "--passphrase-file", secret], elsewhere)).stderr,
      /cannot be opened/,
    )
  })
})
