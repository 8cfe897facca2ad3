import assert from "node:assert/strict"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { foozolCloud } from "../support/command-line.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

/** The commands as an operator types them, at a Hetzner without real machines: what ends before a server must answer. */
describe("foozol-cloud platform", () => {
  let cloud: TestCloud
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let env: Record<string, string>
  before(async () => {
    ;[cloud, scratch] = await Promise.all([startTestCloud({ machines: "none" }), temporaryDirectory("fc-")])
    env = {
      ...{ FOOZOL_DATA: scratch.path, HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.apiUrl },
      ...{ FOOZOL_GITHUB_CLIENT_ID: "id", FOOZOL_GITHUB_CLIENT_SECRET: "the-client-secret", FOOZOL_ALLOW: "everyone" },
    }
  })
  after(async () => {
    await cloud?.close()
    await scratch?.remove()
  })
  const run = (words: string, more: Record<string, string> = {}) =>
    foozolCloud(["platform", ...words.split(" ")], { ...env, ...more })
  const servers = async () => (await cloud.api<{ servers: unknown[] }>("GET", "/servers")).servers.length

  it("preview says what would be made, and makes nothing", async () => {
    const words = `preview --zone new.example --image ${cloud.imageId} --json`
    const acme = { FOOZOL_ACME_DIRECTORY: "https://acme-v02.api.letsencrypt.org/directory" }
    const { code, stdout } = await run(words, acme)
    assert.equal(code, 0)
    const said = JSON.parse(stdout)
    assert.deepEqual([said.changes, said.replacesServer], [{ create: 10 }, false])
    assert.deepEqual(said.spec.dns, { host: "cloud.new.example", zone: "new.example", makeZone: true, ttl: 300 })
    assert.ok(!stdout.includes("the-client-secret"))
    const dry = await run(words.replace("preview", "up --dry-run"), acme)
    assert.deepEqual(JSON.parse(dry.stdout).changes, { create: 10 })
    assert.equal(await servers(), 0)
  })

  it("keeps its keys where nobody else reads them", () => {
    const folder = join(scratch.path, "platform", "main")
    assert.equal(statSync(folder).mode & 0o077, 0)
    const names = readdirSync(folder).sort()
    assert.deepEqual(names, ["birth", "operator-key.pem", "service-secret", "state-passphrase"])
    for (const name of names) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
    assert.equal(existsSync(join(folder, "spec.json")), false, "nothing has been made")
  })

  it("takes a zone that is there, and says in a sentence what is missing or wrong", async () => {
    const there = await run(`preview --zone desk.example --image ${cloud.imageId} --json`)
    assert.equal(JSON.parse(there.stdout).spec.dns.makeZone, false)
    for (const [words, more, says] of [
      ["preview --image 1", {}, /--zone/],
      ["preview --zone desk.example", {}, /no image of the platform in this project.*platform image --from/],
      ["up --zone desk.example --image 1", { FOOZOL_ALLOW: "" }, /FOOZOL_ALLOW is missing/],
      ["preview --zone desk.example --image 1 --region Nowhere!", {}, /region/],
      ["show", {}, /There is no platform "main"/],
      ["destroy --yes", {}, /There is no platform "main"/],
      ["image", {}, /--from ADDRESS/],
      [
        "preview --zone desk.example --image 1",
        { FOOZOL_BACKEND_URL: "s3://no-bucket/x?region=x&endpoint=127.0.0.1:9&disable_https=true&use_path_style=true" },
        /bucket of FOOZOL_BACKEND_URL cannot be used.*Object Storage/,
      ],
    ] as const) {
      const { code, stderr } = await run(words, more)
      assert.notEqual(code, 0, words)
      assert.match(stderr, says)
      assert.ok(!stderr.includes("    at "), stderr)
    }
    assert.equal(await servers(), 0)
  })
})
