import assert from "node:assert/strict"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as hcloud from "@pulumi/hcloud"
import { buildCloudImage, type CloudBuildOptions } from "../../image-builder/cloud/build-cloud.ts"
import type { Provision } from "../../image-builder/cloud/builder.ts"
import { hetznerImageProvider, type ImageProvider } from "../../image-builder/cloud/image-provider.ts"
import { ImageError } from "../../image-builder/errors.ts"
import type { Manifest } from "../../image-builder/manifest.ts"
import { InfraError } from "../../infra/errors.ts"
import { registerImage } from "../../local-cloud/system-image.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testEngineConfig } from "../support/workspace.ts"

const INVENTORY = "kernel 6.8.0-1\ncontent 3000000000\ndisk 38000000000\nbash\t5.2\n"

/** Real engine, real provider plugin, the local cloud without machines: all of a build but what happens over SSH. */
describe("cloud image build at Hetzner", () => {
  let cloud: TestCloud
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let provider: ImageProvider

  const passed: Provision = ({ machine }) => ({ done: [machine], inventory: INVENTORY })
  /** A resource that the provider refuses, in the place of a step that fails. */
  const failing: Provision = ({ machine }) => {
    const refused = new hcloud.ZoneRrset(
      "step",
      { zone: "nowhere.example", name: "x", type: "A", records: [{ value: "192.0.2.1" }] },
      { dependsOn: [machine] },
    )
    return { done: [refused], inventory: INVENTORY }
  }
  type Given = Omit<Partial<CloudBuildOptions>, "provision"> & { version?: string; provision?: Provision | undefined }
  const build = (given: Given = {}) => {
    const { version = "1", provision, ...options } = { provision: passed, ...given }
    return buildCloudImage({
      provider,
      profile: "browser",
      operator: "203.0.113.7",
      cacheDirectory: join(directory.path, "cache"),
      log: () => {},
      ...(provision ? { provision: () => provision } : {}),
      bundle: async target => {
        await mkdir(join(target, "usr/lib/foozol"), { recursive: true })
        await writeFile(join(target, "usr/lib/foozol/agent.cjs"), version)
      },
      ...options,
    })
  }
  type Shown = { id: number; labels: Record<string, string>; status: string; created_from: { id: number } | null }
  const list = async (kind: string) => (await cloud.api<Record<string, Shown[]>>("GET", `/${kind}`))[kind] ?? []
  const snapshots = async () => (await cloud.api<{ images: Shown[] }>("GET", "/images?type=snapshot")).images
  const nothingButImages = async () => {
    for (const kind of ["servers", "firewalls", "ssh_keys"]) assert.deepEqual(await list(kind), [], kind)
    assert.deepEqual(cloud.ledger().alive, [])
    assert.deepEqual(await provider.engine.listStacks(), [])
  }

  beforeEach(async () => {
    directory = await temporaryDirectory("fc-")
    cloud = await startTestCloud({ machines: "none" })
    const about = {
      directory: "",
      description: "",
      architecture: "x86",
      os_flavor: "ubuntu",
      os_version: "24.04",
    } as const
    await registerImage(cloud.cloud.context, { name: "ubuntu-24.04", ...about })
    provider = hetznerImageProvider(testEngineConfig(directory.path, cloud))
  })
  afterEach(async () => {
    await cloud?.close()
    await directory?.remove()
  })

  it("leaves the image with its labels and its manifest, and nothing else", async () => {
    const seen: Record<string, unknown> = {}
    const image = await build({
      async check(id) {
        const [server] = await cloud.api<{ servers: Record<string, unknown>[] }>("GET", "/servers").then(a => a.servers)
        seen.power = server?.status
        seen.firewall = (await cloud.api<{ firewalls: { rules: unknown }[] }>("GET", "/firewalls")).firewalls[0]?.rules
        seen.state = (await snapshots()).find(one => String(one.id) === id)?.labels["foozol-image-state"]
        for (const name of await readdir(directory.path, { recursive: true })) {
          const text = await readFile(join(directory.path, name), "utf8").catch(() => "")
          assert.ok(!text.includes("PRIVATE KEY"), `a private key stands in ${name}`)
        }
      },
    })
    assert.equal(seen.power, "off")
    assert.equal(seen.state, "candidate")
    assert.match(JSON.stringify(seen.firewall), /"22".*203\.0\.113\.7\/32/)
    assert.equal(image.isNew, true)
    const [made, ...others] = await snapshots()
    assert.deepEqual(others, [])
    assert.equal(String(made?.id), image.id)
    assert.equal(made?.status, "available")
    assert.deepEqual(made?.labels, {
      "managed-by": "foozol-cloud",
      "foozol-profile": "browser",
      "foozol-image": image.hash,
      "foozol-image-state": "ready",
    })
    await nothingButImages()
    const file = join(directory.path, "cache", `cloud-hetzner-browser-${image.hash}.json`)
    const manifest = JSON.parse(await readFile(file, "utf8")) as Manifest
    assert.equal(manifest.hash, image.hash)
    assert.equal(manifest.distribution, "ubuntu noble")
    assert.deepEqual(manifest.packages, { bash: "5.2" })
    assert.equal(manifest.sizes.content, 3_000_000_000)
  })

  it("makes nothing when the image is there, and another when something changed", async () => {
    const first = await build()
    const again = await build()
    assert.deepEqual({ ...again, isNew: true }, first)
    assert.equal(again.isNew, false)
    assert.equal(cloud.ledger().alive.length, 0)
    const other = await build({ version: "2" })
    assert.notEqual(other.hash, first.hash)
    assert.equal((await snapshots()).length, 2)
  })

  it("leaves no builder and no image when the check fails", async () => {
    const check = async () => {
      assert.equal((await list("servers")).length, 1)
      throw new ImageError("check-failed", "The screen is black.")
    }
    await assert.rejects(build({ check }), /The screen is black/)
    assert.deepEqual(await snapshots(), [])
    await nothingButImages()
  })

  it("leaves no builder and no image when a step fails", async () => {
    await assert.rejects(build({ provision: failing }), InfraError)
    assert.deepEqual(await snapshots(), [])
    await nothingButImages()
  })

  it("leaves no builder and no image when the builder does not say what is on it", async () => {
    const silent: Provision = ({ machine }) => ({ done: [machine], inventory: "" })
    await assert.rejects(build({ provision: silent }), { id: "no-inventory" })
    assert.deepEqual(await snapshots(), [])
    await nothingButImages()
  })

  it("leaves no builder and no image when it is aborted", async () => {
    const controller = new AbortController()
    const check = async () => controller.abort()
    await assert.rejects(build({ check, signal: controller.signal }))
    assert.deepEqual(await snapshots(), [])
    await nothingButImages()
  })

  it("removes what a killed build left, and never takes its unproven image", async () => {
    const { hash } = await build()
    const [ready] = await snapshots()
    const labels = { ...ready?.labels, "foozol-image-state": "candidate" }
    await cloud.api("PUT", `/images/${ready?.id}`, { labels })
    const leftover = { "managed-by": "foozol-cloud", "foozol-builder": "image_hetzner_browser" }
    const server = { name: "lost", server_type: "cx23", image: "ubuntu-24.04", location: "fsn1", labels: leftover }
    await cloud.api("POST", "/servers", server)
    const image = await build()
    assert.equal(image.hash, hash)
    assert.equal(image.isNew, true)
    assert.deepEqual(
      (await snapshots()).map(({ id }) => String(id)),
      [image.id],
    )
    await nothingButImages()
  })

  it("prunes the older images of the profile, never one in use and none of another's", async () => {
    const first = await build({ version: "1" })
    const server = { name: "desk", server_type: "cx23", image: first.id, location: "fsn1" }
    await cloud.api("POST", "/servers", server)
    const second = await build({ version: "2" })
    const third = await build({ version: "3", inUse: [second.id] })
    const desktop = await build({ profile: "desktop" })
    const fourth = await build({ version: "4", inUse: [second.id] })
    const fifth = await build({ version: "5" })
    assert.deepEqual(
      (await snapshots()).map(({ id }) => String(id)).sort(),
      [first, desktop, fourth, fifth].map(({ id }) => id).sort(),
    )
    assert.ok(![second.id, third.id].includes(fifth.id))
  })

  it("refuses an address that is none, before anything is asked or made", async () => {
    const before = await cloud.requests()
    await assert.rejects(build({ operator: "0.0.0.0/0" }), { id: "bad-address" })
    assert.deepEqual(await cloud.requests(), before)
  })

  it("says that the plugin for SSH is missing, and makes nothing", async () => {
    const { HTTPS_PROXY } = process.env
    // Nobody answers there, so the plugin cannot be fetched where it otherwise could.
    process.env.HTTPS_PROXY = "http://127.0.0.1:9"
    try {
      provider = hetznerImageProvider({
        ...testEngineConfig(directory.path, cloud),
        home: join(directory.path, "home"),
      })
      await assert.rejects(build({ provision: undefined }), { id: "plugin-missing" })
    } finally {
      if (HTTPS_PROXY === undefined) delete process.env.HTTPS_PROXY
      else process.env.HTTPS_PROXY = HTTPS_PROXY
    }
    assert.deepEqual(cloud.ledger().alive, [])
    assert.deepEqual(await list("ssh_keys"), [])
  })
})
