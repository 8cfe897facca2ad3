import assert from "node:assert/strict"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { cloudSteps, remoteSteps } from "../../../image-builder/cloud/steps.ts"
import { COMMAND_LINES, PROFILES } from "../../../image-builder/definition.ts"
import { readSteps, stepCommand, stepEnvironment } from "../../../image-builder/provision.ts"
import { run } from "../../../image-builder/run.ts"

const imageBuilder = fileURLToPath(new URL("../../../image-builder/", import.meta.url))

describe("cloud image steps", () => {
  describe("#cloudSteps()", () => {
    it("are the local build's own, in its order, and around them what that build does from outside", async () => {
      const names = (await cloudSteps()).map(({ name }) => name)
      const shared = await readSteps(join(imageBuilder, "provision"))
      const own = (await readdir(join(imageBuilder, "cloud", "provision"))).map(file => file.replace(/\.sh$/, ""))
      assert.deepEqual(names, [...own, ...shared.map(({ name }) => name)].sort())
      for (const step of shared)
        assert.ok(
          (await cloudSteps()).some(({ script }) => script === step.script),
          step.name,
        )
      // What must be installed comes before, what checks and closes the builder after.
      assert.deepEqual(
        names.filter(name => own.includes(name)).map(name => (name < (shared[0]?.name ?? "") ? "before" : "after")),
        ["before", "before", "before", "before", "before", "after", "after", "after"],
      )
      assert.equal(names.at(-1), "99-seal")
    })

    it("are scripts that a shell understands", async () => {
      for (const { script } of await cloudSteps()) await run(["sh", "-n"], { input: script })
    })

    it("leave nothing of the builder behind", async () => {
      const seal = (await cloudSteps()).at(-1)?.script ?? ""
      for (const part of [
        "/etc/machine-id",
        "ssh_host_",
        "/.ssh",
        "cloud-init.disabled",
        "userdel",
        "99foozol-builder",
      ])
        assert.ok(seal.includes(part), part)
    })
  })

  describe("#remoteSteps()", () => {
    const step = { name: "10-x", script: "echo $PROFILE\n" }
    const one = (image = "abc") => remoteSteps([step], PROFILES.browser, image, "https://packages.example/")[0]

    it("runs the script by its standard input, as root, with what a local step may ask for", async () => {
      assert.equal(one()?.stdin, step.script)
      assert.match(one()?.command ?? "", /^sudo --non-interactive env -i .* sh -eu -s$/)
      const environment = stepEnvironment(PROFILES.browser, "abc", false)
      const printed = await run(["sh", "-c", (one()?.command ?? "").replace("sudo --non-interactive ", "")], {
        input: "env",
      })
      for (const [name, value] of Object.entries(environment)) assert.ok(printed.includes(`${name}=${value}\n`), name)
      assert.equal(environment.LOCAL, "0")
      assert.ok(printed.includes(`COMMAND_LINES=${COMMAND_LINES.join(" ")}\n`))
      assert.deepEqual(stepCommand({ A: "1" }), ["env", "A=1", "sh", "-eu", "-s"])
    })

    it("names the packages as Ubuntu does", () => {
      const command = one()?.command ?? ""
      assert.ok(command.includes("libgtk-3-0t64") && command.includes(" x11vnc "))
      assert.ok(!/ chromium[ ']/.test(command))
    })

    it("is the same for the same, and another for another image or profile", () => {
      assert.deepEqual(one(), one())
      assert.notDeepEqual(one(), one("def"))
      assert.notDeepEqual(one(), remoteSteps([step], PROFILES.desktop, "abc", "https://packages.example/")[0])
    })
  })
})
