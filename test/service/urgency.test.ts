import assert from "node:assert/strict"
import { startTestService, type TestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"
import { newWorkspace } from "../support/workspace-life.ts"

describe("service: what waits for a place at the provider", function () {
  this.timeout(300_000)
  let test: TestService
  beforeEach(async () => {
    test = await startTestService({ FOOZOL_OPERATIONS_PER_PROVIDER: "1", FOOZOL_READY_SECONDS: "60" })
  })
  afterEach(() => test?.close())

  it("is gone through by who waits for it: somebody's desktop comes before backups that were due earlier", async () => {
    const tokens = await Promise.all(["ada", "bob", "eve"].map(async name => test.token(await test.signIn(name))))
    const desks = await Promise.all(tokens.map(token => newWorkspace(test, token)))
    const asleep = desks.pop()
    await asleep?.does("stop")
    // Nobody works while it is asked for, so that all of it waits together.
    test.env.FOOZOL_ROLES = "web"
    await test.restart()
    const asked: string[] = []
    for (const desk of desks) asked.push(await test.service.services.workspaces.backupAs(desk.id))
    asked.push((await asleep?.begins("start")) ?? "")
    test.env.FOOZOL_ROLES = "web,worker"
    await test.restart()
    const begun = await waitUntil("all are over", async () => {
      const all = await Promise.all(asked.map(test.service.services.store.operation))
      return all.every(one => one?.finishedAt) && all.map(one => one?.startedAt ?? 0)
    })
    assert.equal(
      begun.at(-1),
      Math.min(...begun),
      `began ${begun.map(at => at - (begun[0] as number)).join(", ")} ms apart`,
    )
  })
})
