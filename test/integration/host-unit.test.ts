import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { HOST, hostUnit } from "../../cli/host-unit.ts"
import { which } from "../../tools/setup/run.ts"
import { foozolCloud } from "../support/command-line.ts"
import { skipTest } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

describe("the local cloud as a systemd unit", () => {
  it("is taken by systemd without a word", async function () {
    if (!(await which("systemd-analyze"))) skipTest(this, "needs systemd-analyze")
    const directory = await temporaryDirectory()
    try {
      const file = join(directory.path, HOST.unit)
      await writeFile(file, hostUnit({ node: process.execPath, kvmGroup: "root", ownAddresses: true }))
      const { stdout, stderr } = await promisify(execFile)("systemd-analyze", ["verify", "--recursive-errors=no", file])
      assert.equal(stdout + stderr, "")
      // The same tool finds what is no setting.
      await writeFile(
        file,
        hostUnit({ node: process.execPath, kvmGroup: null, ownAddresses: false }).replace(
          "KillMode=process",
          "KillMode=nobody",
        ),
      )
      const said = await promisify(execFile)("systemd-analyze", ["verify", "--recursive-errors=no", file]).catch(
        error => error,
      )
      assert.match(said.stderr, /kill mode/i)
    } finally {
      await directory.remove()
    }
  })

  it("leaves machines alone when it ends, and gives nothing but low ports", () => {
    const unit = hostUnit({ node: "/usr/bin/node", kvmGroup: null, ownAddresses: false })
    assert.match(unit, /^KillMode=process$/m)
    assert.match(unit, /^CapabilityBoundingSet=CAP_NET_BIND_SERVICE$/m)
    assert.match(unit, /^User=foozol-host$/m)
    assert.doesNotMatch(unit, /SupplementaryGroups/)
    assert.match(
      hostUnit({ node: "/usr/bin/node", kvmGroup: "kvm", ownAddresses: false }),
      /^SupplementaryGroups=kvm$/m,
    )
  })

  it("may change the network only where machines have addresses of their own", () => {
    const unit = hostUnit({ node: "/usr/bin/node", kvmGroup: null, ownAddresses: true })
    assert.match(unit, /^CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_ADMIN$/m)
    assert.match(unit, /^DeviceAllow=\/dev\/net\/tun rw$/m)
  })

  it("is printed by the command line", async () => {
    const { code, stdout } = await foozolCloud(["local", "install", "--print"], {})
    assert.equal(code, 0)
    assert.match(stdout, /^ExecStart=\/.* --settings \/etc\/foozol\/host\.json /m)
  })
})
