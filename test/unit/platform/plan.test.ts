import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import type { KeptPlatform } from "../../../cli/platform/kept.ts"
import { localChoices } from "../../../cli/platform/local.ts"
import { planPlatform } from "../../../cli/platform/plan.ts"
import { issuerOf } from "../../../infra/platform/authorities.ts"
import type { PlatformSpec } from "../../../infra/platform/spec.ts"

const env = {
  ...{ HCLOUD_TOKEN: "token", FOOZOL_GITHUB_CLIENT_ID: "id", FOOZOL_GITHUB_CLIENT_SECRET: "client-secret" },
  ...{ FOOZOL_ALLOW: "org:friends", FOOZOL_ZONE: "desk.example.com" },
  FOOZOL_ACME_DIRECTORY: "https://acme-v02.api.letsencrypt.org/directory",
  FOOZOL_ACME_CONTACT: "operator@example.com",
}
const { privateKey } = generateKeyPairSync("ed25519")
const kept = (before: PlatformSpec | null = null): KeptPlatform => ({
  ...{ directory: "/nowhere", operatorKey: privateKey, birth: "b".repeat(43), keep() {}, spec: () => before },
  ...{ secret: "s".repeat(48), passphrase: "p".repeat(48) },
})
const there = { hasZone: async () => false, image: async () => 7 }

describe("what `platform up` plans", () => {
  it("takes the settings of the environment, and chooses the rest", async () => {
    const { spec, given } = await planPlatform({ name: "main" }, kept(), env, there)
    assert.deepEqual(spec.dns, {
      ...{ host: "cloud.desk.example.com", zone: "desk.example.com", makeZone: true, ttl: 300 },
    })
    assert.deepEqual([spec.region, spec.size, spec.image, spec.volumeGb, spec.hostPorts], ["fsn1", "cx23", 7, 10, []])
    assert.deepEqual([spec.caa, spec.contact], [["letsencrypt.org"], "operator@example.com"])
    assert.equal(given.service.FOOZOL_URL, "https://cloud.desk.example.com")
    assert.equal(given.service.FOOZOL_SECRET, "s".repeat(48))
    assert.equal(given.certificate?.directory, env.FOOZOL_ACME_DIRECTORY)
    const text = JSON.stringify(spec)
    for (const secret of ["client-secret", "s".repeat(48), "p".repeat(48), "b".repeat(43)])
      assert.ok(!text.includes(secret))
  })

  it("hands over nothing that is another machine's, nor what the server decides itself", async () => {
    const more = {
      ...{ FOOZOL_LISTEN: "0.0.0.0:1", FOOZOL_REDIS_URL: "redis://other:6379", FOOZOL_USAGE_DIRECTORY: "/var/other" },
      ...{ PATH: "/bin", HOME: "/root", FOOZOL_BACKEND_URL: "file:///here", FOOZOL_DATA: "/here" },
    }
    const { given } = await planPlatform({ name: "main" }, kept(), { ...env, ...more }, there)
    for (const name of Object.keys(more)) assert.ok(!(name in given.service), name)
    const bucket = { FOOZOL_BACKEND_URL: "s3://bucket/state", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" }
    const other = await planPlatform({ name: "main" }, kept(), { ...env, ...bucket }, there)
    for (const [name, value] of Object.entries(bucket)) assert.equal(other.given.service[name], value)
  })

  it("stays as it was in what it is not told", async () => {
    const options = { name: "main", host: "desk.example.com", size: "cx33", volume: "40", region: "hel1" }
    const { spec: before } = await planPlatform(options, kept(), env, there)
    const { spec } = await planPlatform({ name: "main" }, kept(before), env, { ...there, hasZone: async () => true })
    assert.deepEqual(spec, before)
    assert.equal(spec.dns.makeZone, true, "a zone that it has made stays its own")
    await assert.rejects(planPlatform({ name: "main", region: "fsn1" }, kept(before), env, there), /region hel1/)
    await assert.rejects(
      planPlatform({ name: "main", zone: "other.example" }, kept(before), env, there),
      /the zone desk/,
    )
  })

  it("says which settings are missing or wrong, before anything is made", async () => {
    const { HCLOUD_TOKEN: _, ...without } = env
    await assert.rejects(planPlatform({ name: "main" }, kept(), without, there), /HCLOUD_TOKEN is missing/)
    const google = { ...env, FOOZOL_GCP_PROJECTS: "my-desks", FOOZOL_GCP_DNS_ZONE: "gcp.desk.example.com" }
    await assert.rejects(planPlatform({ name: "main" }, kept(), google, there), /no credentials of Google's/)
    await assert.rejects(
      planPlatform({ name: "main" }, kept(), { ...env, FOOZOL_ALLOW: "", FOOZOL_IDLE_SECONDS: "soon" }, there),
      (error: Error) => /FOOZOL_ALLOW is missing/.test(error.message) && /FOOZOL_IDLE_SECONDS/.test(error.message),
    )
    await assert.rejects(planPlatform({ name: "main" }, kept(), { ...env, FOOZOL_ZONE: "" }, there), /--zone/)
    await assert.rejects(planPlatform({ name: "main", volume: "5" }, kept(), env, there), /volumeGb/)
  })

  it("names no authority in CAA records whose name it does not know", async () => {
    const own = { ...env, FOOZOL_ACME_DIRECTORY: "https://ca.inside.example/directory" }
    assert.deepEqual((await planPlatform({ name: "main" }, kept(), own, there)).spec.caa, [])
    const named = await planPlatform({ name: "main", caa: ["inside.example"] }, kept(), own, there)
    assert.deepEqual(named.spec.caa, ["inside.example"])
    assert.equal(issuerOf("https://dv.acme-v02.api.pki.goog/directory"), "pki.goog")
    assert.equal(issuerOf("https://notletsencrypt.org/"), null)
  })

  it("at the local cloud, names end at this computer and its ports are the same inside", async () => {
    const signIn = { url: "http://127.0.0.1:8446", clientId: "local", clientSecret: "local-secret" }
    const cloud = { apiUrl: "http://127.0.0.1:8180/v1", token: "local-token", routerPort: 8443, doorPort: 8447, signIn }
    const choices = localChoices(cloud, "cloud.foozol.localhost", { browser: 5 })
    const { spec, given } = await planPlatform(
      { name: "main" },
      kept(),
      {},
      { ...there, hasZone: async () => true },
      choices,
    )
    assert.deepEqual([spec.dns.host, spec.dns.makeZone], ["cloud.foozol.localhost", false])
    assert.deepEqual(spec.hostPorts, [8180, 8446])
    assert.equal(given.service.FOOZOL_URL, "https://cloud.foozol.localhost:8443")
    assert.equal(given.service.FOOZOL_MACHINE_URL, "http://169.254.0.2:8447")
    assert.equal(given.service.HCLOUD_TOKEN, "local-token")
    assert.equal(given.service.FOOZOL_IMAGE_BROWSER, "5")
  })
})
