import assert from "node:assert/strict"
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type * as hcloud from "@pulumi/hcloud"
import { buildInCloud, type CloudImageOptions, type CloudImageReport } from "../../cli/cloud-image/build.ts"
import { useText } from "../../cli/cloud-image/words.ts"
import type { Provision } from "../../image-builder/cloud/builder.ts"
import { ImageError } from "../../image-builder/errors.ts"
import { registerImage } from "../../local-cloud/system-image.ts"
import { readEngineRecord } from "../../tools/setup/engine.ts"
import { enginePaths } from "../../tools/setup/paths.ts"
import { foozolCloud } from "../support/command-line.ts"
import { GCP_PROJECT, startTestGcp, type TestGcp } from "../support/gcp-cloud.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

const FROM = "203.0.113.7"
/** The token of the further project. */
const SECOND = "2".repeat(64)

/** The command before clouds that boot nothing: all of it but what happens on the builder. */
describe("foozol-cloud image build --provider", () => {
  let cloud: TestCloud
  let google: TestGcp
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let hetzner: Record<string, string>
  let gcp: Record<string, string>
  before(async () => {
    ;[cloud, google, scratch] = await Promise.all([
      startTestCloud({ machines: "none", projects: { [SECOND]: "second" } }),
      startTestGcp(),
      temporaryDirectory("fc-"),
    ])
    const about = { directory: "", description: "", architecture: "x86", os_flavor: "ubuntu", os_version: "24.04" }
    await registerImage(cloud.cloud.context, { ...about, name: "ubuntu-24.04", architecture: "x86" })
    const FOOZOL_DATA = join(scratch.path, "data")
    hetzner = { FOOZOL_DATA, HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.apiUrl }
    gcp = {
      ...{ FOOZOL_DATA, FOOZOL_GCP_PROJECTS: `${GCP_PROJECT} more-desks`, FOOZOL_GCP_ENDPOINT: google.gcp.url },
      GOOGLE_OAUTH_ACCESS_TOKEN: google.token,
    }
  })
  after(async () => {
    await cloud?.close()
    await google?.close()
    await scratch?.remove()
  })

  const said: string[] = []
  interface Given {
    signal?: AbortSignal
    provision?: Provision | null
    env?: Record<string, string>
  }
  const build = (options: Partial<CloudImageOptions>, given: Given = {}) => {
    said.length = 0
    const { signal, provision = passed, env = { ...hetzner, FOOZOL_PROJECTS: `second=${SECOND}` } } = given
    return buildInCloud(
      { profile: "browser", provider: "hetzner", from: FROM, ...options },
      {
        env,
        cacheDirectory: join(scratch.path, "cache"),
        progress: { say: line => said.push(line), step: async (_, work) => work(() => {}) },
        ...(provision ? { provision: () => provision } : {}),
        bundle: target => mkdir(join(target, "usr/lib/foozol"), { recursive: true }).then(() => {}),
        ...(signal ? { signal } : {}),
      },
    )
  }
  const passed: Provision = ({ machine }) => ({
    done: [machine],
    inventory: "kernel 6.8.0-1\ncontent 3000000000\ndisk 38000000000\nbash\t5.2\n",
  })
  type Snapshot = { id: number; labels: Record<string, string> }
  const snapshots = async (token = cloud.token) => {
    const headers = { authorization: `Bearer ${token}` }
    const { body } = await cloud.call("GET", "/images?type=snapshot", undefined, headers)
    return (body as { images: Snapshot[] }).images
  }
  const nothingCosts = () => assert.deepEqual(cloud.ledger().alive, [])

  /** A whole build, of which the next tests know the image. */
  let made: CloudImageReport
  it("says what it makes and costs, makes the image, and keeps the older ones", async () => {
    const older = { "managed-by": "foozol-cloud", "foozol-profile": "browser", "foozol-image-state": "ready" }
    const desk = { name: "desk", server_type: "cx23", image: "ubuntu-24.04", location: "fsn1" }
    const { server } = await cloud.api<{ server: { id: number } }>("POST", "/servers", desk)
    for (const label of ["a", "b"])
      await cloud.api("POST", `/servers/${server.id}/actions/create_image`, {
        type: "snapshot",
        labels: { ...older, "foozol-image": label },
      })
    await cloud.api("DELETE", `/servers/${server.id}`)
    made = await build({})
    assert.match(said.join("\n"), /cx23 in fsn1, about 0\.\d+ EUR an hour.*203\.0\.113\.7 alone/)
    assert.match(said.join("\n"), /a snapshot, 0\.\d+ EUR a month/)
    assert.equal(made.isNew, true)
    const there = await snapshots()
    assert.equal(there.length, 3)
    const use = useText(made, String(made.image)).join("\n")
    assert.ok(
      use.includes(`\`foozol-cloud image promote ${made.image}\``) &&
        use.includes(`FOOZOL_IMAGE_BROWSER=${made.image}`),
    )
    assert.equal(there.find(({ id }) => String(id) === made.image)?.labels["foozol-image"], made.hash)
    nothingCosts()
  })

  it("makes in a further project with that one's token, and under a name of its own", async () => {
    let label: string | undefined
    const provision: Provision = ({ machine, ...builder }) => {
      const server = machine as hcloud.Server
      server.labels.apply(labels => {
        label = labels?.["foozol-builder"]
      })
      return passed({ machine, ...builder })
    }
    const second = await build({ project: "second", region: "hel1" }, { provision })
    assert.equal(label, "image_hetzner_browser_second")
    assert.deepEqual([second.hash, second.isNew, second.main], [made.hash, true, "main"])
    assert.deepEqual(
      (await snapshots(SECOND)).map(({ id }) => String(id)),
      [second.image],
    )
    assert.equal((await snapshots()).length, 3)
    nothingCosts()
  })

  it("ends at an interrupt with nothing left", async () => {
    const ending = new AbortController()
    const provision: Provision = builder => {
      builder.machine.urn.apply(() => ending.abort(new ImageError("interrupted", "Interrupted.")))
      return passed(builder)
    }
    const asked = build({ profile: "desktop" }, { signal: ending.signal, provision })
    await assert.rejects(asked, { id: "interrupted", message: "Interrupted." })
    assert.match(said.join("\n"), /app: none \(--app names one\)/)
    assert.ok((await snapshots()).every(({ labels }) => labels["foozol-profile"] === "browser"))
    nothingCosts()
  })

  it("says in a sentence what is missing or wrong, and what to do", async () => {
    const file = join(scratch.path, "app.json")
    await writeFile(file, JSON.stringify({ kind: "npm", package: "thing", start: "thing" }))
    const local = { FOOZOL_DATA: join(scratch.path, "data") }
    const [at, google] = [{ env: hetzner }, { env: gcp }]
    const ofFile = { ...gcp, GOOGLE_OAUTH_ACCESS_TOKEN: "", FOOZOL_GCP_CREDENTIALS: file }
    const cases: [Partial<CloudImageOptions>, Given, RegExp][] = [
      [{ from: "1.2.3" }, at, /1\.2\.3: that is not an IPv4 address/],
      [{}, { env: local }, /HCLOUD_TOKEN.*leave --provider out/],
      [{}, { env: { ...hetzner, HCLOUD_TOKEN: "x".repeat(64) } }, /refused the API token: set HCLOUD_TOKEN/],
      [{ region: "nowhere" }, at, /cx23\) cannot be had in "nowhere".*--region .*fsn1/],
      [{ project: "third" }, at, /no project "third" here, only main: name it in FOOZOL_PROJECTS/],
      [{ app: file }, at, /--profile desktop/],
      [{ app: file, profile: "desktop" }, at, /package must be a package with its version/],
      [{ app: join(scratch.path, "none"), profile: "desktop" }, at, /cannot be read/],
      [{ provider: "gcp" }, { env: local }, /FOOZOL_GCP_PROJECTS.*GOOGLE_OAUTH_ACCESS_TOKEN/],
      [{ provider: "gcp", region: "fsn1" }, google, /zone of Google's, such as/],
      [{ provider: "gcp", region: "mars-west1-a" }, google, /knows no "mars-west1-a".*--region/],
      [{ provider: "gcp", project: "third" }, google, /only test-desks, more-desks: name it in FOOZOL_GCP_PROJECTS/],
      [{ provider: "gcp" }, { env: ofFile }, /no token for .*app\.json: set FOOZOL_GCP_CREDENTIALS/],
    ]
    for (const [options, given, says] of cases) await assert.rejects(build(options, given), says)
    nothingCosts()
  })

  it("tells where there is nothing that a builder starts from", async () => {
    const bare = await startTestCloud({ machines: "none" })
    try {
      const env = { ...hetzner, HCLOUD_TOKEN: bare.token, HCLOUD_ENDPOINT: bare.apiUrl }
      await assert.rejects(build({}, { env }), /has no image "ubuntu-24.04".*leave --provider out/)
    } finally {
      await bare.close()
    }
  })

  const run = (words: string, env: Record<string, string>) => foozolCloud(["image", "build", ...words.split(" ")], env)

  it("takes options of a cloud with a cloud alone, which must know who builds", async () => {
    const words = [`--from ${FROM}`, "--provider hetzner"]
    const [alone, nobody] = await Promise.all(words.map(one => run(one, hetzner)))
    assert.deepEqual([alone?.code, nobody?.code], [1, 1])
    assert.equal(
      alone?.stderr,
      "--from is for an image in a cloud: name it with --provider hetzner or --provider gcp.\n",
    )
    assert.equal(nobody?.stderr, "Name the IPv4 address that you build from: --from ADDRESS.\n")
  })

  it("with --dry-run only asks, at Google too", async () => {
    const before = google.asked.length
    const words = `--provider gcp --profile desktop --from ${FROM} --dry-run --json`
    const { code, stdout, stderr } = await run(words, gcp)
    assert.equal(code, 0, stderr)
    const report = JSON.parse(stdout) as CloudImageReport
    assert.deepEqual([report.project, report.image, report.isNew], [GCP_PROJECT, null, false])
    assert.deepEqual([report.builder.size, report.builder.region], ["e2-standard-4", "us-central1-a"])
    assert.ok(report.builder.hourly > 0.1 && report.builder.hourly < 0.3)
    const asked = google.asked.slice(before)
    assert.ok(asked.includes(`GET /compute/v1/projects/${GCP_PROJECT}/global/images`))
    assert.ok(asked.every(one => one.startsWith("GET ")))
  })

  it("with --dry-run tells which image is there already", async () => {
    const again = await build({ dryRun: true })
    assert.deepEqual([again.image, again.isNew, again.hash], [made.image, false, made.hash])
  })

  it("stops before anything is made where the engine's plugin cannot be had", async () => {
    // A cache in which the engine has the plugin of Hetzner alone, and nobody answers where the others come from.
    const FOOZOL_CACHE = join(scratch.path, "plugins")
    const { home, record } = enginePaths({ FOOZOL_CACHE })
    await mkdir(join(home, "plugins"), { recursive: true })
    const engine = readEngineRecord()
    assert.ok(engine)
    for (const name of await readdir(join(engine.home, "plugins")))
      if (name.startsWith("resource-hcloud"))
        await symlink(join(engine.home, "plugins", name), join(home, "plugins", name))
    await writeFile(record, JSON.stringify({ ...engine, home }))
    const given = { FOOZOL_CACHE, HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "127.0.0.1" }
    const before = { ...process.env }
    Object.assign(process.env, given)
    try {
      const missing = /plugin "command" .* could not be fetched from get\.pulumi\.com/
      await assert.rejects(build({ provider: "gcp" }, { env: gcp, provision: null }), missing)
      assert.match(said.join("\n"), /while it is built, a builder: e2-standard-4 in us-central1-a/)
      await assert.rejects(build({ profile: "desktop" }, { provision: null }), missing)
      nothingCosts()
    } finally {
      for (const name of Object.keys(given)) delete process.env[name]
      Object.assign(process.env, before)
    }
    assert.ok(google.asked.every(one => one.startsWith("GET ")))
  })
})
