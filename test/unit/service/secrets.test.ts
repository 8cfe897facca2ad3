import assert from "node:assert/strict"
import { Redis } from "ioredis"
import { createKeys } from "../../../service/keys.ts"
import { FirstSecrets, ProxyUrl, SecretName, SecretValue, StoredName } from "../../../service/secrets/rules.ts"
import { createSecrets } from "../../../service/secrets/secrets.ts"
import { startTestRedis, type TestRedis } from "../../support/redis.ts"

describe("secrets: what may be one", () => {
  it("names are those of environment variables", () => {
    for (const name of ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "a", "_x", "A1", "A".repeat(100)]) {
      assert.equal(SecretName.safeParse(name).success, true, name)
    }
    const odd = ["", "1A", "A-B", "A B", "A=B", "A\n", "\nA", "Ä", "A.B", ".proxy", "A".repeat(101), "__proto__\n"]
    for (const name of odd) assert.equal(SecretName.safeParse(name).success, false, name)
  })

  it("but none that programs, shells or the machine itself go by, however it is written", () => {
    const needed = [
      ...["PATH", "LD_PRELOAD", "LD_", "GCONV_PATH", "NODE_OPTIONS", "PYTHONPATH", "PERL5LIB", "PERLLIB", "RUBYOPT"],
      ...[
        "ENV",
        "BASH",
        "BASH_ENV",
        "BASHOPTS",
        "IFS",
        "PS1",
        "PROMPT_COMMAND",
        "SHELLOPTS",
        "UID",
        "EUID",
        "PPID",
        "_",
      ],
      ...["HOME", "USER", "SHELL", "PWD", "TERM", "TMUX", "TMUX_PANE", "DISPLAY", "XDG_RUNTIME_DIR", "LC_ALL"],
      ...["DBUS_SESSION_BUS_ADDRESS", "NOTIFY_SOCKET", "SESSION_ID", "FOOZOL_GIVEN", "GIT_CONFIG_GLOBAL"],
    ]
    for (const name of [...needed, ...needed.map(one => one.toLowerCase())]) {
      const { error } = SecretName.safeParse(name)
      assert.match(error?.issues[0]?.message ?? "", /the machine itself needs/, name)
      assert.equal(StoredName.safeParse(name).success, true, "what was stored before can be removed")
    }
    for (const name of [
      "PATHS",
      "MY_PATH",
      "MY_HOME",
      "USERS",
      "ENVIRONMENT",
      "GIT_TOKEN",
      "TERMINUS_KEY",
      "__",
      "P_S1",
    ]) {
      assert.equal(SecretName.safeParse(name).success, true, name)
    }
  })

  it("values are text of 32 KiB at most, of several lines too", () => {
    const most = "v".repeat(32_768)
    for (const value of ["x", " ", "a b", "ü😀", "'\"$`\\", "a\tb\nc\n", most, "ü".repeat(16_384)]) {
      assert.equal(SecretValue.safeParse(value).success, true)
    }
    const wrong = ["", "a\0b", "a\rb", "\u001b[0m", "\u007f", "\ud800", `${most}v`, `${"ü".repeat(16_384)}v`]
    for (const value of wrong) {
      const { error } = SecretValue.safeParse(value)
      assert.match(error?.issues[0]?.message ?? "", /^must /, JSON.stringify(value).slice(0, 20))
    }
  })

  it("a proxy's address comes out as one word, whatever came in", () => {
    const good = "http://user:p%2Fss@proxy.example:3128"
    assert.equal(ProxyUrl.parse(good), good)
    assert.equal(ProxyUrl.safeParse("socks5://proxy.example:1080").success, true)
    const odd = [
      "http://a b@c",
      'http://a"b@c',
      "http://a'b@c",
      "http://a\\b@c",
      // What the machine's proxy could not be told of would keep all secrets from the machine.
      "http://u:p%40ss@c",
      "http://u%3A:p@c",
      "http://u:%ff@c",
      "http://[::1]:3128",
      "http:c",
      "https://c",
      "ftp://c",
      "c:3128",
      "",
    ]
    for (const address of odd) assert.equal(ProxyUrl.safeParse(address).success, false, address)
    for (const address of ["http://c:1\nAllow all", "http://c:1/\r\nx", "http://\tc:1", " http://c:1 "]) {
      const parsed = ProxyUrl.safeParse(address)
      if (parsed.success) assert.doesNotMatch(parsed.data, /\s/)
    }
  })
})

describe("secrets: how they are kept", () => {
  let store: TestRedis
  let redis: Redis

  before(async () => {
    store = await startTestRedis()
    redis = new Redis(store.url)
  })
  after(async () => {
    redis?.disconnect()
    await store?.close()
  })

  it("come out for the machine alone, the workspace's own over its owner's", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    const user = await newUser("gh-1")
    const workspace = await newWorkspace("w-1")
    await secrets.ofUser(user).put("SHARED", "of the user", 1)
    await secrets.ofUser(user).put("USERS", "of the user", 2)
    await secrets.putForWorkspace("w-1", { proxy: "http://p", secrets: { SHARED: "of the workspace" } }, 3)
    await secrets.ofWorkspace(workspace).put("LATER", "two\nlines", 4)
    assert.deepEqual(await secrets.forMachine("w-1", "gh-1"), {
      proxy: "http://p",
      secrets: { SHARED: "of the workspace", USERS: "of the user", LATER: "two\nlines" },
      unreadable: [],
    })
    assert.deepEqual(await secrets.forMachine("w-2", "gh-2"), { proxy: null, secrets: {}, unreadable: [] })
    assert.deepEqual(await secrets.ofUser(user).list(), [
      { name: "SHARED", updatedAt: 1 },
      { name: "USERS", updatedAt: 2 },
    ])
    assert.deepEqual(await secrets.ofWorkspace(workspace).list(), [
      { name: "LATER", updatedAt: 4 },
      { name: "SHARED", updatedAt: 3 },
    ])
    assert.equal(await secrets.ofWorkspace(workspace).remove("SHARED"), true)
    assert.equal(await secrets.ofWorkspace(workspace).remove(".proxy"), false, "the proxy is no secret")
    assert.deepEqual(await secrets.forMachine("w-1", "gh-1"), {
      proxy: "http://p",
      secrets: { SHARED: "of the user", USERS: "of the user", LATER: "two\nlines" },
      unreadable: [],
    })
  })

  it("cannot be read by moving them to another user's, another name or another service", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    await secrets.ofUser(await newUser("gh-3")).put("MINE", "value", 1)
    const sealed = (await redis.hget("fz:user:gh-3:secrets", "MINE")) as string
    assert.doesNotMatch(sealed, /value/)
    await redis.hset("fz:user:gh-4:secrets", "MINE", sealed)
    const nothing = { proxy: null, secrets: {}, unreadable: ["MINE"] }
    assert.deepEqual(await secrets.forMachine("w-4", "gh-4"), nothing)
    assert.deepEqual(await createSecrets(redis, createKeys("another")).forMachine("w-3", "gh-3"), nothing)
    await redis.hset("fz:user:gh-3:secrets", "OTHER", sealed)
    const { secrets: read, unreadable } = await secrets.forMachine("w-3", "gh-3")
    assert.deepEqual([read, unreadable], [{ MINE: "value" }, ["OTHER"]], "the others are there all the same")
  })

  it("of a workspace that never comes to be go by themselves", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    await secrets.putForWorkspace("w-5", { proxy: null, secrets: { A: "1" } }, 1)
    const left = await redis.ttl("fz:ws:w-5:secrets")
    assert.ok(left > 0 && left <= 3_600)
    await secrets.putForWorkspace("w-6", { proxy: null, secrets: {} }, 1)
    assert.equal(await redis.exists("fz:ws:w-6:secrets"), 0)
  })

  it("what a workspace was made with before times were kept is as old as the workspace", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    await secrets.putForWorkspace("w-8", { proxy: null, secrets: { A: "1" } }, 0)
    assert.deepEqual(await secrets.ofWorkspace({ id: "w-8", createdAt: 77 }).list(), [{ name: "A", updatedAt: 77 }])
  })

  it("are at most 64 in a place, the proxy not counted", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    for (const place of [secrets.ofUser(await newUser("gh-7")), secrets.ofWorkspace(await newWorkspace("w-7"))]) {
      await secrets.putForWorkspace("w-7", { proxy: "http://p", secrets: {} }, 1)
      for (let index = 0; index < 64; index++) await place.put(`KEY_${index}`, "1", 1)
      const refusal = { id: "too-many-secrets", status: 409, message: /^There are 64 secrets here.*remove one first/ }
      await assert.rejects(place.put("ONE_MORE", "1", 1), refusal)
      await place.put("KEY_1", "2", 2)
      assert.equal(await place.remove("KEY_2"), true)
      assert.equal(await place.remove("KEY_2"), false)
      await place.put("ONE_MORE", "1", 1)
    }
  })

  it("have at most 128 KiB in a place: a program must be able to start with them", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    const place = secrets.ofUser(await newUser("gh-8"))
    const most = "v".repeat(32_768)
    for (const name of ["A", "B", "C", "D"]) await place.put(name, most, 1)
    await assert.rejects(place.put("E", "five", 1), { id: "secrets-too-large", status: 409 })
    await place.put("D", most.slice(10), 2)
    await place.put("E", "five", 2)
    const all = (length: number) => Object.fromEntries(["A", "B", "C", "D", "E"].map(one => [one, "v".repeat(length)]))
    assert.equal(FirstSecrets.safeParse(all(26_214)).success, true)
    assert.equal(FirstSecrets.safeParse(all(26_215)).success, false)
  })

  it("are not stored for who is gone or going", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    const gone = { id: "not-found", status: 404 }
    await assert.rejects(secrets.ofUser("gh-9").put("A", "1", 1), gone)
    await assert.rejects(secrets.ofWorkspace({ id: "w-9", createdAt: 1 }).put("A", "1", 1), gone)
    await redis.hset(`fz:user:${await newUser("gh-9")}`, "ending", "{}")
    await assert.rejects(secrets.ofUser("gh-9").put("A", "1", 1), gone)
    for (const state of ["TERMINATING", "TERMINATED"]) {
      await assert.rejects(secrets.ofWorkspace(await newWorkspace("w-9", state)).put("A", "1", 1), gone)
    }
    assert.deepEqual(await redis.keys("fz:*9:secrets"), [])
  })

  async function newUser(id: string) {
    await redis.hset(`fz:user:${id}`, "login", id)
    return id
  }
  async function newWorkspace(id: string, state = "RUNNING") {
    await redis.hset(`fz:ws:${id}`, "state", state)
    return { id, createdAt: 1 }
  }
})
