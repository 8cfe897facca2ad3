import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { foozolCloud } from "../support/command-line.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const ROOT = join(import.meta.dirname, "..", "..")

/** Runs a program beside this process, which is the service and the cloud that it talks to. */
function run(
  command: string,
  args: string[],
  { env, input = "", cwd = ROOT }: { env: Record<string, string>; input?: string; cwd?: string },
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const { PATH = "", HOME = "" } = process.env
    const child = spawn(command, args, { cwd, env: { PATH, HOME, ...env }, stdio: ["pipe", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", chunk => {
        output += chunk
      })
    }
    child.on("error", reject)
    child.on("close", code => resolve({ code, output }))
    child.stdin.on("error", () => {})
    // A terminal passes its end on as well; what is asked for comes first.
    child.stdin.write(input)
    child.on("close", () => child.stdin.destroy())
    if (input === "") child.stdin.end()
  })
}

describe("foozol-cloud: operators", function () {
  this.timeout(300_000)
  let test: TestService
  let env: Record<string, string>
  let desks: WorkspaceLife[]
  let plain = ""
  const cli = (args: string, more: Record<string, string> = {}) => foozolCloud(args.split(" "), { ...env, ...more })
  const works = async (args: string, more: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await cli(args, more)
    assert.equal(code, 0, `${args}: ${stderr}${stdout}`)
    return stdout
  }
  const json = async (args: string) => JSON.parse(await works(`${args} --json`))
  /** One sentence on standard error, nothing else, and a failure. */
  const refuses = async (args: string, sentence: RegExp, more: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await cli(args, more)
    assert.match(stderr, sentence)
    assert.equal(stderr.trim().split("\n").length, 1, stderr)
    assert.deepEqual([stdout, code], ["", 1])
  }
  const stateOf = async (at: number) => (await desks[at]?.shown())?.state
  /** What a person at a terminal sees who types a line. */
  const typing = (args: string, line: string) => {
    const command = `${process.execPath} --disable-warning=ExperimentalWarning ${join(ROOT, "cli", "main.ts")} ${args}`
    return run("script", ["-qec", command, "/dev/null"], { env, input: `${line}\n` })
  }

  before(async () => {
    test = await startTestService({ FOOZOL_OPERATORS: "root", FOOZOL_READY_SECONDS: "15" })
    const names = ["ada", "bob", "eve"]
    desks = await Promise.all(names.map(async name => newWorkspace(test, await test.token(await test.signIn(name)))))
    env = {
      ...{ FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: await test.token(await test.signIn("root"), "operate") },
      // What works on the backend itself needs, as the service has it.
      ...{ FOOZOL_DATA: test.directory, FOOZOL_BACKEND_URL: test.env.FOOZOL_BACKEND_URL ?? "" },
      ...{ FOOZOL_STATE_PASSPHRASE: test.env.FOOZOL_STATE_PASSPHRASE ?? "" },
      ...{ HCLOUD_TOKEN: test.cloud.token, HCLOUD_ENDPOINT: test.cloud.apiUrl },
    }
  })
  after(async () => {
    await test?.close()
    // Plain Pulumi leaves its settings of a stack beside Pulumi.yaml.
    if (plain !== "") await rm(join(ROOT, `Pulumi.${plain}.yaml`), { force: true })
  })

  it("list and show what everybody has", async () => {
    const id = desks[0]?.id ?? ""
    assert.match(await works("stack list --search ada"), new RegExp(`^workspace.*\n${id} +ada +RUNNING`))
    assert.equal((await json("stack list")).length, 3)
    const shown = await works(`stack show ${id}`)
    assert.match(shown, /^owner +ada \(gh-/m)
    assert.match(shown, /^machine +state.*\n\d+ +running/m)
    assert.equal((await json(`stack show ${id}`)).login, "ada")
    await refuses("stack show nobody", /There is no such workspace/)
    await refuses("stack list", /token may do nothing with what others have/, {
      FOOZOL_API_TOKEN: await test.token(await test.signIn("root"), "write"),
    })
  })

  it("do the same to many at once, say how far it is, and say which failed", async () => {
    await refuses("stack stop", /Name workspaces, or give --all/)
    await refuses("stack stop --state OFF", /no state "OFF"; there are PROVISIONING, /)
    await refuses("stack stop --search nothing-like-it", /No workspace is selected/)
    const dry = await json("stack stop --all --dry-run")
    assert.deepEqual(new Set(dry.map((one: { result: string }) => one.result)), new Set(["would stop"]))
    assert.equal(await stateOf(1), "RUNNING")
    const one = await cli(`stack stop ${desks[0]?.id}`)
    assert.deepEqual([one.code, one.stdout], [0, "stop succeeded\n"])
    assert.match(one.stderr, /Step 2 of 2: Shutting the machine down/)
    const rest = await cli("stack stop --all --parallel 2")
    assert.equal(rest.code, 1)
    assert.match(rest.stderr, /^1\/3 .*\n2\/3 .*\n3\/3 /)
    assert.match(rest.stdout, new RegExp(`${desks[0]?.id} +FAILED +A workspace that is STOPPED.*\n1 of 3 failed\n$`))
    assert.deepEqual([await stateOf(0), await stateOf(1), await stateOf(2)], ["STOPPED", "STOPPED", "STOPPED"])
    assert.match(await works("stack start --state STOPPED --json"), /"ok": true/)
    assert.deepEqual([await stateOf(0), await stateOf(2)], ["RUNNING", "RUNNING"])
  })

  it("destroy nothing unless it was confirmed", async () => {
    const id = desks[2]?.id ?? ""
    await refuses(`stack destroy ${id}`, /This destroys .* add --yes/)
    await refuses("stack destroy --all", /This destroys 3 workspaces .* add --yes/)
    const wrong = await typing(`stack destroy ${id}`, "something-else")
    assert.equal(wrong.code, 1)
    assert.match(wrong.output, /Type ".*" to go on: [\s\S]*so nothing was done/)
    assert.match(await works(`stack destroy ${id} --dry-run`), /would destroy/)
    assert.equal(await stateOf(2), "RUNNING")
    const right = await typing(`stack destroy ${id}`, id)
    assert.match(right.output, /destroy succeeded/)
    assert.deepEqual(await desks[2]?.machines(), [])
  })

  it("mend stacks through the service, and without it", async () => {
    const id = desks[0]?.id ?? ""
    for (const way of ["", " --direct"])
      assert.match(await works(`stack recover ${id} --dry-run${way}`), /agree; there is nothing to mend/)
    assert.match(await works(`stack unlock ${id} --dry-run`), /^nobody holds it: would do nothing/)
    assert.match(await works(`stack recover ${id}`), /there was nothing to mend/)
    assert.match(await works(`stack unlock ${id}`), /done/)
    const state = JSON.parse(await works(`stack export ${id}`))
    assert.equal(
      state.deployment.resources.length,
      JSON.parse(await works(`stack export ${id} --direct`)).deployment.resources.length,
    )
    assert.match(await works(`stack refresh ${id}`), /\d same/)
    assert.match(await works(`stack refresh ${id} --direct`), /\d same/)
    assert.match(await works("stack refresh --all --direct --parallel 2"), /all 2 done/)
    assert.match(await works(`stack destroy ${id} --direct --dry-run`), /would destroy .*machine/)
    await refuses(`stack stop ${id} --direct`, /needs the service/)
    // What was done without the service stands in the same folder.
    const directly = (await works("audit --direct --json"))
      .trim()
      .split("\n")
      .map(line => JSON.parse(line))
    const refreshed = directly.filter(one => one.action === "stack refresh")
    assert.deepEqual([refreshed.length, refreshed[0].as, refreshed[0].ok], [3, "command-line", true])
    const all = await works(`audit --workspace ${id} --since 1h`)
    assert.match(all, /command-line\).* stack refresh +\S+ +ok/)
    assert.match(all, /root \(operator\) +token test +127.0.0.1 +operatorStopWorkspace/)
    assert.match(await works(`audit --workspace ${id} --csv`), /^time,who/)
    await refuses("audit --since yesterday", /"yesterday" is no time/)
  })

  it("verify the audit log", async () => {
    const found = await works("audit verify")
    const [, hash] = /^audit +([0-9a-f]{64})$/m.exec(found) ?? []
    assert.match(found, /^whole: \d+ lines/)
    assert.equal((await json(`audit verify --contains ${hash}`)).contains, true)
    assert.equal((await json(`audit verify --direct --contains ${hash}`)).contains, true)
    const missing = await cli(`audit verify --contains ${"0".repeat(64)}`)
    assert.deepEqual([missing.code, /no line has the hash/.test(missing.stdout)], [1, true])
  })

  it("suspend users, sweep, drain and choose images", async () => {
    await refuses("user suspend bob", /add --yes/)
    assert.match(await works("user suspend BOB --dry-run"), /This ends all access of bob .* stops 1 workspaces/)
    assert.match(await works("user suspend bob --yes --keep-running --why test"), /bob +suspended/)
    assert.match(await works("user list --suspended"), /bob +1 .* suspended: test/)
    assert.match(await works("user resume bob"), /not suspended/)
    await refuses("user resume bob", /not suspended: there is nothing to resume/)
    assert.match(await works("sweep --dry-run"), /\d+ resources at the provider, 0 without a workspace/)
    await refuses("sweep", /add --yes/)
    assert.equal((await json("sweep --yes")).resources.length, 0)
    assert.match(await works("drain --wait --why deploy"), /all drains since .* by root: deploy\n[\s\S]* 0 +drains\n$/)
    assert.match(await works("undrain"), /^worker/)
    await refuses("undrain", /no such draining/)
    assert.match(await works("image used"), /browser +\d+ .* set +used/)
    const other = await test.cloud.addImage()
    await refuses(`image promote ${other}`, /no golden image/)
    await refuses(`image promote ${other} --dry-run`, /no golden image/)
    const dry = await json(`image promote ${other} --profile browser --dry-run`)
    assert.deepEqual([dry.would, dry.image.id, dry.image.used], ["promote", String(other), false])
    assert.match(await works(`image demote ${test.cloud.imageId} --dry-run`), /^would demote image \d+ for the profile/)
    assert.doesNotMatch(await works("image used"), /promoted|demoted/)
    await refuses("image rollout --all", /of the newest image already/)
    assert.match(await works(`image promote ${other} --profile browser`), /promoted +used/)
    assert.match(await works(`image demote ${test.cloud.imageId}`), /demoted/)
  })

  it("roll an image out once it was confirmed", async () => {
    const found = await json("image rollout --all --wave 50% --in-use --dry-run")
    assert.deepEqual([found.would, found.total, found.first.length, found.left], ["roll-out", 2, 1, 0])
    assert.match(
      await works("image rollout --all --dry-run"),
      /^would begin: 2 outdated; 0 in the first wave; 2 in use/,
    )
    await refuses("image rollout --all", /This ends programs in 2 workspaces .* add --yes/)
    await refuses("workspace upgrade --all", /This ends programs in 2 workspaces .* add --yes/)
    const wrong = await typing("image rollout --all", "no")
    assert.match(wrong.output, /Type "2" to go on: [\s\S]*so nothing was done/)
    await refuses("image rollout --status", /no such roll-out/)
    assert.match((await typing("image rollout --all", "2")).output, /running[\s\S]*2 outdated when root began it/)
    await refuses("image rollout --all --dry-run", /A roll-out runs already/)
    assert.match(await works("image rollout --halt --dry-run"), /^would begin no wave after the 0 that have begun/)
    assert.equal((await json("image rollout --status")).state, "running")
    assert.equal((await json("image rollout --halt")).state, "stopped")
    assert.match(await works("image rollout --halt --dry-run"), /^would do nothing: it is stopped/)
    assert.match(await works("image rollout --all --wave 100% --in-use --yes"), /^running\n2 outdated/)
    await works("image rollout --halt")
    await refuses(`workspace upgrade ${desks[0]?.id} --dry-run`, /goes with --all and --halt/)
  })

  it("find the same stacks with plain pulumi in the repository's root", async () => {
    const left = await newWorkspace(test, await test.token(await test.signIn("dan")))
    plain = left.id
    const secrets = {
      PULUMI_CONFIG_PASSPHRASE: env.FOOZOL_STATE_PASSPHRASE ?? "",
      HCLOUD_TOKEN: env.HCLOUD_TOKEN ?? "",
    }
    const settings = await works("stack env")
    const pulumi = async (args: string) => {
      const script = `${settings}\npulumi ${args} --non-interactive`
      const { HCLOUD_ENDPOINT = "" } = env
      const { code, output } = await run("bash", ["-c", script], { env: { HCLOUD_ENDPOINT, ...secrets } })
      assert.equal(code, 0, output)
      return output
    }
    const listed = JSON.parse(await pulumi("stack ls --json")) as { name: string }[]
    assert.ok(listed.some(one => one.name === left.id))
    assert.match(await pulumi(`refresh --yes --stack ${left.id}`), /\d+ unchanged/)
    // What has a machine is protected at the provider; `stack destroy` lifts that, plain Pulumi does not.
    await assert.rejects(pulumi(`destroy --yes --stack ${left.id}`), /delete protected/)
    const [machine] = await left.machines()
    const off = { delete: false, rebuild: false }
    await test.cloud.api("POST", `/servers/${machine?.id}/actions/change_protection`, off)
    assert.match(await pulumi(`destroy --yes --stack ${left.id}`), /\d+ deleted/)
    assert.deepEqual(await left.machines(), [])
  })
})
