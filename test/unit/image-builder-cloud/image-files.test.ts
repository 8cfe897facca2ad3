import assert from "node:assert/strict"
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { cloudImageHash, imageTrees, packFiles } from "../../../image-builder/cloud/image-files.ts"
import { run } from "../../../image-builder/run.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("cloud image files", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let trees: string[]
  beforeEach(async () => {
    directory = await temporaryDirectory("fc-")
    trees = [join(directory.path, "a"), join(directory.path, "b")]
    for (const tree of trees) await mkdir(join(tree, "etc"), { recursive: true })
    await writeFile(join(directory.path, "a/etc/one"), "a")
    await writeFile(join(directory.path, "a/etc/both"), "a")
    await writeFile(join(directory.path, "b/etc/both"), "b")
    await writeFile(join(directory.path, "b/run"), "#!/bin/sh\n", { mode: 0o700 })
    await symlink("/etc/one", join(directory.path, "b/etc/link"))
  })
  afterEach(() => directory.remove())
  const pack = async (name: string) => {
    const work = join(directory.path, name)
    await mkdir(work)
    return packFiles(trees, undefined, work, join(work, "log"))
  }
  /** As the step 08-files does it. */
  const unpack = async (archive: string) => {
    const root = join(directory.path, "root")
    await mkdir(root)
    await chmod(root, 0o755)
    const options = ["--no-same-owner", "--keep-directory-symlink", "--no-overwrite-dir"]
    await run(["tar", "--extract", "--gzip", "--file", archive, "--directory", root, ...options])
    return root
  }

  it("lie as in their trees, the later tree's first, and all may read them", async () => {
    const root = await unpack(await pack("work"))
    assert.equal(await readFile(join(root, "etc/one"), "utf8"), "a")
    assert.equal(await readFile(join(root, "etc/both"), "utf8"), "b")
    assert.equal((await stat(join(root, "run"))).mode & 0o777, 0o755)
    assert.equal(await run(["readlink", join(root, "etc/link")]), "/etc/one\n")
  })

  it("change nothing of a folder that is there, and shut nobody out of it", async () => {
    const root = await unpack(await pack("work"))
    assert.equal((await stat(root)).mode & 0o777, 0o755)
  })

  it("are the same archive when nothing changed", async () => {
    assert.deepEqual(await readFile(await pack("one")), await readFile(await pack("two")))
  })

  it("bring the operator's app and the program that starts it", async () => {
    await run(["tar", "--create", "--file", join(directory.path, "app.tar"), "--directory", trees[0] ?? "", "etc"])
    const file = await readFile(join(directory.path, "app.tar"))
    const server = createServer((_, response) => response.end(file)).listen(0, "127.0.0.1")
    await new Promise(resolve => server.once("listening", resolve))
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.tar`
      const sha256 = (await run(["sha256sum", join(directory.path, "app.tar")])).slice(0, 64)
      const work = join(directory.path, "work")
      await mkdir(work)
      const app = { kind: "tarball", url, sha256, start: "./etc/one" } as const
      const root = await unpack(await packFiles(trees, app, work, join(work, "log")))
      assert.match(await readFile(join(root, "opt/foozol-app/run"), "utf8"), /exec \.\/etc\/one/)
      assert.equal((await stat(join(root, "opt/foozol-app/run"))).mode & 0o777, 0o755)
      assert.equal(await readFile(join(root, "opt/foozol-app/etc/one"), "utf8"), "a")
    } finally {
      server.close()
    }
  })

  it("have none of the local cloud's machines", async () => {
    const work = join(directory.path, "work")
    const own = await imageTrees("browser", work, async target => void (await mkdir(join(target, "usr"))))
    assert.deepEqual(
      own.map(tree => tree.replace(/.*image-builder\//, "").replace(work, "work")),
      ["rootfs", "cloud/rootfs", "work/bundle"],
    )
  })

  it("name the image, with the steps and the app", async () => {
    const step = { name: "1", command: "sh", stdin: "" }
    const hash = await cloudImageHash(trees, [step], undefined)
    assert.match(hash, /^[0-9a-f]{16}$/)
    assert.equal(await cloudImageHash(trees, [step], undefined), hash)
    assert.notEqual(await cloudImageHash(trees, [{ ...step, stdin: "true" }], undefined), hash)
    assert.notEqual(await cloudImageHash(trees, [step], { kind: "npm", package: "a@1", start: "a" }), hash)
    await writeFile(join(directory.path, "a/etc/one"), "c")
    assert.notEqual(await cloudImageHash(trees, [step], undefined), hash)
  })
})
