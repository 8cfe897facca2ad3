import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { openCloud } from "../../infra/open-cloud.ts"
import {
  applyPlatform,
  destroyPlatform,
  type PlatformCloud,
  previewPlatform,
} from "../../infra/platform/platform-stack.ts"
import { type PlatformSpec, parsePlatformSpec } from "../../infra/platform/spec.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testEngineConfig } from "../support/workspace.ts"

/** The platform's program by the real engine and its plugin, at a provider without real machines. */
describe("platform stack", () => {
  let cloud: TestCloud
  let platform: PlatformCloud
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  const secrets = { birth: randomBytes(32).toString("base64url") }
  const spec = (change: Partial<PlatformSpec> = {}) =>
    parsePlatformSpec({
      ...{ version: 1, name: "main", region: "fsn1", size: "cx23", image: cloud.imageId, caa: ["letsencrypt.org"] },
      dns: { host: "cloud.new.example", zone: "new.example", makeZone: true },
      operatorKey: "k".repeat(43),
      ...change,
    })
  // biome-ignore lint/suspicious/noExplicitAny: what the provider's API answers
  const list = async (kind: string): Promise<any[]> => (await cloud.api<any>("GET", `/${kind}`))[kind]

  before(async () => {
    cloud = await startTestCloud({ machines: "none" })
    scratch = await temporaryDirectory("fc-")
    platform = openCloud(testEngineConfig(scratch.path, cloud))
  })
  after(async () => {
    await cloud?.close()
    await scratch?.remove()
  })

  it("a look changes nothing, and makes no stack", async () => {
    const { changes, replacesServer } = await previewPlatform(platform, spec(), secrets)
    assert.equal(replacesServer, false)
    assert.equal(changes.create, 10)
    assert.deepEqual(await list("servers"), [])
    assert.equal(await platform.engine.exists("platform_main"), false)
  })

  it("makes everything from an empty project, and a second time nothing", async () => {
    const { outputs } = await applyPlatform(platform, spec(), secrets)
    const [server] = await list("servers")
    const [volume] = await list("volumes")
    assert.equal(server.public_net.ipv4.ip, outputs.ipv4)
    assert.deepEqual([volume.server, volume.format, volume.protection.delete], [server.id, "ext4", true])
    const told = JSON.parse(await cloud.userData(server.id))
    assert.deepEqual([told.host, told.volume, told.birth], ["cloud.new.example", String(volume.id), secrets.birth])
    const { rrsets } = await cloud.api<{ rrsets: { name: string; type: string; records: { value: string }[] }[] }>(
      "GET",
      "/zones/new.example/rrsets?per_page=50",
    )
    const values = Object.fromEntries(rrsets.map(({ name, type, records }) => [`${name} ${type}`, records[0]?.value]))
    assert.equal(values["cloud A"], outputs.ipv4)
    assert.equal(values["@ CAA"], '0 issue "letsencrypt.org"')
    const { changes } = await applyPlatform(platform, spec(), secrets)
    assert.deepEqual(Object.keys(changes), ["same"])
  })

  it("another image replaces the server; addresses, volume and records stay", async () => {
    const [server] = await list("servers")
    const [volume] = await list("volumes")
    const image = await cloud.addImage()
    assert.equal((await previewPlatform(platform, spec({ image }), secrets)).replacesServer, true)
    assert.equal((await list("servers"))[0].id, server.id)
    await applyPlatform(platform, spec({ image }), secrets)
    const servers = await list("servers")
    assert.equal(servers.length, 1)
    assert.notEqual(servers[0].id, server.id)
    assert.equal(servers[0].image.id, image)
    assert.equal(servers[0].protection.delete, true)
    assert.deepEqual(servers[0].public_net.ipv4.ip, server.public_net.ipv4.ip)
    const after = await list("volumes")
    assert.deepEqual(
      after.map(one => [one.id, one.server]),
      [[volume.id, servers[0].id]],
    )
  })

  it("no secret lies in the state in clear text", async () => {
    const state = JSON.stringify(await platform.engine.exportState("platform_main"))
    assert.ok(state.includes("foozol-main-data"))
    assert.ok(!state.includes(secrets.birth))
  })

  it("is not destroyed while there are machines of workspaces; then all of it is", async () => {
    const [{ image }] = await list("servers")
    const labels = { "managed-by": "foozol-cloud", "foozol-workspace": "blue-otter" }
    const { server } = await cloud.api<{ server: { id: number } }>("POST", "/servers", {
      ...{ name: "foozol-blue-otter", server_type: "cx23", location: "fsn1", image: String(image.id), labels },
    })
    await assert.rejects(destroyPlatform(platform, spec({ image: image.id }), secrets), /1 workspaces \(blue-otter\)/)
    assert.equal((await list("servers")).length, 2)
    await cloud.api("DELETE", `/servers/${server.id}`)
    // As it is where a replacement was cut off before its spec was kept: the server is of another image.
    assert.notEqual(image.id, spec().image)
    await destroyPlatform(platform, spec(), secrets)
    for (const kind of ["servers", "volumes", "primary_ips", "firewalls"]) assert.deepEqual(await list(kind), [], kind)
    assert.deepEqual(
      (await list("zones")).map(({ name }) => name),
      ["desk.example"],
    )
    assert.equal(await platform.engine.exists("platform_main"), false)
    assert.deepEqual((await destroyPlatform(platform, spec(), secrets)).changes, {})
  })
})
