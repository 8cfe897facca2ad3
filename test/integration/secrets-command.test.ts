import assert from "node:assert/strict"
import { foozolCloud } from "../support/command-line.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { newWorkspace } from "../support/workspace-life.ts"

describe("foozol-cloud: secrets of a user through the API", () => {
  let test: TestService
  let env: Record<string, string>
  let id: string
  const cli = (args: string[], input = "") => foozolCloud(["secrets", ...args], env, input)
  const refuses = async (args: string[], sentence: RegExp, input = "") => {
    const { code, stdout, stderr } = await cli(args, input)
    assert.deepEqual([code, stdout], [1, ""])
    assert.match(stderr, sentence)
  }
  const ofMachine = async () => {
    const { store, secrets } = test.service.services
    return (await secrets.forMachine(id, (await store.get(id))?.owner ?? "")).secrets
  }

  before(async () => {
    test = await startTestService()
    env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: await test.token(await test.signIn("ada")) }
    id = (await newWorkspace(test, env.FOOZOL_API_TOKEN as string, { name: "My desk" })).id
  })
  after(() => test?.close())

  it("stores what comes on standard input, for all workspaces or one, and shows it nowhere", async () => {
    const set = await cli(["set", "OPENAI_API_KEY"], "sk-1\n")
    assert.deepEqual([set.code, set.stderr], [0, ""])
    assert.equal(set.stdout, "OPENAI_API_KEY  stored; what is started from now on has it\n")
    const own = await cli(["set", "DEPLOY_KEY", "--workspace", "My desk", "--json"], "line 1\nline 2\n\n")
    assert.deepEqual(JSON.parse(own.stdout), { set: "DEPLOY_KEY" })
    assert.deepEqual(await ofMachine(), { OPENAI_API_KEY: "sk-1", DEPLOY_KEY: "line 1\nline 2\n" })
    const [all, its] = [await cli(["list"]), await cli(["list", "--workspace", id, "--json"])]
    assert.match(all.stdout, /^OPENAI_API_KEY +2.*Z$/m)
    assert.deepEqual(Object.keys(JSON.parse(its.stdout)[0]), ["name", "updatedAt"])
    assert.doesNotMatch(all.stdout + its.stdout, /sk-1|line/)
  })

  it("takes no value as an argument, and none that is empty", async () => {
    await refuses(["set", "A_KEY", "a-value"], /too many arguments/, "x")
    await refuses(["set", "A_KEY"], /Give the value on standard input/)
    await refuses(["set", "LD_PRELOAD"], /a name that the machine itself needs/, "x")
    await refuses(["set", "A_KEY", "--workspace", "nothing"], /You have no workspace "nothing"/, "x")
    assert.equal("A_KEY" in (await ofMachine()), false)
  })

  it("removes them", async () => {
    assert.match((await cli(["remove", "OPENAI_API_KEY"])).stdout, /^OPENAI_API_KEY {2}removed; programs that run keep/)
    assert.deepEqual(JSON.parse((await cli(["remove", "DEPLOY_KEY", "--workspace", id, "--json"])).stdout), {
      removed: "DEPLOY_KEY",
    })
    await refuses(["remove", "OPENAI_API_KEY"], /There is no such secret/)
    assert.deepEqual(await ofMachine(), {})
  })
})
