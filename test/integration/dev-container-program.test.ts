import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { which } from "../../tools/setup/run.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

const PROGRAM = join(PROJECT_ROOT, "image-builder/rootfs/usr/lib/foozol/devcontainer")
const run = promisify(execFile)

/** Each notes how it was called; what they answer lies in files. With real containers: test/desktop/golden-image.test.ts. */
const PODMAN = `#!/bin/bash
echo "podman $*" >> "$CALLS"
case $1 in
  ps) cat "$MADE" ;;
esac
`
const DEVCONTAINER = `#!/bin/bash
echo "devcontainer $*" >> "$CALLS"
echo "what is said of it" >&2
cat "$ANSWER"
`

/** The image's own script, with stand-ins for podman and @devcontainers/cli. */
describe("rootfs/devcontainer", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let at: (name: string) => string
  const CONFIG = ".devcontainer/devcontainer.json"
  const call = (...args: string[]) => {
    const env = {
      ...{
        PATH: `${at("bin")}:${process.env.PATH}`,
        HOME: at("home"),
        DEVCONTAINER: at("."),
        XDG_RUNTIME_DIR: at("."),
      },
      ...{ CALLS: at("calls"), MADE: at("made"), ANSWER: at("answer") },
    }
    return run(PROGRAM, args, { env })
  }
  const state = async () => JSON.parse(await readFile(at("foozol-devcontainer"), "utf8"))
  const calls = async () => {
    const said = (await readFile(at("calls"), "utf8").catch(() => "")).trim().split("\n")
    await rm(at("calls"), { force: true })
    return said
  }
  const made = (...containers: object[]) => writeFile(at("made"), JSON.stringify(containers))
  const repository = (config: object) => writeFile(at(`home/tool/${CONFIG}`), JSON.stringify(config))

  before(async function () {
    for (const program of ["jq", "python3"])
      if (!(await which(program))) skipSuite(this, `this system has no ${program}`)
  })
  beforeEach(async () => {
    directory = await temporaryDirectory()
    at = name => join(directory.path, name)
    await mkdir(at("bin"))
    await mkdir(at("home/tool/.devcontainer"), { recursive: true })
    for (const [name, text] of Object.entries({ podman: PODMAN, devcontainer: DEVCONTAINER })) {
      await writeFile(at(`bin/${name}`), text)
      await chmod(at(`bin/${name}`), 0o755)
    }
    await repository({ image: "tiny" })
    await made()
    const workspace = { remoteWorkspaceFolder: "/workspaces/tool" }
    await writeFile(at("answer"), JSON.stringify({ outcome: "success", containerId: "c1", ...workspace }))
  })
  afterEach(() => directory?.remove())

  it("makes what is wanted, and lives as long as that", async () => {
    await call("want", at("home/tool"))
    await call("run")
    const said = (await calls()).join("\n")
    assert.match(said, new RegExp(`devcontainer up .*--config ${at(`home/tool/${CONFIG}`)} `, "m"))
    assert.match(said, /podman wait c1$/)
    assert.doesNotMatch(said, /podman rm/)
    assert.equal((await state()).state, "ended")
  })

  it("throws away what was made before when it is made again, once", async () => {
    const [own, other] = [
      { "devcontainer.local_folder": at("home/tool") },
      { "devcontainer.local_folder": "/elsewhere" },
    ]
    await made({ Id: "old", Labels: own }, { Id: "others", Labels: other }, { Id: "plain", Labels: null })
    await call("want", at("home/tool"))
    await call("again", at("home/tool"))
    await call("run")
    assert.deepEqual(
      (await calls()).filter(line => line.startsWith("podman rm")),
      ["podman rm --force old"],
    )
    await call("run")
    assert.doesNotMatch((await calls()).join("\n"), /podman rm/)
  })

  it("says why none could be made, and leaves what it was told to", async () => {
    const message = "An error occurred building the image."
    await writeFile(at("answer"), JSON.stringify({ outcome: "error", description: message }))
    await call("want", at("home/tool"))
    await call("run")
    assert.deepEqual(await state(), { state: "failed", folder: at("home/tool"), config: CONFIG, reason: message })
    assert.equal(await readFile(at("home/.local/state/foozol/devcontainer.log"), "utf8"), "what is said of it\n")
  })

  it("that is stopped says so, unless it has said how it ended", async () => {
    await call("want", at("home/tool"))
    await call("state", "starting")
    await call("stop")
    assert.equal((await state()).state, "stopped")
    await call("state", "failed", "Why.")
    await call("stop")
    assert.deepEqual(await state(), { state: "failed", folder: at("home/tool"), config: CONFIG, reason: "Why." })
  })
})
