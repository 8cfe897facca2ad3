import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { allSealed, type Sealed } from "../../service/secrets/sealed.ts"
import { which } from "../../tools/setup/run.ts"
import { canariesBelow, canariesIn, canariesInProcesses } from "../support/canaries.ts"
import { foozolCloud } from "../support/command-line.ts"
import { type HomeStorage, startHomeStorage } from "../support/home-storage.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const run = promisify(execFile)
/** In a file, which nobody but its machine may ever see in the clear. */
const CANARY = "a line that only its own machine knows"
const MIB = 1024 * 1024

/** The service, the agent of machines, restic: all real. The storage holds every request against its signature. */
describe("service: home backups", () => {
  let test: TestService
  let storage: HomeStorage
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let ada: Visitor
  let token: string
  let desk: WorkspaceLife
  let home: string
  let machine: TestAgent

  before(async function () {
    if (!(await which("restic"))) skipSuite(this, "this system has no restic")
    const found = await startHomeStorage()
    if ("reason" in found) return skipSuite(this, found.reason)
    storage = found
    directory = await temporaryDirectory()
    test = await startTestService({
      ...storage.settings,
      FOOZOL_QUOTA_TOTAL: "10",
      FOOZOL_FINAL_SNAPSHOT_DAYS: "30",
      FOOZOL_BACKUP_S3_STOP_SECONDS: "60",
    })
    ada = await test.signIn("ada")
    token = await test.token(ada)
    desk = await newWorkspace(test, token, { name: "My desk" })
    home = join(directory.path, "home")
    await mkdir(join(home, "work/.git"), { recursive: true })
    await mkdir(join(home, ".cache"))
    await writeFile(join(home, "work/notes [draft]*.txt"), CANARY)
    await writeFile(join(home, "work/large"), randomBytes(3 * MIB))
    await writeFile(join(home, ".cache/again"), "can be had again")
    await symlink("notes [draft]*.txt", join(home, "work/link"))
    machine = await startMachine(desk.id, home)
  })
  after(async () => {
    await machine?.close()
    await test?.close()
    await storage?.close()
    await directory?.remove()
  })

  const keyOf = (id: string) => workspaceKey(test.service.services.keys, id)
  /** The agent as it runs on the machine of a workspace, with this home. */
  async function startMachine(id: string, folder: string): Promise<TestAgent> {
    const config = { workspace: id, workspaceKey: keyOf(id), service: test.url, home: folder, versions: { agent: "3" } }
    // From here on the real agent speaks for it.
    test.machines.setAgent(3)
    return startTestAgent({ config })
  }
  const shown = async (id = desk.id) => (await test.api(token, "GET", `/workspaces/${id}/home-backups`)).body
  const ended = async (id = desk.id) => {
    await waitUntil("the work on the home is over", async () => (await shown(id)).underWay === null)
    return shown(id)
  }
  const backUp = async () => {
    const begun = await test.api(token, "POST", `/workspaces/${desk.id}/home-backups`)
    assert.equal(begun.status, 202, JSON.stringify(begun.body))
    const after = await ended()
    assert.equal(after.failure, null)
    return after
  }
  const record = async (id = desk.id) => {
    const workspace = await test.service.services.store.get(id)
    assert.ok(workspace)
    const found = await test.service.services.homeBackups.of(workspace)
    assert.ok(found)
    return { owner: workspace.owner, record: found }
  }
  const passwordOf = async (id = desk.id) => {
    const { owner, record: found } = await record(id)
    return test.service.services.homeBackups.passwordOf(owner, found)
  }
  /** A call as the machine of a workspace makes it. */
  const asMachine = async (id: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${keyOf(id)}`, "content-type": "application/json" }
    const answer = await fetch(`${test.url}/machine/home-backup${path}`, {
      ...{ method: "POST", headers, body: JSON.stringify(body) },
    })
    return { status: answer.status, text: await answer.text() }
  }

  it("are made, proven, and told of; what can be had again is left out", async () => {
    const { backups, proof } = await backUp()
    await waitUntil("its size is known", async () => (await shown()).storedBytes !== null)
    const { storedBytes } = await shown()
    assert.equal(backups.length, 1)
    assert.equal(backups[0].bytes, 3 * MIB + CANARY.length)
    assert.deepEqual([proof.passed, proof.detail, proof.files], [true, null, 2])
    assert.ok(storedBytes > 3 * MIB && storedBytes < 4 * MIB, String(storedBytes))
    const objects = await storage.objects()
    assert.ok(
      objects.every(one => one.startsWith(`foozol/${desk.id}/`)),
      objects.join(),
    )
    assert.ok(objects.includes(`foozol/${desk.id}/foozol-key.json`))
    assert.deepEqual(
      objects.filter(one => one.includes("/locks/")),
      [],
    )
  })

  it("come back on another workspace's machine, as they were", async () => {
    const other = await newWorkspace(test, token, { name: "Elsewhere", home: { workspace: desk.id } })
    assert.equal((await shown(other.id)).underWay.do, "restore", "it waits for its machine")
    const there = join(directory.path, "there")
    await mkdir(join(there, "work"), { recursive: true })
    await writeFile(join(there, "work/large"), "of before")
    await writeFile(join(there, "mine"), "stays")
    await symlink("nowhere", join(there, "work/link"))
    const second = await startMachine(other.id, there)
    try {
      const { failure, restoredAt } = await ended(other.id)
      assert.equal(failure, null)
      assert.ok(restoredAt)
      assert.equal(await readFile(join(there, "work/link"), "utf8"), CANARY)
      assert.deepEqual(await readFile(join(there, "work/large")), await readFile(join(home, "work/large")))
      assert.equal(await readFile(join(there, "mine"), "utf8"), "stays")
      assert.equal(existsSync(join(there, ".cache")), false)
    } finally {
      await second.close()
    }
  })

  it("wait while an upgrade brings a machine its home", async () => {
    const { store, redis, homeBackups } = test.service.services
    const operation = String((await store.get(desk.id))?.operation)
    const info = JSON.parse((await redis.hget(`fz:op:${operation}`, "info")) ?? "{}")
    const toldOf = (type: string) =>
      test.machines.received.filter(one => one.workspace === desk.id && one.type === type).length
    await redis.hset(`fz:op:${operation}`, { info: JSON.stringify({ ...info, kind: "upgrade" }), state: "running" })
    const orders = toldOf("home-backup")
    await homeBackups.restore({ id: desk.id, owner: info.owner }, { workspace: desk.id })
    const connections = toldOf("stay") + toldOf("stopping")
    await test.restart()
    // What is said last at a connection.
    await waitUntil("it connects again", () => toldOf("stay") + toldOf("stopping") > connections)
    assert.equal(toldOf("home-backup"), orders)
    assert.equal((await shown()).underWay.heardAt ?? null, null)
    // The home is there; the machine starts once more.
    await test.service.services.redis.hset(`fz:op:${operation}`, "mark:carried", "")
    await test.restart()
    assert.equal((await ended()).failure, null)
    assert.ok(toldOf("home-backup") > orders)
    await test.service.services.redis.hset(`fz:op:${operation}`, { info: JSON.stringify(info), state: "succeeded" })
  })

  it("keep the password, the credential and what is in files from everywhere else", async () => {
    const password = await passwordOf()
    const secrets = { password, credential: storage.secretAccessKey }
    await writeFile(join(home, "work/more"), randomBytes(8 * MIB))
    // Looked at while restic runs, too.
    const seen: unknown[] = []
    const begun = test.api(token, "POST", `/workspaces/${desk.id}/home-backups`)
    let looks = 0
    await waitUntil("it is over", async () => {
      const found = canariesInProcesses(secrets).filter(({ pid }) => pid !== process.pid)
      seen.push(...found)
      looks++
      return (await begun).status === 202 && (await shown()).underWay === null
    })
    assert.ok(looks > 2, "it was looked at while it ran")
    // The settings of the service are its environment.
    assert.deepEqual(seen, [])
    const { redis } = test.service.services
    for (const key of await redis.keys("*")) {
      const dump = (await redis.dumpBuffer(key))?.toString("latin1") ?? ""
      assert.deepEqual(canariesIn(dump, { ...secrets, CANARY }, key), [])
    }
    assert.deepEqual(canariesIn(test.logged() + machine.logged.join("\n"), { ...secrets, CANARY }, "log"), [])
    assert.deepEqual(canariesBelow(machine.config.runtimeDirectory, { ...secrets, CANARY }), [])
    assert.deepEqual(
      (await readdir(machine.config.runtimeDirectory)).filter(one => one.startsWith("home-backup-")),
      [],
    )
    const { services } = test.service
    const bucket = services.homeBackups.required()
    for (const name of await storage.objects()) {
      const { url, headers } = bucket.sign({ method: "GET", key: name })
      const text = Buffer.from(await (await fetch(url, { headers })).arrayBuffer()).toString("latin1")
      assert.deepEqual(canariesIn(text, { ...secrets, CANARY, name: "notes [draft]" }, name), [])
    }
  })

  it("are whole after the machine was cut off, and after it died, in the middle", async () => {
    const kill = () =>
      run("pkill", ["-KILL", "-P", String(process.pid), "restic"]).then(
        () => true,
        () => false,
      )
    for (const blow of ["cut", "kill"] as const) {
      await strikeMidway(blow, blow === "cut" ? async () => storage.proxy.cut() > 0 : kill)
      if (blow === "kill") {
        await waitUntil("that is told", async () => (await shown()).failure !== null)
        await checkRepository()
        await test.api(token, "POST", `/workspaces/${desk.id}/home-backups`)
      }
      const { failure, backups } = await ended()
      assert.equal(failure, null)
      assert.equal(backups[0].files, (await readdir(join(home, "work"))).length - 2)
      await checkRepository()
    }
  })

  /** Something to be backed up, and a blow while it is: once more where the work was over before the blow fell. */
  async function strikeMidway(name: string, strike: () => Promise<boolean>): Promise<void> {
    for (let round = 0; ; round++) {
      await writeFile(join(home, `work/${name}-${round}`), randomBytes(24 * MIB))
      const before = (await storage.objects()).length
      assert.equal((await test.api(token, "POST", `/workspaces/${desk.id}/home-backups`)).status, 202)
      const isOver = async () => (await shown()).underWay === null
      await waitUntil("something is on its way", async () => (await storage.objects()).length > before + 1)
      const end = await waitUntil("the blow falls, or it is over", async () =>
        (await strike()) ? "struck" : (await isOver()) && "over",
      )
      if (end === "struck") return
    }
  }

  /** As an operator would, with the storage's own credential. */
  async function checkRepository(): Promise<void> {
    // Not through a service, so that its layout is restic's own.
    const { FOOZOL_BACKUP_S3_ENDPOINT, FOOZOL_BACKUP_S3_ACCESS_KEY_ID, FOOZOL_BACKUP_S3_BUCKET } = storage.settings
    const env = {
      ...{ PATH: process.env.PATH, RESTIC_PASSWORD: await passwordOf(), TMPDIR: directory.path, HOME: directory.path },
      RESTIC_REPOSITORY: `s3:${FOOZOL_BACKUP_S3_ENDPOINT}/${FOOZOL_BACKUP_S3_BUCKET}/foozol/${desk.id}`,
      ...{ AWS_ACCESS_KEY_ID: FOOZOL_BACKUP_S3_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: storage.secretAccessKey },
    }
    const { stdout } = await run("restic", ["check", "--read-data", "--no-lock"], { env })
    assert.match(stdout, /no errors were found/)
  }

  it("let a machine reach its own objects alone, remove nothing, and overwrite nothing", async () => {
    const other = await newWorkspace(test, token, { name: "Taken over" })
    const { services } = test.service
    const workspace = await services.store.get(other.id)
    assert.ok(workspace)
    const { id } = await services.homeBackups.backUp(workspace, { prove: false, keepDays: null })
    const name = `data/${"a".repeat(64)}`
    const sign = (wish: object, as = other.id) => asMachine(as, "/sign", { id, method: "GET", name, ...wish })
    const fine = await sign({})
    assert.equal(fine.status, 200)
    assert.ok(JSON.parse(fine.text).url.includes(`/homes/foozol/${other.id}/data/aa/${"a".repeat(64)}`), fine.text)
    assert.deepEqual(canariesIn(fine.text, { credential: storage.secretAccessKey }, "answer"), [])
    for (const wrong of [`../${desk.id}/config`, `${desk.id}/config`, "foozol-key.json", "data/..", "", `/${name}`]) {
      assert.equal((await sign({ name: wrong })).status, 422, wrong)
    }
    assert.equal((await sign({ method: "DELETE" })).status, 403)
    assert.equal((await sign({ method: "DELETE", name: "config" })).status, 403)
    assert.equal((await sign({ method: "DELETE", name: `locks/${"b".repeat(64)}` })).status, 200)
    assert.equal((await sign({ method: "PUT", sha256: "b".repeat(64) })).status, 403, "another content")
    const put = JSON.parse((await sign({ method: "PUT", sha256: "a".repeat(64) })).text)
    assert.equal(put.headers["if-none-match"], "*")
    // With what was signed for one object nothing else is had.
    const stolen = put.url.replace(other.id, desk.id)
    assert.equal((await fetch(stolen, { method: "PUT", headers: put.headers, body: "x" })).status, 403)
    const get = JSON.parse(fine.text)
    assert.equal((await fetch(get.url, { method: "DELETE", headers: get.headers })).status, 403)
    // The work of one is none of another's, and what is over is over.
    for (const path of ["/password", "/sign", "/list"]) {
      assert.equal((await asMachine(desk.id, path, { id, method: "GET", name, folder: "data" })).status, 409, path)
    }
    assert.equal((await asMachine(other.id, "", { id, state: "failed", reason: "enough\u001b[31m" })).status, 204)
    assert.equal((await sign({})).status, 409)
    assert.equal((await shown(other.id)).failure.message, "enough [31m")
    const eve = await test.token(await test.signIn("eve"))
    for (const [method, path, body] of [
      ["GET", `/workspaces/${desk.id}/home-backups`],
      ["POST", `/workspaces/${desk.id}/home-backups`],
      ["POST", `/workspaces/${desk.id}/restore-home`, { workspace: desk.id }],
      ["DELETE", `/home-backups/${desk.id}`],
      ["POST", "/workspaces", { home: { workspace: desk.id }, sizeClass: "small", region: "fsn1" }],
    ] as const) {
      assert.equal((await test.api(eve, method, path, body)).status, 404, path)
    }
    assert.deepEqual((await test.api(eve, "GET", "/home-backups")).body, { homeBackups: [] })
  })

  it("are made before a stop; what could not be finished goes on afterwards", async () => {
    await writeFile(join(home, "work/last"), "written last")
    const { backups: before } = await shown()
    assert.equal((await desk.does("stop")).state, "succeeded")
    const { backups } = await shown()
    assert.equal(backups.length, before.length + 1)
    const asked = await test.api(token, "POST", `/workspaces/${desk.id}/home-backups`)
    assert.deepEqual([asked.status, asked.body.id], [409, "asleep"])
    assert.equal((await desk.does("start")).state, "succeeded")
  })

  it("that are older go when that is asked for, and then alone", async () => {
    const { services } = test.service
    const workspace = await services.store.get(desk.id)
    assert.ok(workspace)
    const { backups: before } = await shown()
    assert.ok(before.length > 3)
    await services.homeBackups.backUp(workspace, { prove: true, keepDays: 1 })
    const { backups, failure, proof } = await ended()
    assert.deepEqual([failure, proof.passed], [null, true])
    assert.equal(backups.length, 2, "the last two, of one day")
    await checkRepository()
  })

  it("survive the loss of Redis, by the key beside them", async () => {
    const { services } = test.service
    const { owner, record: found } = await record()
    const password = await passwordOf()
    await services.homeBackups.records.change(owner, desk.id, () => null)
    const { backups } = await backUp()
    assert.equal(backups.length, 3, "those from before are known again")
    assert.equal(await passwordOf(), password)
    assert.equal((await record()).record.sealed, found.sealed)
  })

  it("are shown on pages and on the command line, where they are made and restored too", async () => {
    const page = async (path: string) => (await ada.get(`${test.url}${path}`)).text
    // What they take is asked of the storage when they are made.
    const text = await waitUntil("it is known what they take", async () => {
      const now = await page(`/workspaces/${desk.id}`)
      return /All together take \d+ MB in the storage/.test(now) && now
    })
    assert.match(text, /Home backups/)
    assert.match(text, /Last proven restore/)
    const [, from, backup] = /restore-home\?from=([\w-]+)&(?:amp;)?backup=(\w{64})/.exec(text) ?? []
    assert.equal(from, desk.id)
    const asks = await ada.get(`${test.url}/workspaces/${desk.id}/restore-home?from=${from}&backup=${backup}`)
    assert.match(asks.text, /Restore the home of My desk\?/)
    assert.match(await page(`/workspaces/new?home=${from}&homeBackup=${backup}`), /The home of My desk/)
    await rm(join(home, "work/last"))
    const csrf = csrfOf(asks)
    const sent = await ada.post(
      `${test.url}/workspaces/${desk.id}/restore-home`,
      { csrf, from: desk.id, backup: backup ?? "" },
      { origin: test.url },
    )
    assert.equal(sent.status, 200)
    assert.equal((await ended()).failure, null)
    assert.equal(await readFile(join(home, "work/last"), "utf8"), "written last")
    const env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: token }
    const made = await foozolCloud(["workspace", "home-backup", "My desk", "--json"], env)
    assert.equal(made.code, 0, made.stderr)
    const listed = await foozolCloud(["workspace", "home-backups", "My desk"], env)
    assert.match(listed.stdout, new RegExp(`${JSON.parse(made.stdout).backups[0].id} +${desk.id}`))
    const restored = await foozolCloud(["workspace", "restore-home", "My desk", "--yes"], env)
    assert.equal(restored.code, 0, restored.stderr)
  })

  it("have their passwords sealed anew with the service's other secrets, and beside them too", async () => {
    const { services } = test.service
    const { owner, record: found } = await record()
    const sealed: Sealed[] = []
    for await (const one of allSealed(services.redis)) if (one.field === desk.id) sealed.push(one)
    const [one] = sealed
    assert.ok(one)
    const password = await passwordOf()
    assert.equal(services.keys.open(one.sealed, one.context), password)
    const again = services.keys.seal(password, one.context)
    assert.deepEqual(JSON.parse(one.textWith(again)), { ...found, sealed: again })
    await services.redis.hset(one.key, one.field, one.textWith(again))
    await services.lookAfterHomeBackups(new AbortController().signal)
    const kept = await services.homeBackups.required().read(`foozol/${desk.id}/foozol-key.json`)
    assert.deepEqual(JSON.parse(kept ?? ""), { workspace: desk.id, owner, sealed: again })
    assert.equal(await passwordOf(), password)
  })

  it("say in plain words what is wrong, and are removed for good", async () => {
    const bad = await test.api(token, "POST", `/workspaces/${desk.id}/restore-home`, {
      ...{ workspace: desk.id, backup: "c".repeat(64) },
    })
    assert.deepEqual([bad.status, bad.body.id], [404, "no-home-backup"])
    const { backups } = await shown()
    await rm(join(home, "work/large"))
    const begun = await test.api(token, "POST", `/workspaces/${desk.id}/restore-home`, {
      ...{ workspace: desk.id, backup: backups[0].id },
    })
    assert.equal(begun.status, 202)
    assert.equal((await ended()).failure, null)
    assert.ok(existsSync(join(home, "work/large")))
    const gone = await test.api(token, "DELETE", `/workspaces/${desk.id}`)
    assert.equal((await test.finished(token, gone.body.operation.id)).state, "succeeded")
    const { homeBackups } = (await test.api(token, "GET", "/home-backups")).body
    const left = homeBackups.find((one: { workspace: string }) => one.workspace === desk.id)
    assert.match((await ada.get(`${test.url}/backups`)).text, /Homes of deleted workspaces/)
    assert.ok(Date.parse(left.keepUntil) > Date.now() + 29 * 86_400_000)
    assert.equal((await test.api(token, "DELETE", `/home-backups/${desk.id}`)).status, 204)
    assert.deepEqual(
      (await storage.objects()).filter(one => one.includes(desk.id)),
      [],
    )
    assert.equal((await test.api(token, "DELETE", `/home-backups/${desk.id}`)).status, 404)
  })
})
