import assert from "node:assert/strict"
import { mkdir, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Redis } from "ioredis"
import { freePort } from "../../cli/redis-process.ts"
import { LOCKS } from "../../infra/state-backend.ts"
import { fires, readAlerts, readRunbooks } from "../support/alerts.ts"
import { byHand } from "../support/by-hand.ts"
import { foozolCloud } from "../support/command-line.ts"
import { FINE } from "../support/reporting-machines.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** No process of this host has such a number (`pid_max` is 4194304 at most). */
const NO_PROCESS = 4_194_305

/**
 * Each alert is brought about, so that its own expression holds; then what its page says is typed as it stands there,
 * and the expression holds no longer. Alerts that ask for a rate over minutes have no commands.
 */
describe("runbooks, followed", function () {
  this.timeout(300_000)
  const alerts = readAlerts()
  const pages = readRunbooks()
  const typed = new Set<string>()
  let test: TestService
  let at: string
  let env: Record<string, string>
  let operator: string
  let ahead = 0
  const desks = new Map<string, WorkspaceLife>()
  let certificate: (workspace: string) => object | null = () => null

  before(async () => {
    at = `127.0.0.1:${await freePort(0)}`
    test = await startTestService(
      {
        ...{ FOOZOL_OPERATORS: "root", FOOZOL_METRICS_LISTEN: at, FOOZOL_QUOTA_TOTAL: "9" },
        ...{ FOOZOL_PROJECT_WORKSPACES: "3", FOOZOL_WARM: "hetzner/fsn1/small/desktop=1" },
        // Less than one costs.
        FOOZOL_WARM_MONTHLY: "1",
        ...{ FOOZOL_ACME_DIRECTORY: "https://acme.example/directory", FOOZOL_ACME_WEEK: "3" },
        ...{ FOOZOL_BACKUPS: "true", FOOZOL_STATE_BACKUP_DIRECTORY: "/dev/null/backups" },
      },
      { ahead: () => ahead },
    )
    test.machines.setCertificate(workspace => certificate(workspace))
    operator = await test.token(await test.signIn("root"), "operate")
    const settings = Object.entries(test.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    env = { ...Object.fromEntries(settings), FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: operator }
    // The service's own one cannot be made.
    env.FOOZOL_STATE_BACKUP_DIRECTORY = join(test.directory, "state-backups")
    const token = await test.token(await test.signIn("ada"))
    for (const name of ["One", "Two", "Three"]) desks.set(name, await newWorkspace(test, token, { name }))
  })
  after(() => test?.close())

  const state = async (alert: string) => {
    const metrics = await (await fetch(`http://${at}/metrics`)).text()
    return fires(alerts.get(alert) ?? assert.fail(`there is no alert ${alert}`), metrics)
  }
  const alarmed = (alert: string) => waitUntil(`${alert} is raised`, () => state(alert), 120_000)
  const calm = (alert: string) => waitUntil(`${alert} is over`, async () => !(await state(alert)), 120_000)

  /** Types a command of an alert's page as it stands there, but for the names in capitals. @returns what was said */
  async function type(
    alert: string,
    command: string,
    names: Record<string, string> = {},
    { code = 0, more = [] as string[] } = {},
  ): Promise<string> {
    assert.ok(pages.get(alert)?.includes(command), `the page of ${alert} has \`foozol-cloud ${command}\``)
    typed.add(`${alert}: ${command}`)
    const words = command.split(" ").map(word => names[word] ?? word)
    const done = await foozolCloud([...words, ...more], env)
    assert.equal(done.code, code, `${command}: ${done.stderr}${done.stdout}`)
    return `${done.stdout}${done.stderr}`
  }
  const desk = (name: string) => desks.get(name) ?? assert.fail(`there is no workspace ${name}`)

  it("FoozolDown", async () => {
    assert.match(await type("FoozolDown", "service settings"), /FOOZOL_LISTEN/)
    // What this machine lacks is told, and is no failure of the command.
    assert.match((await foozolCloud(["doctor"], env)).stdout, /pulumi|Pulumi/)
    typed.add("FoozolDown: doctor")
  })

  it("FoozolOperationsWait: a lock of a run that nobody knows", async () => {
    const workspace = desk("One").id
    const folder = join(fileURLToPath(String(test.env.FOOZOL_BACKEND_URL)), LOCKS, workspace)
    await mkdir(folder, { recursive: true })
    const lock = { pid: NO_PROCESS, username: "root", hostname: hostname(), timestamp: new Date().toISOString() }
    await writeFile(join(folder, "gone.json"), JSON.stringify(lock))
    assert.match(await type("FoozolOperationsWait", "stack list"), new RegExp(workspace))
    await type("FoozolOperationsWait", "stack unlock WORKSPACE", { WORKSPACE: workspace })
    assert.equal((await desk("One").does("stop")).state, "succeeded")
  })

  it("FoozolWorkspacesFailed", async () => {
    const alert = "FoozolWorkspacesFailed"
    const refused = { kind: "status", status: 403, code: "forbidden", message: "the token may not do that" } as const
    await test.cloud.addFault({ match: { path: "poweron$" }, fault: refused })
    assert.equal((await desk("One").does("start")).state, "failed")
    await alarmed(alert)
    await test.cloud.clearFaults()
    const names = { WORKSPACE: desk("One").id }
    assert.match(await type(alert, "stack show WORKSPACE", names), /^failure +provider-unauthorized/m)
    await type(alert, "stack refresh WORKSPACE", names)
    assert.match(await type(alert, "stack recover WORKSPACE", names), /nothing to mend/)
    const owner = await test.token(await test.signIn("ada"))
    const again = await test.api(owner, "POST", `/operations/${(await desk("One").shown()).operation}/retry`)
    assert.equal((await test.finished(owner, again.body.operation.id)).state, "succeeded")
    await calm(alert)
  })

  it("FoozolRestoreUnproven", async () => {
    const alert = "FoozolRestoreUnproven"
    test.machines.setProof(() => null)
    assert.equal((await desk("One").does("backups", {})).state, "succeeded")
    await alarmed(alert)
    assert.match(await type(alert, "backup list", {}), /\S/)
    test.machines.setProof(() => FINE)
    await test.service.services.lookAfterBackups(new AbortController().signal)
    await calm(alert)
  })

  it("FoozolDrift", async () => {
    const alert = "FoozolDrift"
    const names = { WORKSPACE: desk("Two").id }
    const look = () => test.api(operator, "POST", `/workspaces/${desk("Two").id}/drift`)
    await byHand(test.cloud, desk("Two").id).addRule("22")
    await look()
    await alarmed(alert)
    assert.match(await type(alert, "stack drift"), new RegExp(desk("Two").id))
    assert.match(await type(alert, "stack drift WORKSPACE", names), /A firewall rule was added by hand: TCP 22/)
    await type(alert, "stack repair WORKSPACE", names)
    await calm(alert)
    await byHand(test.cloud, desk("Two").id).addRule("22")
    const { body } = await look()
    await alarmed(alert)
    const accepted = { ...names, ID: body.differences[0].id, TEXT: "ours" }
    await type(alert, "stack accept WORKSPACE --difference ID --reason TEXT", accepted)
    await calm(alert)
  })

  it("FoozolProviderStormy", async () => {
    const alert = "FoozolProviderStormy"
    for (let i = 0; i < 1_000; i++) test.service.services.weather.hear({ isFault: true, budget: null })
    await alarmed(alert)
    assert.match(await type(alert, "sizes"), /small|cx/)
    // A minute later nothing of it counts.
    ahead += 70_000
    await calm(alert)
  })

  it("FoozolMachinesUnheard", async () => {
    const alert = "FoozolMachinesUnheard"
    test.machines.setSilent(true)
    // What they have said so far is of a minute ago.
    ahead += 61_000
    await alarmed(alert)
    assert.match(await type(alert, "stack show WORKSPACE", { WORKSPACE: desk("Two").id }), /running/)
    test.machines.setSilent(false)
    await calm(alert)
  })

  it("FoozolRedisUnsafe", async () => {
    const alert = "FoozolRedisUnsafe"
    const redis = new Redis(String(test.env.FOOZOL_REDIS_URL))
    await redis.config("SET", "maxmemory-policy", "allkeys-lru")
    await alarmed(alert)
    const said = await type(alert, "service check", {}, { code: 1 })
    const [, name = "", value = ""] = /set (maxmemory-policy) to (noeviction)/.exec(said) ?? assert.fail(said)
    assert.match(await type(alert, "service backup --to FILE", { FILE: join(test.directory, "meanwhile") }), /whole; 3/)
    await redis.config("SET", name, value)
    redis.disconnect()
    await calm(alert)
    // Of files that this test's process has made it complains still.
    assert.match(await type(alert, "service check", {}, { code: 1 }), /^redis +ok/m)
  })

  it("FoozolRoomLow and FoozolNoRoom", async () => {
    await alarmed("FoozolRoomLow")
    await alarmed("FoozolNoRoom")
    const build = "image build --profile browser --provider hetzner --project NAME --from YOUR-IPV4-ADDRESS"
    const names = { NAME: "main", "YOUR-IPV4-ADDRESS": "192.0.2.7" }
    // This cloud has nothing that a builder could start from; the provider has.
    const said = await type("FoozolRoomLow", build, names, { code: 1, more: ["--dry-run"] })
    assert.match(said, /has no image "ubuntu-24\.04", which a builder starts from/)
  })

  it("FoozolSparesLacking", async () => {
    await alarmed("FoozolSparesLacking")
    assert.match(await type("FoozolSparesLacking", "spares"), /desktop/)
  })

  it("certificates", async () => {
    const own = { state: "self-signed", issuer: "workspace", asking: false, nextAt: null, problem: null }
    const issued = { ...own, state: "issued", issuer: "A CA", authority: "https://acme.example/directory" }
    const of = (what: object, fromDays: number, toDays: number) => ({
      ...{ ...what, issuedAt: new Date(Date.now() + fromDays * DAY).toISOString() },
      expiresAt: new Date(Date.now() + toDays * DAY).toISOString(),
    })
    const WORKSPACE = desk("Two").id
    certificate = () => of(issued, -1, 89)
    await alarmed("FoozolCertificateBudgetLow")
    assert.match(await type("FoozolCertificateBudgetLow", "certificates"), /acme\.example/)

    const problem = { kind: "connection", reason: "nobody answers", failures: 3, authority: issued.authority }
    certificate = workspace => (workspace === WORKSPACE ? of({ ...issued, problem }, -82, 8) : of(issued, -1, 89))
    await alarmed("FoozolCertificateOld")
    await alarmed("FoozolCertificatesFailing")
    assert.match(await type("FoozolCertificateOld", "certificates"), new RegExp(`${WORKSPACE}.*nobody answers`))
    await type("FoozolCertificateOld", "stack drift WORKSPACE", { WORKSPACE })
    const troubled = await type("FoozolCertificatesFailing", "certificates --troubled")
    assert.ok(troubled.includes(WORKSPACE) && !troubled.includes(desk("Three").id), troubled)
    certificate = workspace => (workspace === WORKSPACE ? of(issued, -89, 1) : of(issued, -1, 89))
    await alarmed("FoozolCertificateEnds")
    certificate = () => of(issued, -1, 89)
    for (const alert of ["FoozolCertificateEnds", "FoozolCertificateOld", "FoozolCertificatesFailing"])
      await calm(alert)
  })

  it("FoozolStateBackupOld", async () => {
    const alert = "FoozolStateBackupOld"
    ahead += 50 * HOUR
    await alarmed(alert)
    assert.match(test.logged(), /what the service has stored could not be backed up/)
    const directory = String(env.FOOZOL_STATE_BACKUP_DIRECTORY)
    const made = await type(alert, "service backup")
    const [FILE = ""] = new RegExp(`${directory}/[^\\s:]+`).exec(made) ?? assert.fail(made)
    assert.match(await type(alert, "service backup verify FILE", { FILE }), /whole; 3/)
    // The service is told of a folder that can be made. Its clock was set forward; that of the command was not.
    test.env.FOOZOL_STATE_BACKUP_DIRECTORY = directory
    ahead = 0
    await test.restart()
    await calm(alert)
  })

  it("every command of every page was typed", () => {
    const all = [...pages].flatMap(([alert, commands]) => commands.map(command => `${alert}: ${command}`))
    assert.ok(all.length > 15)
    assert.deepEqual([...typed].sort(), [...new Set(all)].sort())
  })
})
