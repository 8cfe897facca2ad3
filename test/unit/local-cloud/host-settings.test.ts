import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { firstHostSettings } from "../../../cli/host-unit.ts"
import { StartError } from "../../../local-cloud/errors.ts"
import { readHostSettings } from "../../../local-cloud/host-settings.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("settings of a host", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  beforeEach(async () => {
    directory = await temporaryDirectory()
  })
  afterEach(() => directory.remove())
  const read = async (text: string) => {
    const file = join(directory.path, "host.json")
    await writeFile(file, text)
    return readHostSettings(file)
  }

  it("are those of the local cloud and where it listens, each with a default", async () => {
    const none = await read("{}")
    assert.deepEqual(none.capacity, { coresPerCore: null, memoryOvercommit: 1, diskGb: null })
    assert.deepEqual([none.listen, none.routes], [{}, {}])
    const listen = { router: "0.0.0.0:443", dns: "[2001:db8::1]:53" }
    const some = await read(JSON.stringify({ listen, routes: { "cloud.example": "127.0.0.1:8444" } }))
    assert.deepEqual(some.listen.router, { address: "0.0.0.0", port: 443 })
    assert.deepEqual(some.listen.dns, { address: "2001:db8::1", port: 53 })
    assert.deepEqual(some.routes, { "cloud.example": { address: "127.0.0.1", port: 8444 } })
  })

  it("are refused in words that name what is wrong", async () => {
    const wrong: [text: string, words: RegExp][] = [
      ["{", /cannot be read/],
      ['{"capcity":{}}', /capcity/],
      ['{"capacity":{"coresPerCore":0}}', /capacity\.coresPerCore/],
      ['{"capacity":{"memoryOvercommit":0.5}}', /capacity\.memoryOvercommit/],
      ['{"listen":{"router":"443"}}', /listen\.router: must be ADDRESS:PORT/],
      ['{"listen":{"dns":"0.0.0.0:70000"}}', /listen\.dns/],
    ]
    for (const [text, words] of wrong)
      await assert.rejects(read(text), (error: Error) => error instanceof StartError && words.test(error.message), text)
    assert.throws(() => readHostSettings(join(directory.path, "none.json")), StartError)
  })

  it("begin with types as they are sold, an overcommit and a quota below what is free", async () => {
    const first = await read(firstHostSettings(500e9))
    assert.deepEqual(first.scale, { memory: 1, cores: 1, disk: 1 })
    assert.deepEqual(first.capacity, { coresPerCore: 4, memoryOvercommit: 1, diskGb: 450 })
  })
})
