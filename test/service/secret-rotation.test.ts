import assert from "node:assert/strict"
import { Redis } from "ioredis"
import { freePort } from "../../cli/redis-process.ts"
import { createKeys } from "../../service/keys.ts"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { createPreferences } from "../../service/notifications/preferences.ts"
import type { Rotation } from "../../service/secrets/rotate.ts"
import { createSecrets } from "../../service/secrets/secrets.ts"
import { createVncTokens } from "../../service/vnc-tokens/vnc-tokens.ts"
import { KEY } from "../../service/workspaces/store.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestWorld, type TestWorld } from "../support/service.ts"
import { type ServiceProcess, startServiceProcess } from "../support/service-process.ts"
import type { Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const OLD = "the secret until now, long enough to be one"
const NEW = "another secret, also long enough to be one"

describe("service: its secret is changed while it runs", () => {
  let world: TestWorld
  let redis: Redis
  /** Two processes: the first is the one that browsers and machines reach. */
  const processes: ServiceProcess[] = []
  let visitor: Visitor
  let token: string
  let desk: WorkspaceLife
  let asleep: WorkspaceLife
  let other: { url: string; listen: string }

  const settings = (at: number, secrets: Record<string, string>): NodeJS.ProcessEnv => ({
    ...world.env,
    ...secrets,
    ...(at === 0 ? {} : { FOOZOL_LISTEN: other.listen }),
  })
  const start = async (at: number, secrets: Record<string, string>) => {
    await processes[at]?.stop()
    processes[at] = await startServiceProcess(at === 0 ? world.url : other.url, settings(at, secrets))
  }
  const rotate = (secrets: Record<string, string>, ...args: string[]) =>
    foozolCloud(
      args[0] === "-state" ? ["secrets", "rotate-state", ...args.slice(1)] : ["secrets", "rotate", ...args],
      settings(0, secrets) as Record<string, string>,
    )
  /** What a machine is answered that shows this key and a token that is none: 401 too, so it reports instead. */
  const reports = async (key: string, url = world.url) => {
    const report = { bootId: "b", ready: true, checks: [], versions: {}, signals: {} }
    const answer = await fetch(`${url}/machine/report`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(report),
    })
    return answer.status
  }
  const keyBy = (secret: string, id: string) => workspaceKey(createKeys(secret), id)

  before(async () => {
    world = await startTestWorld({ FOOZOL_SECRET: OLD, FOOZOL_QUOTA_TOTAL: "10" })
    redis = new Redis(world.redis.url)
    const port = await freePort(0)
    other = { url: `http://127.0.0.1:${port}`, listen: `127.0.0.1:${port}` }
    await Promise.all([start(0, {}), start(1, {})])
    visitor = await world.signIn("ada")
    token = await world.token(visitor)
    desk = await newWorkspace(world, token, { secrets: { DEPLOY_KEY: "of the workspace" } })
    asleep = await newWorkspace(world, token, { name: "Asleep" })
    assert.equal((await asleep.does("stop?mode=hibernate")).state, "succeeded")
    assert.equal((await world.api(token, "PUT", "/secrets/ANTHROPIC_API_KEY", { value: "of the user" })).status, 204)
    await createPreferences(redis, createKeys(OLD)).setWebhook("gh-1", "https://example.com/hook", "signs")
  })
  after(async () => {
    for (const one of processes) await one.stop()
    redis?.disconnect()
    await world?.close()
  })

  it("refuses where a process would not know it, and changes nothing", async () => {
    const { code, stderr } = await rotate({ FOOZOL_SECRET: NEW, FOOZOL_SECRET_PREVIOUS: OLD })
    assert.equal(code, 1)
    assert.match(stderr, /do not know the new FOOZOL_SECRET: \d+ on .*, \d+ on .*nothing was changed/)
    assert.equal(await redis.hget("fz:secret", "rotatedAt"), null)
  })

  it("refuses a process that knows only another secret", async () => {
    const env = settings(1, { FOOZOL_SECRET: NEW }) as Record<string, string>
    const { code, stderr } = await foozolCloud(["service", "run"], env)
    assert.equal(code, 1)
    assert.match(stderr, /made with another FOOZOL_SECRET: set that one/)
  })

  it("goes on in between: of two processes one knows it already", async () => {
    await start(1, { FOOZOL_SECRET: NEW, FOOZOL_SECRET_PREVIOUS: OLD })
    // What the one makes, the other reads: made with the one that is in use.
    const answer = await fetch(`${other.url}/api/v1/secrets/FROM_THE_NEW`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ value: "in between" }),
    })
    assert.equal(answer.status, 204)
    const { secrets } = await createSecrets(redis, createKeys(OLD)).forMachine(desk.id, (await owner()) as string)
    assert.equal(secrets.FROM_THE_NEW, "in between")
    for (const url of [world.url, other.url]) assert.equal(await reports(keyBy(OLD, desk.id), url), 204)
    await start(0, { FOOZOL_SECRET: NEW, FOOZOL_SECRET_PREVIOUS: OLD })
  })

  it("says before what it would do", async () => {
    const { code, stdout } = await rotate({ FOOZOL_SECRET: NEW, FOOZOL_SECRET_PREVIOUS: OLD }, "--dry-run", "--json")
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), {
      processes: 2,
      resealed: 4,
      unreadable: 0,
      noted: 2,
      machines: 0,
    } satisfies Rotation)
    assert.equal(await redis.hget("fz:secret", "rotatedAt"), null)
  })

  it("seals anew, notes the keys of machines, and then the earlier one can go", async () => {
    const both = { FOOZOL_SECRET: NEW, FOOZOL_SECRET_PREVIOUS: OLD }
    const { code, stdout, stderr } = await rotate(both)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /sealed anew: 4; keys of machines noted: 2/)
    assert.match(stdout, /can be removed from FOOZOL_SECRET_PREVIOUS/)
    assert.match(stdout, /1 machine has a key of an earlier secret/)
    assert.deepEqual(JSON.parse((await rotate(both, "--json")).stdout), {
      ...{ processes: 2, resealed: 0, unreadable: 0, noted: 0, machines: 1 },
    })
    await start(0, { FOOZOL_SECRET: NEW })
    await start(1, { FOOZOL_SECRET: NEW })

    assert.equal((await world.api(visitor, "GET", "/workspaces")).status, 200, "the login goes on")
    assert.equal((await world.api(token, "GET", "/workspaces")).status, 200, "so does the token")
    const { secrets } = await createSecrets(redis, createKeys(NEW)).forMachine(desk.id, (await owner()) as string)
    assert.deepEqual(secrets, {
      ANTHROPIC_API_KEY: "of the user",
      FROM_THE_NEW: "in between",
      DEPLOY_KEY: "of the workspace",
    })
    assert.equal((await createPreferences(redis, createKeys(NEW)).webhook("gh-1"))?.secret, "signs")
  })

  it("admits the machine that was made before, and nobody else with the earlier secret", async () => {
    assert.equal(await reports(keyBy(OLD, desk.id)), 204)
    assert.equal(await reports(keyBy(OLD, "calm-otter-4f7k2d")), 401)
    const made = await newWorkspace(world, token, { name: "New" })
    assert.equal(await reports(keyBy(OLD, made.id)), 401)
    assert.equal(await reports(keyBy(NEW, made.id)), 204)
    // The desktop of the machine from before is opened as ever.
    const [login = ""] = (await redis.keys("fz:login:*")).map(key => key.slice("fz:login:".length))
    const admitted = async (key: string) => {
      const ticket = await createVncTokens(redis, 3_600_000).issueTicket(desk.id, login)
      const headers = { authorization: `Bearer ${key}`, "x-foozol-ticket": ticket }
      return (await fetch(`${world.url}/vnc/authorize`, { headers })).status
    }
    assert.equal(await admitted(keyBy(OLD, desk.id)), 204)
    assert.equal(await admitted(keyBy(OLD, "calm-otter-4f7k2d")), 401)
    assert.equal(await admitted(keyBy("a secret that never was one, at all", desk.id)), 401)
  })

  it("forgets the earlier key once a machine has a new one", async () => {
    assert.ok(await redis.hget(KEY.workspace(asleep.id), "heldKeys"))
    assert.equal((await asleep.does("start")).state, "succeeded")
    await waitUntil(
      "its new machine has reported",
      async () => !(await redis.hexists(KEY.workspace(asleep.id), "heldKeys")),
    )
    assert.equal(await reports(keyBy(OLD, asleep.id)), 401)
  })

  it("the passphrase of the stacks too, once every process knows both", async () => {
    const previous = String(world.env.FOOZOL_STATE_PASSPHRASE)
    const both = { FOOZOL_STATE_PASSPHRASE: "another passphrase", FOOZOL_STATE_PASSPHRASE_PREVIOUS: previous }
    const rotateState = (...args: string[]) => rotate({ FOOZOL_SECRET: NEW, ...both }, "-state", ...args)
    const refused = await rotateState()
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /do not know both passphrases: \d+ on .*nothing was changed/)
    await start(0, { FOOZOL_SECRET: NEW, ...both })
    await start(1, { FOOZOL_SECRET: NEW, ...both })
    assert.match((await rotateState("--dry-run")).stdout, /^3 stacks to be encrypted anew/)
    const done = await rotateState()
    assert.match(done.stdout, /^3 stacks encrypted anew[\s\S]*can be taken away/, done.stderr)
    const renewed = { FOOZOL_SECRET: NEW, FOOZOL_STATE_PASSPHRASE: both.FOOZOL_STATE_PASSPHRASE }
    await start(0, renewed)
    await start(1, renewed)
    assert.equal((await asleep.does("stop?mode=hibernate")).state, "succeeded")
    assert.equal((await newWorkspace(world, token, { name: "Newest" })).id.length > 0, true)
  })

  async function owner(): Promise<string | undefined> {
    const info = await redis.hget(KEY.workspace(desk.id), "info")
    return (JSON.parse(info ?? "{}") as { owner?: string }).owner
  }
})
