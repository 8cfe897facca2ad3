import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "../../../cli/redis-process.ts"
import { checkRedis } from "../../../cli/service-check.ts"
import { platformCloudSteps, platformRecipe } from "../../../image-builder/platform/recipe.ts"
import { run } from "../../../image-builder/run.ts"
import { PROJECT_ROOT } from "../../../tools/setup/paths.ts"
import { end } from "../../support/bucket.ts"
import { skipTest } from "../../support/skip.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { waitUntil } from "../../support/wait-until.ts"

const ROOTFS = join(PROJECT_ROOT, "image-builder/platform/rootfs")

describe("the image of the platform's server", () => {
  it("has units that systemd understands", async function () {
    if (spawnSync("systemd-analyze", ["--version"]).error) skipTest(this, "this system has no systemd-analyze")
    const folders = ["usr/lib/systemd/system", "etc/systemd/system"].map(name => join(ROOTFS, name))
    const units = (
      await Promise.all(folders.map(async folder => (await readdir(folder)).map(name => join(folder, name))))
    )
      .flat()
      .filter(path => !path.includes("@"))
    assert.ok(units.length >= 5)
    const { stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], { encoding: "utf8" })
    // What they start lies on the server, not here.
    const wrong = stderr
      .split("\n")
      .filter(line => /rootfs|foozol/.test(line) && !/is not executable|not found/.test(line))
    assert.deepEqual(wrong, [])
  })

  it("has scripts that a shell understands", async () => {
    for (const { script } of await platformCloudSteps()) await run(["sh", "-n"], { input: script })
    await run(["bash", "-n", join(ROOTFS, "usr/lib/foozol/platform-boot")])
    await run(["sh", "-n", join(ROOTFS, "usr/bin/foozol-cloud")])
  })

  it("is made in a cloud by the same steps, with the host's around them, and leaves no way in", async () => {
    const names = (await platformCloudSteps()).map(({ name }) => name)
    assert.deepEqual(names, [
      ...["00-host", "02-packages", "08-files", "10-users", "30-code", "40-units", "50-nginx", "90-clean"],
      ...["92-check", "94-inventory", "99-seal"],
    ])
    const engine = { key: "k", pulumi: { path: "", version: "" }, hcloudPlugin: { path: "", version: "" } }
    const recipe = platformRecipe({ engine, cacheDirectory: "/nowhere", log() {} })
    const [step] = await recipe.steps("abc", "https://packages.example/")
    assert.match(step?.command ?? "", /^sudo --non-interactive env -i .*PROFILE=platform .*LOCAL=0 .*redis-server/)
    assert.ok(!/chromium|xvfb|x11vnc/.test(step?.command ?? ""), "a desktop's packages have no business there")
  })

  it("has a Redis that keeps what it is told", async () => {
    const { path, remove } = await temporaryDirectory("fc-")
    const port = await freePort(0)
    const text = await readFile(join(ROOTFS, "etc/foozol/redis.conf"), "utf8")
    const moved = text
      .replace("port 6379", `port ${port}`)
      .replace("dir /var/lib/foozol/redis", `dir ${path}`)
      .replace("include /run/foozol/redis.conf", `include ${path}/password.conf`)
    await writeFile(join(path, "password.conf"), "requirepass a-password-for-tests\n")
    await writeFile(join(path, "redis.conf"), moved)
    const redis = spawn("redis-server", [join(path, "redis.conf")], { stdio: "ignore" })
    try {
      const found = await waitUntil("Redis answers", () =>
        checkRedis(`redis://:a-password-for-tests@127.0.0.1:${port}`).catch(() => null),
      )
      assert.deepEqual(
        found.map(({ part, state }) => [part, state]),
        [["redis", "ok"]],
      )
    } finally {
      await end(redis)
      await remove()
    }
  })
})
