import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { copyFile, mkdir } from "node:fs/promises"
import { join } from "node:path"
import { endOrphanPlugins, keepEndingOrphanPlugins } from "../../infra/plugin-orphans.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("plugins whose engine is gone", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  const begun: ChildProcess[] = []
  const place = (...names: string[]) => join(scratch.path, ...names)
  const isThere = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

  before(async () => {
    scratch = await temporaryDirectory("fc-")
    await mkdir(place("home", "plugins", "resource-x"), { recursive: true })
    await mkdir(place("bin"))
    // Any program that waits for what never comes, by the names that count.
    await copyFile("/bin/sleep", place("home", "plugins", "resource-x", "plugin"))
    await copyFile("/bin/sh", place("bin", "pulumi"))
  })
  after(async () => {
    for (const child of begun) child.kill("SIGKILL")
    await scratch?.remove()
  })

  const orphan = () => {
    const child = spawn(place("home", "plugins", "resource-x", "plugin"), ["600"])
    begun.push(child)
    return child
  }

  it("are ended, and none that has its engine, nor one of another home", async () => {
    const left = orphan()
    const command = `'${place("home", "plugins", "resource-x", "plugin")}' 600 & echo there; wait`
    const engine = spawn(place("bin", "pulumi"), ["-c", command], { stdio: ["ignore", "pipe", "inherit"] })
    begun.push(engine)
    await once(engine.stdout as NodeJS.ReadableStream, "data")
    assert.equal(await endOrphanPlugins(place("another")), 0)
    const end = once(left, "exit")
    assert.equal(await endOrphanPlugins(place("home")), 1)
    await end
    assert.ok(isThere(engine))
    // Killed, it leaves its plugin to whoever takes in orphans.
    engine.kill("SIGKILL")
    await once(engine, "exit")
    // Which has perhaps only just begun to become that program.
    await waitUntil("its plugin is ended", async () => (await endOrphanPlugins(place("home"))) === 1)
  })

  it("are ended by and by where nothing else would", async () => {
    keepEndingOrphanPlugins(place("home"), 20)
    keepEndingOrphanPlugins(place("home"), 20)
    const left = orphan()
    await waitUntil("it is gone", () => !isThere(left))
  })
})
