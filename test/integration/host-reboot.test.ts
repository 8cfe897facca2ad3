import assert from "node:assert/strict"
import { shutDownForHost } from "../../local-cloud/after-reboot.ts"
import { machineConfig } from "../../local-cloud/api/server-work.ts"
import { startTestCloud, type TestCloud } from "../support/local-cloud.ts"
import { machineState } from "../support/test-machine.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("a host that reboots, with machines that boot", function () {
  this.timeout(300_000)
  let cloud: TestCloud
  before(async () => {
    cloud = await startTestCloud({ machines: "qemu" })
  })
  after(() => cloud?.close())

  it("shuts its machine down in good order and has it again in the next boot, with its disk", async () => {
    const body = { name: "one", server_type: "cx23", image: cloud.imageId }
    const { server } = await cloud.api<{ server: { id: number } }>("POST", "/servers", body)
    const record = () => cloud.cloud.context.store.get("server", server.id)
    await waitUntil("the server runs", () => record()?.status === "running" && !record()?.locked)
    const state = () => {
      const now = record()
      assert.ok(now)
      return machineState(machineConfig(cloud.cloud.context, now))
    }
    const before = await state()
    assert.equal(await shutDownForHost(cloud.cloud.context, 60_000), 0)
    assert.equal(await cloud.cloud.context.machines.isRunning(server.id), false)
    await cloud.restart("the next boot")
    const after = await state()
    assert.equal(after.boots, 2)
    assert.notEqual(after.bootId, before.bootId)
    await waitUntil("the server is shown as running", () => record()?.status === "running" && !record()?.locked)
  })
})
