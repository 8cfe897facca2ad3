import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { CloudConfig } from "../../infra/cloud-config.ts"
import type { EnginePool } from "../../infra/engine-pool.ts"
import type { TestCloud } from "../support/local-cloud.ts"
import { skipSuite } from "../support/skip.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { type HetznerConfig, testSecrets, testSpec } from "../support/workspace.ts"

describe("engine: what cannot be is refused before anything is made", () => {
  let test: TestEngine
  let cloud: TestCloud
  let pool: EnginePool
  let config: HetznerConfig

  before(async () => {
    test = await startTestEngine()
    ;({ cloud, pool, config } = test)
  })
  after(() => test?.close())

  const refuses = async (
    id: string,
    message: RegExp,
    given: Parameters<typeof testSpec>[0],
    settings: Partial<CloudConfig> = {},
  ) => {
    const spec = testSpec({ image: cloud.imageId, ...given })
    await assert.rejects(
      pool.run({ ...config, ...settings }, { action: "apply", spec, secrets: testSecrets }),
      (error: Error & { id: string }) => {
        assert.equal(error.id, id, `${error.message} ${(error as { detail?: string }).detail}`)
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /\n|at .*\.ts/)
        return true
      },
    )
    assert.deepEqual(cloud.ledger().created, [])
    for (const kind of ["servers", "firewalls", "primary_ips"]) {
      assert.deepEqual((await cloud.api<Record<string, unknown[]>>("GET", `/${kind}`))[kind], [], kind)
    }
  }

  it("an unknown size", () => refuses("unknown-size", /no machine type "cx999"/, { size: "cx999" }))
  it("a size that is sold no more", () => refuses("unknown-size", /can no longer be ordered/, { size: "cx42" }))
  it("an unknown location", () => refuses("unknown-region", /not sold at "mars1"/, { region: "mars1" }))
  it("an unknown image", () => refuses("unknown-image", /no usable image with id 999999/, { image: 999_999 }))
  it("an unknown zone", () =>
    refuses("unknown-zone", /DNS zone "other\.example"/, { dns: { name: "a", zone: "other.example", ttl: 60 } }))
  it("a token the provider refuses", () =>
    refuses("provider-unauthorized", /HCLOUD_TOKEN/, {}, { hetzner: { ...config.hetzner, token: "x".repeat(64) } }))
  it("a cloud that is not running", () =>
    refuses(
      "provider-unreachable",
      /could not be reached/,
      {},
      { hetzner: { ...config.hetzner, endpoint: "http://127.0.0.1:9/v1" } },
    ))
  it("an engine that is not there", () => refuses("engine-missing", /npm run setup/, {}, { pulumi: "/nowhere/pulumi" }))
  it("a missing plugin", () =>
    refuses("plugin-missing", /npm run setup/, { workspace: "plugless" }, { home: join(test.path, "empty-home") }))

  describe("a full disk", () => {
    let small: string
    before(async function () {
      small = join(test.path, "small")
      await mkdir(small)
      // A file system of its own is the only disk a test may fill.
      const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).status === 0
      if (!mounted) return skipSuite(this, "mounting a small tmpfs needs root")
    })
    after(() => spawnSync("umount", [small]))

    it("is said before anything is begun", () =>
      refuses("disk-full", /MB are free/, {}, { backendUrl: pathToFileURL(join(small, "state")).href }))
  })
})
