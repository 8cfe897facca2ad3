import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { settingRows } from "../../cli/commands/service.ts"
import { freePort } from "../../cli/redis-process.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { newWorkspace } from "../support/workspace-life.ts"

const file = (name: string) => readFileSync(join(PROJECT_ROOT, "monitoring", name), "utf8")
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(found => found[1] as string)

describe("monitoring: alerts, dashboard and runbooks", () => {
  const alerts = file("alerts.yml")
  const runbooks = file("runbooks.md")
  const panels = (JSON.parse(file("dashboard.json")) as { panels: { id: number; targets: { expr: string }[] }[] })
    .panels
  const names = all(alerts, /- alert: (\w+)/g)
  let test: TestService
  let metrics: string

  before(async () => {
    const at = `127.0.0.1:${await freePort(0)}`
    // No machine of this test speaks of a certificate: its authority is never asked.
    const directory = "https://acme.example/directory"
    // Some kind of spare machine is named, and none may cost anything.
    const named = { FOOZOL_ACME_DIRECTORY: directory, FOOZOL_WARM: "hetzner/fsn1/small/desktop=1" }
    test = await startTestService({ FOOZOL_METRICS_LISTEN: at, ...named })
    const token = await test.token(await test.signIn("ada"))
    await newWorkspace(test, token)
    // The door is asked once, so that its counter is there.
    await fetch(`${test.url}/vnc/authorize`)
    metrics = await (await fetch(`http://${at}/metrics`)).text()
  })
  after(() => test?.close())

  it("ask for nothing that the service does not tell", () => {
    const asked = [...all(alerts, /expr: (.*)/g), ...panels.flatMap(one => one.targets.map(({ expr }) => expr))]
    assert.ok(asked.length > 12)
    for (const name of new Set(asked.flatMap(expr => all(expr, /\b((?:foozol|process)_\w+)/g)))) {
      assert.match(metrics, new RegExp(`^${name}(\\{| )`, "m"), name)
    }
    for (const label of new Set(asked.flatMap(expr => all(expr, /\{(\w+)=/g)))) {
      // Prometheus gives that one to what it scrapes.
      if (label !== "job") assert.match(metrics, new RegExp(`[{,]${label}="`), label)
    }
  })

  it("each alert has its page, and each page its alert", () => {
    assert.deepEqual(all(runbooks, /^## (\w+)$/gm), names)
    assert.deepEqual(
      all(alerts, /runbook: runbooks.md#(\w+)/g),
      names.map(name => name.toLowerCase()),
    )
  })

  // Their commands are typed in runbooks.test.ts.
  it("name settings that there are", () => {
    // Two are the command line's own.
    const settings = new Set([...settingRows().map(({ name }) => name), "FOOZOL_API_URL", "FOOZOL_API_TOKEN"])
    for (const name of all(runbooks, /\b(FOOZOL_[A-Z0-9_]+)/g)) assert.ok(settings.has(name), name)
  })

  it("no two panels of the dashboard are one", () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  })
})
