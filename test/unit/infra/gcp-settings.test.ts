import assert from "node:assert/strict"
import { CloudConfig, openProjects, placesOf } from "../../../infra/cloud-config.ts"
import { engineEnvironment } from "../../../infra/engine-config.ts"
import { gcpCloud, gcpEnvironment } from "../../../infra/gcp-settings.ts"
import { engineConfigOf } from "../../../infra/open-cloud.ts"

const ENV = { FOOZOL_GCP_PROJECTS: "my-desks, more-desks", FOOZOL_GCP_ZONES: "us-central1-a europe-west3-a" }
const cloud = (more: object) =>
  CloudConfig.parse({
    ...{ pulumi: "/p/pulumi", pulumiVersion: "3", home: "/home", workDirectory: "/work", backendUrl: "file:///state" },
    ...{ passphrase: "a passphrase" },
    ...more,
  })
const hetzner = { token: "hetzners-token", further: { two: "another-token" } }

describe("Google Cloud out of settings", () => {
  it("is not there without a project, and comes back out of what the service is told", () => {
    assert.equal(gcpCloud({ FOOZOL_GCP_ZONES: "us-central1-a" }), null)
    const found = gcpCloud({ ...ENV, GOOGLE_APPLICATION_CREDENTIALS: "/key.json", FOOZOL_GCP_MARKET: "spot" })
    assert.deepEqual(found?.projects, ["my-desks", "more-desks"])
    assert.deepEqual(gcpCloud(gcpEnvironment(found ?? undefined)), found)
    assert.equal(gcpCloud({ ...ENV, FOOZOL_GCP_CREDENTIALS: "/own.json" })?.credentialsFile, "/own.json")
    assert.deepEqual(gcpCloud({ FOOZOL_GCP_PROJECTS: "my-desks" })?.zones, ["us-central1-a"])
  })

  it("has no stand-in elsewhere than on this machine: credentials would be sent there", () => {
    for (const endpoint of ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"])
      assert.equal(gcpCloud({ ...ENV, FOOZOL_GCP_ENDPOINT: endpoint })?.endpoint, endpoint)
    for (const endpoint of ["http://10.0.0.1", "https://127.0.0.1.example.com", "http://localhost.example.com", "x"])
      assert.throws(() => gcpCloud({ ...ENV, FOOZOL_GCP_ENDPOINT: endpoint }))
  })

  it("reaches the plugin as environment of the engine alone, beside Hetzner's", () => {
    const gcp = gcpCloud({ ...ENV, FOOZOL_GCP_CREDENTIALS: "/own.json", FOOZOL_GCP_ENDPOINT: "http://127.0.0.1:9" })
    const both = engineEnvironment(engineConfigOf(cloud({ hetzner, gcp })))
    assert.deepEqual(
      [both.GOOGLE_PROJECT, both.GOOGLE_CREDENTIALS, both.HCLOUD_TOKEN, both.HCLOUD_TOKEN_TWO],
      ["my-desks", "/own.json", "hetzners-token", "another-token"],
    )
    assert.equal(both.GOOGLE_COMPUTE_CUSTOM_ENDPOINT, "http://127.0.0.1:9/compute/v1/")
    const alone = engineEnvironment(engineConfigOf(cloud({ gcp })))
    assert.ok(!Object.keys(alone).some(name => name.startsWith("HCLOUD")))
    const without = engineEnvironment(engineConfigOf(cloud({ hetzner })))
    assert.ok(!Object.keys(without).some(name => name.startsWith("GOOGLE")))
  })

  it("has projects by their ids beside Hetzner's", async () => {
    const gcp = gcpCloud(ENV)
    const places = placesOf({ hetzner: { endpoint: "http://127.0.0.1:9", ...hetzner }, ...(gcp ? { gcp } : {}) })
    assert.deepEqual(places.names, ["main", "two", "my-desks", "more-desks"])
    assert.deepEqual(places.names.map(places.providerOf), ["hetzner", "hetzner", "gcp", "gcp"])
    assert.deepEqual([places.mainOf("hetzner"), places.mainOf("gcp")], ["main", "my-desks"])
    assert.throws(() => places.providerOf("elsewhere"), /elsewhere/)
    const alone = openProjects(gcp ? { gcp } : {})
    assert.deepEqual([alone.providers, alone.mainOf("hetzner")], [["gcp"], null])
    // Nobody is asked of what is no id of theirs.
    assert.equal(await alone.all.get("4711"), null)
  })
})
