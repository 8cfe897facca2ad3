import assert from "node:assert/strict"
import type { EngineEvent } from "../../infra/engine-events.ts"
import { byHand } from "../support/by-hand.ts"
import { startTestEngine, type TestEngine } from "../support/test-engine.ts"
import { testSecrets as secrets, testSpec } from "../support/workspace.ts"

const NAME = "blue-otter"

/** A run that died after the provider had removed something and before that was recorded leaves such states. */
describe("engine: a workspace is destroyed of which something is gone already", () => {
  let test: TestEngine
  before(async () => {
    test = await startTestEngine()
  })
  after(() => test?.close())

  const hand = () => byHand(test.cloud, NAME)
  const GONE: Record<string, () => Promise<unknown>> = {
    // The provider's plugin crashes when it deletes a firewall that is not there.
    "its firewall": () => hand().removeFirewall(),
    "its machine": () => hand().removeMachine(),
    "a record": () => hand().removeRecord("A"),
    "machine, firewall and both records": async () => {
      await hand().removeMachine()
      await hand().removeRecord("A")
      await hand().removeRecord("AAAA")
      const { firewalls } = await test.cloud.api<{ firewalls: { id: number }[] }>("GET", "/firewalls")
      for (const { id } of firewalls) await test.cloud.api("DELETE", `/firewalls/${id}`)
    },
  }
  for (const [what, remove] of Object.entries(GONE)) {
    it(what, async () => {
      await test.pool.run(test.config, { action: "apply", spec: testSpec({ image: test.cloud.imageId }), secrets })
      await remove()
      const runs: EngineEvent[] = []
      const onEvent = (event: EngineEvent) => event.type === "process" && runs.push(event)
      await test.pool.run(test.config, { action: "destroy", workspace: NAME }, { onEvent })
      assert.deepEqual(await test.pool.run(test.config, { action: "names" }), [])
      for (const kind of ["servers", "firewalls", "primary_ips"])
        assert.deepEqual((await test.cloud.api<Record<string, unknown[]>>("GET", `/${kind}`))[kind], [])
      assert.ok(runs.length <= 3, `${runs.length} engine runs`)
    })
  }
})
