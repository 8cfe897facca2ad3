import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { userInfo } from "node:os"
import { join } from "node:path"
import { findArchive } from "../../image-builder/archive.ts"
import { checkRights } from "../../image-builder/as-root.ts"
import { buildImage } from "../../image-builder/build-local.ts"
import { cacheDirectory } from "../../tools/setup/paths.ts"
import { skipTest } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

/** The real builder where something is wrong: it says what, and leaves nothing behind. */
describe("image build errors", function () {
  this.timeout(900_000)
  const log = () => {}
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  /** A cache of the test's own, in which the system's layers are built already: what is tested comes after them. */
  let cache: string

  before(async () => {
    await buildImage({ profile: "desktop", cacheDirectory: join(cacheDirectory(), "golden"), log })
  })
  beforeEach(async () => {
    scratch = await temporaryDirectory()
    cache = join(scratch.path, "cache")
    await mkdir(cache)
    const shared = join(cacheDirectory(), "golden")
    for (const name of await readdir(shared))
      if (/^layer-(base|tools)-/.test(name)) await symlink(join(shared, name), join(cache, name))
  })
  afterEach(() => scratch.remove())

  /** What a build leaves besides layers and logs. */
  const left = async () => (await readdir(cache)).filter(name => !/^(layer-(base|tools)-|logs$)/.test(name))

  it("names the provisioning step that fails and its log, and leaves no half image", async () => {
    const steps = join(scratch.path, "steps")
    await mkdir(steps)
    await writeFile(join(steps, "10-fine.sh"), "test -x /usr/bin/node")
    await writeFile(join(steps, "20-broken.sh"), "echo the disk is $PROFILE; systemctl enable nothing-at-all.service")
    const building = buildImage({ profile: "desktop", cacheDirectory: cache, log, provisionDirectory: steps })
    const error = await building.then(
      () => assert.fail("an image was built"),
      error => error,
    )
    assert.equal(error.id, "step-failed")
    assert.match(error.message, /step 20-broken failed; no image was made.*logs\/desktop\/20-broken\.log/)
    assert.match(await readFile(error.log, "utf8"), /^the disk is desktop\n(.|\n)*nothing-at-all/)
    assert.deepEqual(await left(), [])
  })

  it("refuses an app with another checksum, and makes no image", async () => {
    const server = createServer((_, response) => response.end("not the app"))
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.tar.gz`
    const app = { kind: "tarball", url, sha256: "0".repeat(64), start: "./app" } as const
    try {
      await assert.rejects(buildImage({ profile: "desktop", cacheDirectory: cache, log, app }), {
        id: "wrong-checksum",
        message: /app\.tar\.gz has the SHA-256 [0-9a-f]{64}, not 0{64}; no image was made/,
      })
    } finally {
      server.close()
    }
    assert.deepEqual(await left(), [])
  })

  it("says that there is no room before it begins", async function () {
    if (userInfo().uid !== 0) skipTest(this, "only root mounts a file system")
    const small = join(scratch.path, "small")
    await mkdir(small)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", small])
    try {
      await assert.rejects(buildImage({ profile: "browser", cacheDirectory: small, log }), {
        id: "no-room",
        message: /has 0\.1 GB free and an image build needs 9\.4 GB; make room or set another folder/,
      })
      assert.deepEqual(await readdir(small), [])
    } finally {
      execFileSync("umount", [small])
    }
  })

  it("names its log when the archive does not answer", async () => {
    const archive = {
      distribution: "debian",
      suite: "bookworm",
      sources: ["deb http://127.0.0.1:9/ bookworm main"],
      options: [],
    } as const
    const own = join(scratch.path, "own")
    const building = buildImage({
      profile: "browser",
      cacheDirectory: own,
      log,
      archive: { ...archive, sources: [...archive.sources], options: [] },
    })
    await assert.rejects(building, { id: "base-failed", message: /base system could not be made.*base\.log/ })
    assert.deepEqual(await readdir(own), ["logs"])
    assert.match(await readFile(join(own, "logs/base.log"), "utf8"), /127\.0\.0\.1/)
  })

  it("says what to do where apt knows no archive", async () => {
    await mkdir(join(scratch.path, "empty"))
    const configuration = `Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "${scratch.path}/empty";`
    await writeFile(join(scratch.path, "apt.conf"), configuration)
    const before = process.env.APT_CONFIG
    process.env.APT_CONFIG = join(scratch.path, "apt.conf")
    try {
      await assert.rejects(findArchive(), { id: "no-archive", message: /Ubuntu 24\.04 or Debian 12.*apt-get update/ })
    } finally {
      if (before === undefined) delete process.env.APT_CONFIG
      else process.env.APT_CONFIG = before
    }
  })

  it("says what to do where it has neither root nor user namespaces", async () => {
    await assert.rejects(checkRights(["sh", "-c", "echo newuidmap is missing >&2; exit 1"], "ann"), {
      id: "no-rights",
      message: /ann has neither.*newuidmap is missing.*as root.*uidmap.*usermod --add-subuids/,
    })
    await checkRights(["true"])
  })
})
