import assert from "node:assert/strict"
import { connect } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Manifest } from "../../image-builder/agent/backup/manifest.ts"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"
import { toRemove } from "../../service/backups/retention.ts"
import { builtImage } from "../support/built-image.ts"
import { openShell } from "../support/golden-machine.ts"
import { machineRequest } from "../support/machine-request.ts"
import { openRfbClient, type RfbClient } from "../support/rfb-client.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { openSnapshotDisk } from "../support/snapshot-disk.ts"
import type { Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { TEST_ZONE } from "../support/workspace.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const MINUTES = 60_000
const DAY = 24 * 60 * MINUTES

/** Backups of a real machine, tried out on real machines: one that is good, and one whose disk was damaged. */
describe("backups of a real machine", function () {
  this.timeout(900_000)
  let test: TestService
  let ada: Visitor
  let token: string
  let desk: WorkspaceLife
  let viewer: RfbClient
  let shell: Awaited<ReturnType<typeof openShell>>

  before(async function () {
    const image = await builtImage(this, "browser")
    test = await startTestService(
      { FOOZOL_READY_SECONDS: "600", FOOZOL_PROOF_SECONDS: "600" },
      { realMachinesOf: image },
    )
    ada = await test.signIn("ada")
    token = await test.token(ada)
    desk = await newWorkspace(test, token, { sizeClass: "large" })
    viewer = await enter()
    // A service that somebody has installed on their machine: it asks this test what to do, wherever it runs.
    shell = await openShell(viewer, { stays: true })
  })
  afterEach(function () {
    if (this.currentTest?.state === "failed") console.error(test?.logged().split("\n").slice(-30).join("\n"))
  })
  after(async () => {
    shell?.close()
    viewer?.close()
    await test?.close()
  })

  /** Through the door, as a browser comes. */
  async function enter(): Promise<RfbClient> {
    const [machine] = await desk.machines()
    assert.ok(machine)
    const host = `${desk.id}.${TEST_ZONE}:${hostPort(443)}`
    const led = await fetch(`${test.url}/connect?workspace=${desk.id}`, {
      redirect: "manual",
      headers: { cookie: cookieOf(ada), accept: "text/html" },
    })
    const entry = new URL(led.headers.get("location") ?? "")
    const path = `${entry.pathname}${entry.search}`
    const { headers } = await machineRequest(`https://${host}`, path, {}, machine.ip)
    const cookie = String(headers["set-cookie"]).split(";")[0] ?? ""
    return openRfbClient(`wss://${machine.ip}:${hostPort(443)}/vnc`, { host, origin: `https://${host}`, cookie })
  }

  async function backUp() {
    const operation = await test.service.services.workspaces.backupAs(desk.id)
    const { state, failure } = await test.finished(token, operation)
    assert.equal(state, "succeeded", JSON.stringify(failure))
    const [made] = await desk.backups()
    return made
  }
  const diskOf = (backup: { id: string }) =>
    openSnapshotDisk(join(test.cloud.directory, "m", "images", backup.id, "disk.qcow2"))
  const proof = async (id: string) => {
    const found = (await desk.backups()).find(one => one.id === id)
    return [found.proof, found.provenAt !== null, found.scheduled]
  }
  const provers = async () => {
    const labelled = encodeURIComponent("foozol-role==prover")
    const { servers } = await test.cloud.api<{ servers: { status: string; public_net: { ipv4: { ip: string } } }[] }>(
      "GET",
      `/servers?label_selector=${labelled}`,
    )
    return servers
  }
  let good: { id: string }

  it("a backup is made beside the work, with a manifest of its files on its disk", async () => {
    // Something writes all the time, and is never held up for longer than the disk is held still.
    await shell.run("(while :; do date +%s%N >> /home/user/beats; sync /home/user/beats; sleep 0.2; done) & sleep 1")
    good = await backUp()
    await shell.run("sleep 2")
    const beats = (await shell.run("cat /home/user/beats")).trim().split("\n").map(Number)
    const gaps = beats.slice(1).map((at, index) => (at - (beats[index] ?? at)) / 1e9)
    const longest = Math.max(...gaps)
    console.log(`      longest wait of a program that writes: ${longest.toFixed(1)} s of ${gaps.length} beats`)
    assert.ok(longest < 60, `nothing was written for ${longest} s`)
    assert.equal((await desk.shown()).state, "RUNNING")
    const disk = await diskOf(good)
    const manifest = JSON.parse(await disk.text("/var/lib/foozol/manifest.json")) as Manifest
    await disk.close()
    assert.ok(manifest.files.length > 50, String(manifest.files.length))
    assert.match(test.logged(), /"kind":"backup"/)
  })

  it("it is proven on a machine that nobody can reach and on which nothing of its user's runs", async () => {
    const operation = await test.service.services.workspaces.prove(desk.id, good.id)
    const [prover] = await waitUntil("its machine is there", async () => {
      const found = await provers()
      return found[0]?.status === "running" && found
    })
    assert.ok(prover)
    const asked = new Set<string>()
    for (;;) {
      const { body } = await test.api(token, "GET", `/operations/${operation}`)
      if (body.finishedAt !== null) {
        assert.equal(body.state, "succeeded", JSON.stringify(body.failure))
        break
      }
      assert.equal(await opens(prover.public_net.ipv4.ip), false, "its door is closed")
      asked.add((await shell.run("hostname")).trim())
      await sleep(500)
    }
    assert.deepEqual([...asked], [desk.id], "the user's service ran where it belongs, and nowhere else")
    assert.deepEqual(await proof(good.id), ["passed", true, true])
    assert.deepEqual(await provers(), [])
    const { state, backups } = await desk.shown()
    assert.equal(state, "RUNNING")
    assert.ok(backups.lastProven)
  })

  it("one with a damaged disk is found out, and the older one is kept", async () => {
    const bad = await backUp()
    assert.notEqual(bad.id, good.id)
    const disk = await diskOf(bad)
    const { files } = JSON.parse(await disk.text("/var/lib/foozol/manifest.json")) as Manifest
    // The sample is a random one: where it has none of the first kind, it has one of the others.
    const idle = ["/usr/share/", "/usr/lib/python", "/usr/include/", "/opt/", "/home/user/", "/usr/lib/"]
    const victim = idle.flatMap(place => files.filter(one => one.path.startsWith(place) && one.bytes > 500))[0]
    assert.ok(victim, `a file is there that no program needs: ${files.map(({ path }) => path).join(" ")}`)
    await disk.damage(victim.path)
    await disk.close()
    const ended = await test.finished(token, await test.service.services.workspaces.prove(desk.id, bad.id))
    assert.equal(ended.failure?.id, "restore-unproven")
    assert.ok(ended.failure?.message.includes(victim.path), ended.failure?.message)
    assert.deepEqual(await proof(bad.id), ["failed", true, true])
    assert.deepEqual(await proof(good.id), ["passed", true, true])
    assert.deepEqual(await provers(), [])
    const all = await test.service.services.backups.all()
    const gone = toRemove(all, { isLiving: () => true, inUse: new Set() }, Date.now() + 60 * DAY)
    assert.deepEqual(
      gone.map(({ id }) => id),
      [bad.id],
      "when their days are over, it is the proven one that stays",
    )
  })

  const opens = (address: string) =>
    new Promise<boolean>(resolve => {
      const socket = connect(hostPort(443), address)
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false))
      socket.once("close", () => socket.destroy())
    })
})
