import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Redis } from "ioredis"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { byHand } from "../support/by-hand.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const PAGE = readFileSync(join(PROJECT_ROOT, "monitoring", "operators-day.md"), "utf8")

/** The commands of each part of the page, as they stand there. */
const PARTS = new Map(
  PAGE.split(/^## /m)
    .slice(1)
    .map(part => {
      const [title = ""] = part.split("\n", 1)
      const blocks = [...part.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text)
      return [title, blocks.flatMap(text => text.trim().split("\n"))] as const
    }),
)

/** Whoever is new to it types what the page says, and nothing else. */
describe("an operator's day, by the documentation alone", function () {
  this.timeout(300_000)
  let world: TestWorld
  let service: ServiceProcess
  let empty: TestRedis
  let host: Awaited<ReturnType<typeof temporaryDirectory>>
  let env: Record<string, string>
  let names: Record<string, string>
  let failed: WorkspaceLife
  let drifted: WorkspaceLife

  before(async () => {
    world = await startTestWorld({ FOOZOL_OPERATORS: "root", FOOZOL_QUOTA_TOTAL: "9", FOOZOL_READY_SECONDS: "60" })
    ;[service, empty, host] = await Promise.all([
      startServiceProcess(world.url, world.env),
      startTestRedis(),
      temporaryDirectory("fc-"),
    ])
    const token = await world.token(await world.signIn("root"), "operate")
    env = { ...(world.env as Record<string, string>), FOOZOL_API_URL: world.url, FOOZOL_API_TOKEN: token }
    const ada = await world.token(await world.signIn("ada"))
    failed = await newWorkspace(world, ada, { name: "Failed" })
    drifted = await newWorkspace(world, ada, { name: "Drifted" })
    names = { FAILED: failed.id, DRIFTED: drifted.id, BACKUP: join(host.path, "backup"), IMAGE: "" }
    await failed.does("stop")
    const refused = { kind: "status", status: 403, code: "forbidden", message: "the token may not do that" } as const
    await world.cloud.addFault({ match: { path: "poweron$" }, fault: refused })
    assert.equal((await failed.does("start")).state, "failed")
    await world.cloud.clearFaults()
    await byHand(world.cloud, drifted.id).addRule("22")
    assert.equal((await world.api(token, "POST", `/workspaces/${drifted.id}/drift`)).status, 200)
  })
  after(async () => {
    await service?.stop()
    await empty?.close()
    await world?.close()
    await host?.remove()
  })

  /** Types the commands of a part. @returns what each has printed */
  async function type(title: string): Promise<string[]> {
    const said: string[] = []
    for (const line of PARTS.get(title) ?? []) {
      const words = line
        .replace(/\$([A-Z]+)/g, (_, name) => names[name] ?? assert.fail(`$${name} has no value`))
        .split(" ")
      assert.deepEqual(words.slice(0, 2), ["npx", "foozol-cloud"], line)
      const { code, stdout, stderr } = await foozolCloud(words.slice(2), env)
      assert.equal(code, 0, `${line}: ${stderr}${stdout}`)
      said.push(stdout)
    }
    return said
  }

  const DAY: Record<string, () => Promise<void>> = {
    async "See what is broken"() {
      const [list = "", drift = ""] = await type("See what is broken")
      assert.match(list, new RegExp(`${failed.id} .*FAILED.*provider-unauthorized`))
      assert.doesNotMatch(list, new RegExp(drifted.id))
      assert.match(drift, new RegExp(`${drifted.id} .*A firewall rule was added by hand`))
    },
    async "See why"() {
      const [show = "", drift = ""] = await type("See why")
      assert.match(show, /the token may not do that|provider-unauthorized/)
      assert.match(drift, /A firewall rule was added by hand: TCP 22 .*a repair mends it/)
    },
    async "Mend it"() {
      const [, plan = "", , list = "", drift = ""] = await type("Mend it")
      assert.match(plan, /^would mend: A firewall rule/)
      assert.doesNotMatch(list, new RegExp(failed.id))
      assert.match(drift, /Everything is as it shall be/)
      assert.equal((await failed.shown()).state, "RUNNING")
      assert.deepEqual(await byHand(world.cloud, drifted.id).rules(), ["443"])
    },
    async "Bring a newer image to everybody"() {
      names.IMAGE = String(await world.cloud.addImage())
      const said = await type("Bring a newer image to everybody")
      assert.match(said[1] ?? "", /promoted +used/)
      const token = String(env.FOOZOL_API_TOKEN)
      await waitUntil(
        "the roll-out is done",
        async () => (await world.api(token, "GET", "/roll-out")).body.state === "done",
        240_000,
      )
      for (const desk of [failed, drifted])
        assert.equal(String((await desk.machines())[0]?.madeFrom), names.IMAGE, said.join("\n"))
    },
    async "Deploy a newer service"() {
      const commands = PARTS.get("Deploy a newer service") ?? []
      assert.match(commands[0] ?? "", /drain --wait/)
      PARTS.set("Deploy a newer service", commands.slice(0, 1))
      await type("Deploy a newer service")
      await service.stop()
      service = await startServiceProcess(world.url, world.env)
      PARTS.set("Deploy a newer service", commands.slice(1))
      const [, status = ""] = await type("Deploy a newer service")
      assert.match(status, /takes operations/)
      assert.equal((await failed.does("stop")).state, "succeeded")
    },
    async "Back the service up"() {
      const [made = "", read = ""] = await type("Back the service up")
      for (const said of [made, read]) assert.match(said, /whole; 2 workspaces/)
    },
    async "Move to a new host"() {
      await service.stop()
      const elsewhere = {
        FOOZOL_REDIS_URL: empty.url,
        FOOZOL_BACKEND_URL: pathToFileURL(join(host.path, "state")).href,
        FOOZOL_USAGE_DIRECTORY: join(host.path, "usage"),
        FOOZOL_AUDIT_DIRECTORY: join(host.path, "audit"),
        FOOZOL_ENGINE_DIRECTORY: join(host.path, "engine"),
      }
      env = { ...env, ...elsewhere }
      const commands = PARTS.get("Move to a new host") ?? []
      const ofRestore = commands.filter(line => line.includes("service restore")).length
      PARTS.set("Move to a new host", commands.slice(0, ofRestore))
      const [dry = "", restored = ""] = await type("Move to a new host")
      assert.match(dry, /nothing was changed/)
      assert.match(restored, /Restored\. Start the service/)
      service = await startServiceProcess(world.url, { ...world.env, ...elsewhere })
      PARTS.set("Move to a new host", commands.slice(ofRestore))
      const [list = "", audit = ""] = await type("Move to a new host")
      for (const { id } of [failed, drifted]) assert.match(list, new RegExp(id))
      assert.match(audit, /\S/)
      const redis = new Redis(empty.url)
      const isSettled = async () => (await redis.hexists("fz:restored", "settled")) === 1
      await waitUntil("the first sweep has settled what was restored", isSettled, 180_000).finally(() =>
        redis.disconnect(),
      )
      assert.equal((await failed.does("start")).state, "succeeded")
    },
  }

  it("the page has these parts, each with commands", () => {
    assert.deepEqual([...PARTS.keys()], Object.keys(DAY))
    for (const [title, commands] of PARTS) assert.ok(commands.length > 0, title)
  })
  for (const [title, part] of Object.entries(DAY)) it(title, part)
})
