import assert from "node:assert/strict"
import { Redis } from "ioredis"
import { createKeys } from "../../../service/keys.ts"
import { createSecrets, ProxyUrl, SecretName, SecretValue } from "../../../service/secrets/secrets.ts"
import { startTestRedis, type TestRedis } from "../../support/redis.ts"

describe("secrets: what may be one", () => {
  it("names are those of environment variables, but none that the machine itself needs", () => {
    for (const name of ["ANTHROPIC_API_KEY", "a", "_x", "A1", "PATHS", "MY_PATH", "A".repeat(100)]) {
      assert.equal(SecretName.safeParse(name).success, true, name)
    }
    const needed = [
      "PATH",
      "HOME",
      "USER",
      "SHELL",
      "DISPLAY",
      "LD_PRELOAD",
      "LD_",
      "BASH_ENV",
      "ENV",
      "NODE_OPTIONS",
      "XDG_RUNTIME_DIR",
      "DBUS_SESSION_BUS_ADDRESS",
    ]
    const odd = ["", "1A", "A-B", "A B", "A=B", "A\n", "\nA", "Ä", "A.B", ".proxy", "A".repeat(101), "__proto__\n"]
    for (const name of [...needed, ...odd]) assert.equal(SecretName.safeParse(name).success, false, name)
  })

  it("values are one line that is not empty", () => {
    for (const value of ["x", " ", "a b", "ü😀", "'\"$`\\", "v".repeat(16_384)]) {
      assert.equal(SecretValue.safeParse(value).success, true)
    }
    for (const value of ["", "a\nb", "a\rb", "a\0b", "\n", "v".repeat(16_385)]) {
      assert.equal(SecretValue.safeParse(value).success, false, JSON.stringify(value))
    }
  })

  it("a proxy's address comes out as one word, whatever came in", () => {
    const good = "http://user:p%40ss@proxy.example:3128"
    assert.equal(ProxyUrl.parse(good), good)
    assert.equal(ProxyUrl.safeParse("socks5://proxy.example:1080").success, true)
    const odd = [
      "http://a b@c",
      'http://a"b@c',
      "http://a'b@c",
      "http://a\\b@c",
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
    await secrets.put("gh-1", "SHARED", "of the user", 1)
    await secrets.put("gh-1", "USERS", "of the user", 2)
    await secrets.putForWorkspace("w-1", { proxy: "http://p", secrets: { SHARED: "of the workspace" } })
    assert.deepEqual(await secrets.forMachine("w-1", "gh-1"), {
      proxy: "http://p",
      secrets: { SHARED: "of the workspace", USERS: "of the user" },
    })
    assert.deepEqual(await secrets.forMachine("w-2", "gh-2"), { proxy: null, secrets: {} })
    assert.deepEqual(await secrets.list("gh-1"), [
      { name: "SHARED", updatedAt: 1 },
      { name: "USERS", updatedAt: 2 },
    ])
  })

  it("cannot be read by moving them to another user's, another name or another service", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    await secrets.put("gh-3", "MINE", "value", 1)
    const sealed = (await redis.hget("fz:user:gh-3:secrets", "MINE")) as string
    assert.doesNotMatch(sealed, /value/)
    await redis.hset("fz:user:gh-4:secrets", "MINE", sealed)
    await assert.rejects(secrets.forMachine("w-4", "gh-4"))
    await redis.hset("fz:user:gh-3:secrets", "OTHER", sealed)
    await assert.rejects(secrets.forMachine("w-3", "gh-3"))
    await redis.hdel("fz:user:gh-3:secrets", "OTHER")
    await assert.rejects(createSecrets(redis, createKeys("another")).forMachine("w-3", "gh-3"))
    assert.equal((await secrets.forMachine("w-3", "gh-3")).secrets.MINE, "value")
  })

  it("of a workspace that never comes to be go by themselves", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    await secrets.putForWorkspace("w-5", { proxy: null, secrets: { A: "1" } })
    const left = await redis.ttl("fz:ws:w-5:secrets")
    assert.ok(left > 0 && left <= 3_600)
    await secrets.putForWorkspace("w-6", { proxy: null, secrets: {} })
    assert.equal(await redis.exists("fz:ws:w-6:secrets"), 0)
  })

  it("are at most 100 of a user", async () => {
    const secrets = createSecrets(redis, createKeys("a secret for tests"))
    for (let index = 0; index < 100; index++) await secrets.put("gh-7", `KEY_${index}`, "1", 1)
    await assert.rejects(secrets.put("gh-7", "ONE_MORE", "1", 1), /100 secrets, which is the most/)
    await secrets.put("gh-7", "KEY_1", "2", 2)
    assert.equal(await secrets.remove("gh-7", "KEY_2"), true)
    assert.equal(await secrets.remove("gh-7", "KEY_2"), false)
    await secrets.put("gh-7", "ONE_MORE", "1", 1)
  })
})
