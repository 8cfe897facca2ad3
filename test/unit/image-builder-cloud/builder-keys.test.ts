import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { builderUserData } from "../../../image-builder/cloud/builder.ts"
import { makeBuilderKeys, makeSshKeyPair } from "../../../image-builder/cloud/builder-keys.ts"
import { run } from "../../../image-builder/run.ts"
import { which } from "../../../tools/setup/run.ts"
import { skipTest } from "../../support/skip.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("builder keys", () => {
  it("are what OpenSSH makes of them itself", async function () {
    if ((await which("ssh-keygen")) === null) skipTest(this, "this system has no ssh-keygen")
    const { path, remove } = await temporaryDirectory("fc-")
    try {
      // The padding depends on nothing but lengths; several, since a key may begin with any byte.
      for (let count = 0; count < 4; count++) {
        const pair = makeSshKeyPair()
        const file = join(path, `key-${count}`)
        await writeFile(file, pair.privateKey, { mode: 0o600 })
        assert.equal((await run(["ssh-keygen", "-y", "-f", file])).trim(), pair.publicKey)
      }
    } finally {
      await remove()
    }
  })

  it("are new ones each time, another on either side", () => {
    const [one, two] = [makeBuilderKeys(), makeBuilderKeys()]
    assert.equal(new Set([one, two].flatMap(({ client, host }) => [client.publicKey, host.publicKey])).size, 4)
  })

  it("reach the builder as the key to let in and as its own", () => {
    const keys = makeBuilderKeys()
    const text = builderUserData(keys)
    assert.ok(text.startsWith("#cloud-config\n"))
    const config = JSON.parse(text.slice(text.indexOf("\n")))
    assert.deepEqual(config.users[0].ssh_authorized_keys, [keys.client.publicKey])
    assert.equal(config.users.length, 1)
    assert.equal(config.ssh_keys.ed25519_private, keys.host.privateKey)
    assert.ok(!text.includes(keys.client.privateKey.split("\n")[2] ?? ""))
    assert.equal(config.ssh_pwauth, false)
  })
})
