import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { registerImage } from "../../cli/first-contents.ts"
import { findQemu, kill, killQemuBelow } from "../../local-cloud/machines/qemu/processes.ts"
import { type Runtime, readRuntime } from "../../local-cloud/runtime-file.ts"
import { readLedger } from "../../local-cloud/state/ledger.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { builtImage } from "../support/built-image.ts"
import { publicKeyAt } from "../support/public-key.ts"
import { seeded } from "../support/seeded.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { waitUntil } from "../support/wait-until.ts"

/** The size that `npm start` offers first; it has a template. */
const TYPE = "cx23"
const VICTIMS = ["the local cloud", "a machine", "everything"] as const
/** Several of each by `npm run test:full`. */
const ROUNDS = process.env.FOOZOL_TEST_FULL ? 24 : VICTIMS.length
/** A copy is made within this, and what is done beside it; the blow falls somewhere in it. */
const WITHIN_MS = 3_000

interface Server {
  id: number
  status: string
  locked: boolean
  public_net: { ipv4: { ip: string } }
}

/** The local cloud as a process of its own, killed with its machines in the middle of making copies. */
describe("copies that are cut off", function () {
  this.timeout(1_800_000)
  const seed = Number(process.env.FOOZOL_TEST_SEED ?? Date.now() % 1_000_000)
  const random = seeded(seed)
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let cloud: ChildProcess
  let at: Runtime
  let image = 0
  const folder = (...names: string[]) => join(scratch.path, "cloud", ...names)

  async function start(): Promise<void> {
    const main = join(PROJECT_ROOT, "local-cloud/main.ts")
    cloud = spawn(process.execPath, [main, "--directory", folder(), "--no-sign-in"], {
      stdio: ["ignore", "ignore", "inherit"],
    })
    at = await waitUntil("the local cloud runs", () => {
      assert.equal(cloud.exitCode, null, "the local cloud has ended")
      return readRuntime(folder())
    })
  }
  const ask = (method: string, path: string, body?: object, base = at.apiUrl, token = at.token) =>
    fetch(`${base}${path}`, {
      ...{ method, headers: { authorization: `Bearer ${token}`, connection: "close" } },
      ...(body && { body: JSON.stringify(body) }),
    })
  const byName = async (name: string): Promise<Server | null> => {
    const answer = (await (await ask("GET", `/servers?name=${name}`)).json()) as { servers: Server[] }
    assert.ok(answer.servers.length < 2, `${name} is there twice`)
    return answer.servers[0] ?? null
  }
  const nameOf = (name: string) => `${name}.foozol.localhost`
  const server = (name: string) => {
    const foozol = {
      ...{ workspace: name, fqdn: nameOf(name), hostname: name, profile: "browser", sessionId: name },
      ...{ workspaceKey: "k".repeat(43), service: "https://169.254.0.2:9" },
    }
    return { name, server_type: TYPE, image, user_data: JSON.stringify({ foozol }) }
  }
  /** Waits until a server's machine answers; one that has gone off is switched on, as whoever has it would do. */
  async function answers(name: string): Promise<Server> {
    const isThere = async () => {
      const now = await byName(name)
      if (now === null || now.locked) return false
      if (now.status === "off") await ask("POST", `/servers/${now.id}/actions/poweron`)
      return (await publicKeyAt(now.public_net.ipv4.ip, nameOf(name))) !== "" && now
    }
    // One that was killed boots, emulated.
    return waitUntil(`${name} answers`, isThere, 600_000)
  }
  async function remove({ id }: Server): Promise<void> {
    assert.ok((await ask("DELETE", `/servers/${id}`)).ok)
    // Its record goes last.
    const isGone = async () => machines().length === 0 && (await ask("GET", `/servers/${id}`)).status === 404
    await waitUntil("nothing of it is left", isGone)
  }
  /** Processes of machines that are somebody's, by their folder. */
  const machines = () => [...findQemu()].filter(([path]) => path.startsWith(folder("machines", "machines")))

  const standing = () => [...findQemu()].filter(([path]) => path.startsWith(folder("machines", "standing")))

  before(async function () {
    const directory = await builtImage(this, "browser")
    scratch = await temporaryDirectory("fc-")
    await start()
    image = await registerImage(at, { name: "golden", directory, description: "" })
    const made = await ask("POST", "/templates", { image, server_type: TYPE }, at.adminUrl, at.adminToken)
    assert.ok(made.ok, await made.text())
  })
  after(async () => {
    if (cloud?.exitCode === null && cloud.kill("SIGKILL")) await once(cloud, "exit")
    if (scratch) await killQemuBelow(scratch.path)
    await scratch?.remove()
  })

  for (let round = 0; round < ROUNDS; round++) {
    const victim = VICTIMS[round % VICTIMS.length] as (typeof VICTIMS)[number]
    const after = Math.round(random() * WITHIN_MS)
    it(`${victim}, ${after} ms after a machine was asked for (seed ${seed})`, async () => {
      const name = `cut-off-${round}`
      const wanted = server(name)
      const asked = ask("POST", "/servers", wanted).catch(() => null)
      await sleep(after)
      if (victim !== "a machine") {
        cloud.kill("SIGKILL")
        await once(cloud, "exit")
      }
      // The one that was made ahead, where it has not become this one.
      if (victim !== "the local cloud") {
        const [, begun = []] = [...findQemu()].findLast(([path]) => path.startsWith(folder("machines"))) ?? []
        for (const process of begun) await kill(process)
      }
      await asked
      if (victim !== "a machine") await start()
      // Whoever had no answer looks it up, and asks again where there is none.
      if ((await byName(name)) === null) assert.ok((await ask("POST", "/servers", wanted)).ok)
      const settled = await answers(name)
      const own = machines()
      assert.deepEqual(
        own.map(([path, processes]) => [path, processes.length]),
        [[folder("machines", "machines", String(settled.id)), 1]],
      )
      await remove(settled)
      assert.equal(existsSync(folder("machines", "machines", String(settled.id))), false)
      assert.deepEqual(readLedger(folder("ledger.ndjson")).alive, [])
    })
  }

  it("the next one is a copy as if nothing had been, and one more is made ahead", async () => {
    assert.ok((await ask("POST", "/servers", server("afterwards"))).ok)
    await remove(await answers("afterwards"))
    await waitUntil("one is made ahead", () => standing().length === 1)
    const others = [...findQemu()].filter(([path]) => path.startsWith(folder()))
    assert.equal(others.length, 1, "and nothing else runs")
  })

  it("after a start with nobody asking, one more is made ahead again", async () => {
    const processes = () => standing().flatMap(([, own]) => own.map(({ pid }) => pid))
    const before = processes()
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      cloud.kill(signal)
      await once(cloud, "exit")
      await start()
      await waitUntil("one is made ahead", () => processes().length === 1 && !before.includes(processes()[0] ?? 0))
      before.push(...processes())
    }
  })
})
