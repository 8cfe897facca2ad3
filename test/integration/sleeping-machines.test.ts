import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { open, readdir, stat } from "node:fs/promises"
import { request } from "node:http"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Machines } from "../../local-cloud/machines/contract.ts"
import { findQemu, kill } from "../../local-cloud/machines/qemu/processes.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testImage } from "../support/test-image.ts"
import { machineState, testMachine } from "../support/test-machine.ts"
import { waitUntil } from "../support/wait-until.ts"

/** A small machine, whose memory the driver keeps; what the golden image makes of it, desktop/sleep-with-memory tells. */
describe("QEMU machines that sleep with their memory", function () {
  this.timeout(300_000)
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let image: string
  let machines: Machines
  let stopped: number[] = []
  let lines: string[] = []
  const ASLEEP = 2

  const newDriver = async (options: Partial<Parameters<typeof createQemuMachines>[0]> = {}) => {
    lines = []
    stopped = []
    machines = createQemuMachines({ directory: directory.path, log: line => lines.push(line), ...options })
    machines.onStopped(id => stopped.push(id))
    await machines.open()
  }
  const folderOf = (id: number) => join(directory.path, "machines", String(id))
  const hasKept = (kind: "machines" | "images", id: number) =>
    existsSync(join(directory.path, kind, String(id), "kept", "kept.json"))
  const below = (folder: string) => [...findQemu()].filter(([path]) => path.startsWith(join(directory.path, folder)))

  /** What the agent on the machine does; the test's machine has none. */
  const asks = (id: number, method: "GET" | "POST", path: string) =>
    new Promise<number>((resolve, reject) => {
      const asked = request(
        { socketPath: join(folderOf(id), "metadata.sock"), path: `/foozol/v1/${path}`, method, agent: false },
        answer => {
          answer.resume()
          answer.on("end", () => resolve(answer.statusCode ?? 0))
        },
      )
      asked.on("error", reject).end()
    })
  const boot = async (id = 1) => {
    const config = testMachine(id)
    await machines.createDisk(id, 1, config.diskBytes)
    await machines.start(config)
    return machineState(config)
  }
  const fallAsleep = async (id = 1) => {
    assert.equal(await asks(id, "POST", "sleep"), 202)
    await waitUntil(`machine ${id} sleeps`, () => stopped.includes(id) || lines.length > 0)
    assert.deepEqual([lines, stopped], [[], [id]])
  }
  /** Another server made from what was kept. */
  const wake = async (id: number) => {
    await machines.createDisk(id, ASLEEP, testMachine(id).diskBytes, { wakes: true })
    await machines.start(testMachine(id))
    await asks(id, "GET", "standby")
    return machineState(testMachine(id))
  }
  /** As the service does: a snapshot with the memory, and the server is gone. */
  const hibernate = async () => {
    const before = await boot()
    await fallAsleep()
    await machines.createImage(1, ASLEEP, { withMemory: true })
    assert.deepEqual([hasKept("machines", 1), hasKept("images", ASLEEP)], [false, true])
    await machines.remove(1)
    return before
  }

  before(async () => {
    image = await testImage()
  })
  beforeEach(async () => {
    directory = await temporaryDirectory("fc, ")
    await newDriver()
    await machines.importImage(1, image)
  })
  afterEach(async () => {
    const ids = await readdir(join(directory.path, "machines"))
    await Promise.all(ids.map(id => machines.remove(Number(id))))
    await machines.close()
    const left = below("")
    for (const process of left.flatMap(([, processes]) => processes)) await kill(process)
    await directory.remove()
    assert.equal(left.length, 0, "machines are left behind")
  })

  it("go on where they were, as another server at another address; then their memory is nowhere any more", async () => {
    const { bootId } = await hibernate()
    const kept = join(directory.path, "images", String(ASLEEP), "kept")
    for (const name of ["memory", "state", "kept.json"])
      assert.equal((await stat(join(kept, name))).mode & 0o777, 0o600, name)
    const after = await wake(5)
    assert.deepEqual([after.bootId, after.boots, lines], [bootId, 1, []])
    assert.equal(existsSync(kept), false)
    assert.deepEqual((await readdir(folderOf(5))).includes("kept"), false)
    assert.deepEqual(await readdir(join(directory.path, "keeping")), [])
    // The disk that was kept stays one to boot from.
    const other = await wake(6)
    assert.deepEqual([other.boots, other.bootId === bootId], [2, false])
    // Awake, it can sleep again.
    stopped = []
    await fallAsleep(5)
    await machines.start(testMachine(5))
    assert.equal((await machineState(testMachine(5))).bootId, bootId)
  })

  it("boot from the same disk when their memory is damaged, or they have another size", async () => {
    const { bootId } = await hibernate()
    const memory = await open(join(directory.path, "images", String(ASLEEP), "kept", "memory"), "r+")
    await memory.write(Buffer.alloc(4096, 0x2a), 0, 4096, 64 * 1024 ** 2)
    await memory.close()
    const after = await wake(5)
    assert.deepEqual([after.boots, after.bootId === bootId], [2, false])
    assert.match(lines.join(), /its memory is damaged/)
    lines = []
    stopped = []
    await fallAsleep(5)
    await machines.start(testMachine(5, { cores: 2 }))
    assert.equal((await machineState(testMachine(5))).boots, 3)
    assert.match(lines.join(), /another kind of machine's/)
    assert.equal(existsSync(join(folderOf(5), "kept")), false)
  })

  it("boot when they do not come to themselves", async () => {
    await machines.close()
    await newDriver({ wokenLimitMs: 1_000 })
    const { bootId } = await hibernate()
    await machines.createDisk(5, ASLEEP, testMachine(5).diskBytes, { wakes: true })
    await machines.start(testMachine(5))
    const after = await waitUntil("it boots", async () => {
      const state = await machineState(testMachine(5))
      return state.boots === 2 && state
    })
    assert.notEqual(after.bootId, bootId)
    assert.match(lines.join(), /did not come to itself/)
    assert.deepEqual(stopped, [1])
  })

  it("are not put to sleep with volumes, and without memory in snapshots that are none of theirs to wake from", async () => {
    await boot()
    await machines.makeVolume({ id: 7, bytes: 20_000_000 }, null)
    await machines.update({ ...testMachine(1), volumes: [{ id: 7, bytes: 20_000_000 }] })
    assert.equal(await asks(1, "POST", "sleep"), 404)
    await machines.update(testMachine(1))
    await fallAsleep()
    await machines.createImage(1, ASLEEP)
    assert.deepEqual([hasKept("machines", 1), hasKept("images", ASLEEP)], [true, false])
    assert.equal((await wake(5)).boots, 2)
    await machines.createImage(1, 3, { withMemory: true })
    await machines.dropMemory(3)
    assert.equal(existsSync(join(directory.path, "images", "3", "kept")), false)
  })

  it("go on when their local cloud is killed while it keeps their memory; nothing of that is left", async () => {
    await machines.close()
    const program = fileURLToPath(new URL("../support/machine-process.ts", import.meta.url))
    const child = spawn(process.execPath, [program, directory.path, image, JSON.stringify(testMachine(1))], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    await once(child.stdout, "data")
    const before = await machineState(testMachine(1))
    assert.equal(await asks(1, "POST", "sleep"), 202)
    await waitUntil("it is being kept", () => below("keeping").length > 0)
    child.kill("SIGKILL")
    await once(child, "exit")
    await newDriver()
    assert.deepEqual([below("keeping"), existsSync(join(directory.path, "keeping"))], [[], false])
    assert.equal(existsSync(join(folderOf(1), "kept")), false)
    assert.deepEqual([await machines.isRunning(1), lines], [true, []])
    const after = await machineState(testMachine(1))
    assert.deepEqual([after.bootId, after.boots], [before.bootId, 1])
    // Nothing stands in the way of the next time.
    await fallAsleep()
    await machines.start(testMachine(1))
    assert.equal((await machineState(testMachine(1))).bootId, before.bootId)
  })
})
