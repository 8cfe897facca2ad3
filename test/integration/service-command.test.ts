import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { settingRows, settingsMarkdown } from "../../cli/commands/service.ts"
import { freePort } from "../../cli/redis-process.ts"
import { Settings } from "../../service/settings.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"
import { TEST_ZONE } from "../support/workspace.ts"

const ROOT = join(import.meta.dirname, "..", "..")

describe("foozol-cloud service", () => {
  describe("settings", () => {
    it("lists every one with a meaning", async () => {
      const { stdout } = await foozolCloud(["service", "settings", "--json"], {})
      const rows = JSON.parse(stdout) as { name: string; meaning: string }[]
      assert.deepEqual(
        rows.map(row => row.name),
        Object.keys(Settings.shape),
      )
      for (const { name, meaning } of rows) assert.ok(meaning.length > 10, name)
    })
    it("tells defaults as they are written", () => {
      const byName = Object.fromEntries(settingRows().map(row => [row.name, row.byDefault]))
      assert.equal(byName.FOOZOL_ROLES, "web, worker")
      assert.equal(byName.FOOZOL_SECRET, "required")
      assert.equal(byName.FOOZOL_MACHINE_URL, "")
      assert.equal(byName.FOOZOL_LOGIN_MAX_HOURS, "720")
    })
    it("stand in README as they are", () => {
      const readme = readFileSync(join(ROOT, "README.md"), "utf8")
      assert.ok(readme.includes(settingsMarkdown(settingRows())), "Put `service settings --markdown` into README.")
    })
  })

  describe("run", () => {
    let redis: TestRedis
    let cloud: TestCloud
    let data: Awaited<ReturnType<typeof temporaryDirectory>>
    let env: Record<string, string>
    let url: string

    before(async () => {
      const [port] = await Promise.all([
        freePort(0),
        startTestRedis().then(started => (redis = started)),
        startTestCloud({ machines: "none" }).then(started => (cloud = started)),
        temporaryDirectory("fc-").then(made => (data = made)),
      ])
      url = `http://127.0.0.1:${port}`
      env = {
        ...{ FOOZOL_DATA: data.path, FOOZOL_URL: url, FOOZOL_LISTEN: `127.0.0.1:${port}` },
        ...{ FOOZOL_METRICS_LISTEN: "off", FOOZOL_REDIS_URL: redis.url, FOOZOL_ZONE: TEST_ZONE },
        ...{ FOOZOL_SECRET: "a secret for tests, long enough to be one", FOOZOL_ALLOW: "everyone" },
        ...{ FOOZOL_GITHUB_CLIENT_ID: "id", FOOZOL_GITHUB_CLIENT_SECRET: "secret" },
        ...{ HCLOUD_TOKEN: cloud.token, HCLOUD_ENDPOINT: cloud.apiUrl },
      }
    })
    after(async () => {
      await redis?.close()
      await cloud?.close()
      await data?.remove()
    })

    it("refuses settings that are missing, and names them", async () => {
      const { code, stderr, stdout } = await foozolCloud(["service", "run"], { ...env, FOOZOL_SECRET: "" })
      assert.equal(code, 1)
      assert.match(stderr, /FOOZOL_SECRET is missing: at least 32 random characters/)
      assert.equal(stdout, "")
    })
    it("says that the engine is not set up", async () => {
      const { code, stderr } = await foozolCloud(["service", "run"], { ...env, FOOZOL_CACHE: data.path })
      assert.equal(code, 1)
      assert.match(stderr, /npm run setup/)
    })
    it("runs until it is told to stop, with this machine's engine", async () => {
      const { PATH, HOME, FOOZOL_CACHE } = process.env
      const child = spawn(process.execPath, [join(ROOT, "cli", "main.ts"), "service", "run"], {
        env: { PATH, HOME, ...(FOOZOL_CACHE ? { FOOZOL_CACHE } : {}), ...env },
        stdio: ["ignore", "pipe", "inherit"],
      })
      let said = ""
      child.stdout.on("data", chunk => (said += chunk))
      const ended = once(child, "exit")
      await waitUntil("it is ready", async () => (await fetch(`${url}/readyz`)).ok)
      child.kill("SIGTERM")
      assert.deepEqual(await ended, [0, null])
      assert.match(said, /"msg":"service stopped"/)
    })
  })
})
