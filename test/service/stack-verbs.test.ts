import assert from "node:assert/strict"
import { byHand, type Hand } from "../support/by-hand.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const RULE = "firewall.rules.in-tcp-22-0.0.0.0-0-0"
const ADDED = "A firewall rule was added by hand: TCP 22 from 0.0.0.0/0, ::/0 (ssh)."

describe("service: operators mend drift at a shell", function () {
  this.timeout(300_000)
  let test: TestService
  let env: Record<string, string>
  let desk: WorkspaceLife
  let other: WorkspaceLife
  let hand: Hand

  before(async () => {
    test = await startTestService({ FOOZOL_OPERATORS: "root" })
    const token = await test.token(await test.signIn("root"), "operate")
    env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: token }
    desk = await newWorkspace(test, await test.token(await test.signIn("ada")))
    other = await newWorkspace(test, await test.token(await test.signIn("bob")))
    hand = byHand(test.cloud, desk.id)
  })
  after(() => test?.close())

  const cli = (command: string, ...words: string[]) => foozolCloud(["stack", ...command.split(" "), ...words], env)
  const json = async (command: string, ...words: string[]) => {
    const { stdout, stderr } = await cli(command, ...words, "--json")
    assert.ok(stdout !== "", stderr)
    return JSON.parse(stdout)
  }

  it("find what differs, see what a repair would do, and repair it", async () => {
    assert.match((await cli("drift")).stdout, /Everything is as it shall be/)
    await hand.addRule("22")
    assert.equal((await cli(`drift ${desk.id}`)).stdout, `${ADDED}  (a repair mends it; ${RULE})\n`)
    assert.match((await cli("drift")).stdout, new RegExp(`${desk.id} .*A firewall rule was added by hand`))
    assert.match((await cli(`drift ${desk.id} --power on`)).stderr, /leave --power out/)
    assert.equal((await cli(`repair ${desk.id} --dry-run`)).stdout, `would mend: ${ADDED}\n`)
    assert.deepEqual((await hand.rules()).sort(), ["22", "443"])
    const done = await cli(`repair ${desk.id}`)
    assert.equal(done.stdout, "repair succeeded\n", done.stderr)
    assert.ok(done.stderr.split("\n").length > 2, "its steps are told")
    assert.deepEqual(await hand.rules(), ["443"])
    const begun = await json(`repair ${desk.id} --no-wait`)
    assert.equal((await test.finished(env.FOOZOL_API_TOKEN as string, begun.operation.id)).state, "succeeded")
  })

  it("all at once, so many at a time, with progress and a table; what fails fails the command", async () => {
    await Promise.all([hand.addRule("22"), byHand(test.cloud, other.id).addRule("23")])
    const dry = await json("repair --all --dry-run")
    assert.deepEqual(
      dry.map((one: { ok: boolean; result: string }) => [one.ok, /would mend: A firewall rule/.test(one.result)]),
      [
        [true, true],
        [true, true],
      ],
    )
    const done = await cli("repair --all --parallel 2")
    assert.equal(done.code, 0, done.stderr)
    assert.match(done.stderr, /^1\/2 {2}\S+ {2}repair succeeded\n2\/2 /)
    assert.match(done.stdout, /all 2 done/)
    assert.deepEqual(await hand.rules(), ["443"])
    const some = await cli(`repair ${desk.id} nobody-at-all`)
    assert.equal(some.code, 1)
    assert.match(some.stdout, /nobody-at-all +FAILED +There is no such workspace[\s\S]*1 of 2 failed/)
  })

  it("say what a repair cannot mend", async () => {
    await desk.does("backups", {})
    await hand.removeMachine()
    const plan = await cli(`repair ${desk.id} --dry-run`)
    assert.match(plan.stdout, /^would leave: The machine/)
    const done = await cli(`repair ${desk.id}`)
    assert.match(done.stdout, /^repair succeeded; left: The machine/, done.stderr)
    const [backup] = await desk.snapshots()
    assert.equal((await desk.does("restore", { backup: String(backup?.id) })).state, "succeeded")
  })

  it("let a difference stay, wherever it is, and no longer", async () => {
    await hand.addRule("22")
    const accept = `accept --all --difference ${RULE}`
    assert.match((await cli(accept)).stderr, /Say with --reason why/)
    assert.match((await cli(`drift ${desk.id}`)).stdout, /A firewall rule was added/)
    assert.equal(
      (await cli(`accept ${desk.id} --difference ${RULE} --reason ssh --dry-run`)).stdout,
      `would accept: ${ADDED}\n`,
    )
    const done = await json(`${accept} --reason`, "support by SSH")
    const told = Object.fromEntries(
      done.map((one: { workspace: string; result: string }) => [one.workspace, one.result]),
    )
    assert.deepEqual(told, { [desk.id]: "accepted", [other.id]: "has none of that" })
    assert.match(
      (await cli(`drift ${desk.id}`)).stdout,
      /shall be\.\naccepted by root on .*: A firewall.*\(support by SSH;/,
    )
    await cli(`repair ${desk.id}`)
    assert.deepEqual((await hand.rules()).sort(), ["22", "443"])
    const named = await cli(`accept ${other.id} --difference ${RULE} --reason x`)
    assert.deepEqual([named.code, /has found no such difference/.test(named.stderr)], [1, true])
    assert.equal((await cli(`accept ${desk.id} --difference ${RULE} --undo`)).stdout, "accepted no longer\n")
    assert.equal((await cli(`repair ${desk.id}`)).stdout, "repair succeeded\n")
    assert.deepEqual(await hand.rules(), ["443"])
  })

  it("read what there is into the stacks", async () => {
    assert.equal((await cli(`refresh ${desk.id} --dry-run`)).stdout, "would refresh\n")
    assert.match((await cli(`refresh ${desk.id}`)).stdout, /^\d same\n$/)
    await hand.addRule("22")
    const [one] = await json(`refresh ${desk.id} ${other.id}`)
    assert.match(one.result, /update/)
    assert.match(
      (await cli(`drift ${desk.id}`)).stdout,
      /A firewall rule was added/,
      "what is read in is no less a difference",
    )
    assert.match((await cli("refresh nobody")).stderr, /no such stack/)
  })

  it("nobody but operators", async () => {
    const token = await test.token(await test.signIn("eve"))
    for (const command of [
      ["drift"],
      ["repair", desk.id],
      ["refresh", desk.id],
      ["accept", desk.id, "--difference", RULE, "--reason", "x"],
    ]) {
      const { code, stderr } = await foozolCloud(["stack", ...command], { ...env, FOOZOL_API_TOKEN: token })
      assert.deepEqual([code, /operator/.test(stderr)], [1, true], stderr)
    }
  })
})
