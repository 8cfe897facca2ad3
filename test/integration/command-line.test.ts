import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { stat } from "node:fs/promises"
import type { AddressInfo } from "node:net"
import { createServer } from "node:net"
import { join } from "node:path"
import type { Drift } from "../../infra/drift/look.ts"
import { LocalCloudConfig } from "../../local-cloud/config.ts"
import { readRuntime } from "../../local-cloud/runtime-file.ts"
import { foozolCloud } from "../support/command-line.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testSpec } from "../support/workspace.ts"

const KEY = "k".repeat(40)

describe("foozol-cloud: the command line", () => {
  let data: Awaited<ReturnType<typeof temporaryDirectory>>
  let env: Record<string, string>
  const cli = (args: string, input?: string, more: Record<string, string> = {}) =>
    foozolCloud(args.split(" "), { ...env, ...more }, input)
  const spec = (given: object = {}) => {
    const dns = { name: "blue-otter", zone: "foozol.localhost", ttl: 60 }
    return JSON.stringify({ ...testSpec({ dns }), ...given })
  }
  /** One sentence on standard error, nothing else, and a failure. */
  const refuses = async (args: string, sentence: RegExp, input?: string, more: Record<string, string> = {}) => {
    const { code, stderr, stdout } = await cli(args, input, more)
    assert.match(stderr, sentence)
    assert.equal(stderr.trim().split("\n").length, 1, stderr)
    assert.doesNotMatch(stderr, /\.ts:\d|Error:/)
    assert.equal(stdout, "")
    assert.equal(code, 1)
  }

  before(async () => {
    data = await temporaryDirectory("fc-")
    env = { FOOZOL_DATA: data.path, FOOZOL_WORKSPACE_KEY: KEY }
  })
  after(async () => {
    await cli("local down")
    await data.remove()
  })

  describe("completion", () => {
    const complete = async (words: string) => {
      const script = (await foozolCloud(["completion"], {})).stdout
      const all = words.split(" ")
      const ask = `${script}\nCOMP_WORDS=(${all.map(word => `"${word}"`).join(" ")}); COMP_CWORD=${all.length - 1}; _foozol_cloud; echo "\${COMPREPLY[@]}"`
      return spawnSync("bash", ["-c", ask], { encoding: "utf8" }).stdout.trim().split(" ")
    }
    it("knows the commands, those below them and their options, whatever was given to them", async () => {
      assert.ok((await complete("foozol-cloud ")).includes("workspace"))
      assert.deepEqual(await complete("foozol-cloud stack rec"), ["recover"])
      assert.deepEqual(await complete("foozol-cloud stack unlock blue-otter --f"), ["--force"])
      assert.deepEqual(await complete("foozol-cloud nothing-of-ours x"), [""])
    })
    it("is told of in --help", async () =>
      assert.match((await foozolCloud(["--help"], {})).stdout, /eval "\$\(foozol-cloud completion\)"/))
  })

  describe("without a cloud", () => {
    it("says how to get one", () => refuses("stack up --spec -", /HCLOUD_TOKEN .* local up/, spec()))
    it("says that the local cloud is not running", async () => {
      const { code, stderr } = await cli("local status")
      assert.equal(code, 1)
      assert.match(stderr, /not running: `npx foozol-cloud local up`/)
    })
    it("says that the engine is not set up", () =>
      refuses("stack list", /npm run setup/, "", { FOOZOL_CACHE: data.path, HCLOUD_TOKEN: "x".repeat(64) }))
    it("says that an endpoint does not answer", () =>
      refuses("stack show blue-otter", /could not be reached/, "", {
        HCLOUD_TOKEN: "x".repeat(64),
        HCLOUD_ENDPOINT: "http://127.0.0.1:9/v1",
      }))
  })

  describe("the local cloud", () => {
    it("refuses a port that is in use, and leaves nothing running", async () => {
      const taken = createServer()
      await new Promise<void>(resolve => taken.listen(0, "127.0.0.1", resolve))
      const { port } = taken.address() as AddressInfo
      const { code, stderr } = await cli(`local up --machines none --port ${port}`)
      taken.close()
      assert.equal(code, 1)
      assert.match(stderr, new RegExp(`Port ${port} for the API is in use`))
      assert.equal(readRuntime(join(data.path, "local-cloud")), null)
    })
    it("starts, and answers what its settings say", async () => {
      const { code, stdout } = await cli("local up --machines none")
      assert.equal(code, 0)
      assert.match(stdout, /export HCLOUD_ENDPOINT=http:\/\/127\.0\.0\.1:\d+\/v1 HCLOUD_TOKEN=[0-9a-f]{64}/)
    })
    it("does nothing when it runs already", async () => {
      const before = readRuntime(join(data.path, "local-cloud"))
      await cli("local up --machines none")
      assert.deepEqual(readRuntime(join(data.path, "local-cloud")), before)
    })
    it("tells of the stand-in for GitHub, in the status and in the runtime file", async () => {
      const { signIn } = readRuntime(join(data.path, "local-cloud")) ?? {}
      assert.ok(signIn)
      assert.match((await cli("local status")).stdout, new RegExp(`sign-in +${signIn.url} `))
      assert.equal((await fetch(signIn.url)).status, 200)
      assert.match(signIn.clientSecret, /^[0-9a-f]{40}$/)
      assert.equal((await stat(join(data.path, "local-cloud", "runtime.json"))).mode & 0o777, 0o600)
    })
    it("does without it when told to", async () => {
      const other = await temporaryDirectory("fc-")
      try {
        const { stdout } = await cli("local up --machines none --no-sign-in", "", { FOOZOL_DATA: other.path })
        assert.match(stdout, /sign-in +off/)
        assert.equal(readRuntime(join(other.path, "local-cloud"))?.signIn, null)
      } finally {
        await cli("local down", "", { FOOZOL_DATA: other.path })
        await other.remove()
      }
    })
    it("refuses a callback of the stand-in that leads elsewhere", async () => {
      const other = await temporaryDirectory("fc-")
      try {
        const args = "local up --machines none --sign-in-callback https://evil.example/"
        await refuses(args, /signIn\.callbackUrl: must be a URL of this machine/, "", { FOOZOL_DATA: other.path })
      } finally {
        await other.remove()
      }
    })
    it("has defaults for every setting", () => {
      assert.ok(LocalCloudConfig.parse({ directory: data.path, tokens: { abcdefgh: "p" }, adminToken: "abcdefgh" }))
    })
  })

  describe("stack", () => {
    it("names what is wrong with a spec", () =>
      refuses("stack up --spec -", /workspace: must be 1 to 40.*; size: /, spec({ workspace: "A B", size: "" })))
    it("names an unknown size", () => refuses("stack up --spec -", /no machine type "cx999"/, spec({ size: "cx999" })))
    it("names an unknown image", () =>
      refuses("stack up --spec -", /no usable image with id 424242/, spec({ image: 424_242 })))
    it("names an unknown location", () =>
      refuses("stack up --spec -", /not sold at "mars1"/, spec({ region: "mars1" })))
    it("names a file that is not there", () => refuses("stack up --spec /nowhere.json", /no spec file/))
    it("names what is no JSON", () => refuses("stack up --spec -", /not valid JSON/, "{"))
    it("wants a workspace key", () =>
      refuses("stack up --spec -", /workspace key/, spec(), { FOOZOL_WORKSPACE_KEY: "" }))
    it("says that there is no such stack", () => refuses("stack refresh nobody", /no stack "nobody"/))
    it("of nothing there is no drift either", () => refuses("stack drift nobody", /no stack "nobody"/))
    it("destroys nothing without a yes", async () => {
      const { code, stderr } = await cli("stack destroy blue-otter")
      assert.equal(code, 1)
      assert.match(stderr, /--yes/)
    })

    it("goes the whole way: up, list, show, refresh, preview, export, destroy", async () => {
      const images = (await cli("local status --json")).stdout
      const { apiUrl, token } = JSON.parse(images) as { apiUrl: string; token: string }
      const listed = (await (
        await fetch(`${apiUrl}/images`, { headers: { authorization: `Bearer ${token}` } })
      ).json()) as { images: { id: number }[] }
      const ours = spec({ image: listed.images[0]?.id })
      const up = await cli("stack up --spec - --json", ours)
      assert.equal(up.code, 0, up.stderr)
      const { changes, outputs } = JSON.parse(up.stdout)
      assert.equal(changes.create, 8)
      assert.equal(outputs.hostname, "blue-otter.foozol.localhost")
      assert.doesNotMatch(up.stdout + up.stderr, new RegExp(KEY))
      assert.equal(JSON.parse((await cli("stack list --json")).stdout)[0].name, "blue-otter")
      assert.equal(JSON.parse((await cli("stack show blue-otter --json")).stdout)[0].state, "running")
      assert.match((await cli("stack refresh blue-otter")).stdout, /8 same/)
      assert.match((await cli("stack preview --spec -", ours)).stdout, /8 same/)
      assert.equal((await cli("stack drift blue-otter --power on")).stdout, "Everything is as it shall be.\n")
      const [server] = JSON.parse((await cli("stack show blue-otter --json")).stdout) as { id: string }[]
      await fetch(`${apiUrl}/servers/${server?.id}/actions/change_protection`, {
        ...{ method: "POST", headers: { authorization: `Bearer ${token}` } },
        body: JSON.stringify({ delete: false, rebuild: false }),
      })
      const lifted = "Delete protection of the machine was lifted by hand."
      assert.equal((await cli("stack drift blue-otter")).stdout, `${lifted}  (a repair mends it; machine.protection)\n`)
      const { differences } = JSON.parse((await cli("stack drift blue-otter --json")).stdout) as Drift
      assert.deepEqual(
        differences.map(one => one.words),
        [lifted],
      )
      const accept = "stack accept blue-otter --difference machine.protection"
      assert.match((await cli(accept)).stderr, /Say with --reason why/)
      const planned = await cli(`${accept} --reason deletion --dry-run`)
      assert.equal(planned.stdout, `would accept: ${lifted}\n`, planned.stderr)
      assert.match((await cli(`${accept} --reason deletion`)).stdout, /^accepted, in its stack alone/)
      assert.match(
        (await cli("stack drift blue-otter")).stdout,
        /^Everything is as it shall be\.\naccepted by .*deletion/,
      )
      assert.match((await cli(`${accept} --undo`)).stdout, /^accepted no longer/)
      assert.equal((await cli("stack repair blue-otter --dry-run")).stdout, `would mend: ${lifted}\n`)
      assert.equal((await cli("stack repair --all --json --parallel 2")).code, 0)
      assert.equal((await cli("stack drift blue-otter")).stdout, "Everything is as it shall be.\n")
      assert.match((await cli("stack recover blue-otter")).stdout, /nothing to mend/)
      assert.equal((await cli("stack unlock blue-otter --dry-run")).stdout, "nobody holds it: would do nothing\n")
      assert.equal((await cli("stack unlock blue-otter")).code, 0)
      const state = (await cli("stack export blue-otter")).stdout
      assert.equal(JSON.parse(state).deployment.resources.length, 9)
      assert.doesNotMatch(state, new RegExp(`${KEY}|${token}`))
      assert.match((await cli("stack destroy blue-otter --yes")).stdout, /8 delete/)
      assert.deepEqual(JSON.parse((await cli("stack list --json")).stdout), [])
    })
    it("lists sizes with prices", async () => {
      assert.match((await cli("sizes")).stdout, /cx43 +8 +16 GB +160 GB +x86 +9\.49 EUR +fsn1 nbg1 hel1/)
    })
    it("prints settings for plain pulumi, without secrets", async () => {
      const { stdout } = await cli("stack env")
      assert.match(stdout, /PULUMI_BACKEND_URL='file:/)
      assert.doesNotMatch(stdout, /[0-9a-f]{64}/)
    })
  })
})
