import assert from "node:assert/strict"
import type { Build, Stage } from "../../../image-builder/cloud/builder.ts"
import { makeBuilderKeys } from "../../../image-builder/cloud/builder-keys.ts"
import { gcpImageProgram } from "../../../image-builder/cloud/gcp-image.ts"
import { hetznerImageProgram } from "../../../image-builder/cloud/hetzner-image.ts"
import { overSsh } from "../../../image-builder/cloud/over-ssh.ts"
import { cloudSteps, type RemoteStep, remoteSteps } from "../../../image-builder/cloud/steps.ts"
import { PROFILES } from "../../../image-builder/definition.ts"
import type { Program } from "../../../infra/engine.ts"
import { type Registered, runMocked, SECRET } from "../../support/mocked-program.ts"

const HASH = "0123456789abcdef"
const OPERATOR = "203.0.113.7"
const keys = makeBuilderKeys()
const privateLines = [keys.client, keys.host].map(({ privateKey }) => privateKey.split("\n")[2] ?? "")

const programs: Record<string, { program(build: Build): Program; states: Record<string, Record<string, unknown>> }> = {
  hetzner: {
    program: build => hetznerImageProgram(build, { region: "fsn1", size: "cx23" }),
    // The provider numbers everything.
    states: { "hcloud:index/server:Server": { ipv4Address: "198.51.100.4" } },
  },
  gcp: {
    program: build =>
      gcpImageProgram(build, { project: "desks", zone: "us-central1-a", size: "e2-standard-4", diskGb: 20 }),
    states: {
      "gcp:compute/address:Address": { address: "198.51.100.4" },
      "gcp:compute/instance:Instance": { bootDisk: { source: "the-disk" }, name: "the-builder" },
      "gcp:compute/image:Image": { name: "the-image" },
    },
  },
}

describe("cloud image programs", () => {
  let steps: RemoteStep[]
  before(async () => {
    steps = remoteSteps(await cloudSteps(), PROFILES.browser, HASH, "https://packages.example/")
  })
  const run = (provider: string, stage: Stage, provision = overSsh(steps, "/archive.tar.gz")) => {
    const { program, states } = programs[provider] as (typeof programs)[string]
    const build = { stack: "image_x_browser", profile: "browser", hash: HASH, operator: OPERATOR } as const
    const said = { "command:remote:Command": { stdout: "inventory" } }
    return runMocked(program({ ...build, stage, keys, provision }), { ...states, ...said })
  }
  const ofType = (resources: Registered[], part: string) => resources.filter(({ type }) => type.endsWith(part))
  const one = (resources: Registered[], part: string) => {
    const found = ofType(resources, part)
    assert.equal(found.length, 1, part)
    return found[0] as Registered
  }

  for (const provider of Object.keys(programs)) {
    describe(`of ${provider}`, () => {
      it("runs every step on the builder, one after the other, keyed by the image's hash", async () => {
        const { resources, outputs } = await run(provider, "builder")
        const machine = resources.find(({ type }) => /:Server$|:Instance$/.test(type)) as Registered
        const copied = one(resources, ":CopyToRemote")
        assert.ok(copied.after.includes(`${machine.type}::${machine.name}`))
        const commands = ofType(resources, "remote:Command")
        assert.deepEqual(
          commands.map(({ name }) => name),
          steps.map(({ name }) => name),
        )
        for (const [index, { name, inputs, after }] of commands.entries()) {
          const before = commands[index - 1] ?? copied
          assert.ok(after.includes(`${before.type}::${before.name}`), `${name} comes after ${before.name}`)
          assert.deepEqual(inputs.triggers, [HASH])
          assert.equal(inputs.stdin, steps[index]?.stdin)
          assert.equal(inputs.create, steps[index]?.command)
          // The list of packages is for the manifest.
          assert.equal(inputs.logging, name === "94-inventory" ? "none" : "stdoutAndStderr")
        }
        assert.deepEqual(copied.inputs.triggers, [HASH])
        assert.equal(outputs.inventory, "inventory")
        assert.equal(outputs.imageId, null)
      })

      it("makes no image before its stage, and then one that comes after the last step and stays", async () => {
        const image = (resources: Registered[]) => resources.filter(({ type }) => /:Snapshot$|:Image$/.test(type))
        assert.deepEqual(image((await run(provider, "builder")).resources), [])
        for (const stage of ["candidate", "ready"] as const) {
          const { resources, outputs } = await run(provider, stage)
          const [made, ...others] = image(resources)
          assert.ok(made && others.length === 0)
          assert.equal(made.retainOnDelete, true)
          assert.ok(made.after.includes("command:remote:Command::99-seal"))
          assert.ok(outputs.imageId)
          const { labels } = made.inputs as { labels: Record<string, string> }
          assert.deepEqual(labels, {
            "managed-by": "foozol-cloud",
            "foozol-profile": "browser",
            "foozol-image": HASH,
            "foozol-image-state": stage,
          })
          for (const other of resources) assert.equal(other.retainOnDelete, other === made, other.name)
        }
      })

      it("changes nothing that the steps depend on from stage to stage", async () => {
        const commands = async (stage: Stage) =>
          (await run(provider, stage)).resources.filter(({ type }) => type.startsWith("command:"))
        assert.deepEqual(await commands("candidate"), await commands("builder"))
        assert.deepEqual(await commands("ready"), await commands("builder"))
      })

      it("has no private key in a plain input", async () => {
        const { resources } = await run(provider, "ready")
        const text = JSON.stringify(resources)
        for (const line of privateLines) assert.ok(line.length === 70 && !text.includes(line))
        const connected = resources.filter(({ type }) => type.startsWith("command:"))
        assert.deepEqual([...new Set(connected.map(({ inputs }) => inputs.connection))], [SECRET])
        const machine = resources.find(({ type }) => /:Server$|:Instance$/.test(type)) as Registered
        assert.equal(machine.inputs.userData ?? machine.inputs.metadata, SECRET)
      })

      it("labels what goes away with the build, and gives the builder no credential", async () => {
        const { resources } = await run(provider, "builder")
        const machine = resources.find(({ type }) => /:Server$|:Instance$/.test(type)) as Registered
        assert.deepEqual(machine.inputs.labels, {
          "managed-by": "foozol-cloud",
          "foozol-builder": "image_x_browser",
          "foozol-image": HASH,
        })
        assert.equal(machine.inputs.serviceAccount, undefined)
      })
    })
  }

  it("at Hetzner lets in SSH from the operator alone", async () => {
    const { resources } = await run("hetzner", "builder")
    assert.deepEqual(one(resources, ":Firewall").inputs.rules, [
      { direction: "in", protocol: "tcp", port: "22", sourceIps: ["203.0.113.7/32"], description: "SSH" },
    ])
    const server = one(resources, ":Server")
    assert.ok(server.after.includes("hcloud:index/firewall:Firewall::foozol-builder"))
    assert.equal(server.inputs.image, "ubuntu-24.04")
    assert.deepEqual(server.inputs.sshKeys, ["foozol-builder-id"])
    assert.equal(one(resources, ":SshKey").inputs.publicKey, keys.client.publicKey)
  })

  it("at Google lets in SSH from the operator alone, on a network of its own, and turns the builder off itself", async () => {
    const { resources } = await run("gcp", "builder")
    const firewall = one(resources, ":Firewall")
    assert.deepEqual(firewall.inputs.sourceRanges, ["203.0.113.7/32"])
    assert.deepEqual(firewall.inputs.allows, [{ protocol: "tcp", ports: ["22"] }])
    assert.equal(firewall.inputs.network, "foozol-builder-id")
    assert.equal(one(resources, ":Subnetwork").inputs.network, "foozol-builder-id")
    const instance = one(resources, ":Instance")
    assert.ok(instance.after.includes("gcp:compute/firewall:Firewall::foozol-builder"))
    assert.equal(instance.inputs.desiredStatus, "RUNNING")
    const later = (await run("gcp", "candidate")).resources
    assert.equal(one(later, ":Instance").inputs.desiredStatus, "TERMINATED")
    assert.equal(one(later, ":Image").inputs.sourceDisk, "the-disk")
    assert.ok(one(later, ":Image").after.includes("gcp:compute/instance:Instance::foozol-builder"))
  })
})
