import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Machines, NoRoomError } from "../../local-cloud/machines/contract.ts"
import { boots } from "../../local-cloud/machines/qemu/acceleration.ts"
import { findQemu, kill } from "../../local-cloud/machines/qemu/processes.ts"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testImage } from "../support/test-image.ts"
import { connection, machineState, metadataSeenBy, testMachine } from "../support/test-machine.ts"
import { waitUntil } from "../support/wait-until.ts"

describe("QEMU machines", function () {
  this.timeout(600_000)
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let image: string
  let machines: Machines
  let stopped: number[] = []

  const newDriver = async (options: Partial<Parameters<typeof createQemuMachines>[0]> = {}): Promise<Machines> => {
    machines = createQemuMachines({ directory: directory.path, ...options })
    stopped = []
    machines.onStopped(id => stopped.push(id))
    await machines.open()
    return machines
  }
  const hasStopped = (id: number) => waitUntil(`machine ${id} goes off`, () => stopped.includes(id))
  const processesOf = (id: number) => findQemu().get(join(directory.path, "machines", String(id))) ?? []
  const boot = async (config = testMachine(1), imageId = 1) => {
    await machines.createDisk(config.id, imageId, config.diskBytes)
    await machines.start(config)
    return { config, state: await machineState(config) }
  }

  before(async () => {
    image = await testImage()
  })
  beforeEach(async () => {
    // Names with blanks and commas are what options and command lines trip over.
    directory = await temporaryDirectory("fc, ")
    await newDriver()
    await machines.importImage(1, image)
  })
  afterEach(async () => {
    const ids = await readdir(join(directory.path, "machines"))
    await Promise.all(ids.map(id => machines.remove(Number(id))))
    await machines.close()
    const left = [...findQemu()].filter(([path]) => path.startsWith(directory.path))
    for (const process of left.flatMap(([, processes]) => processes)) await kill(process)
    await directory.remove()
    assert.equal(left.length, 0, "machines are left behind")
  })

  it("boots a machine that answers at its open port only", async () => {
    const { config, state } = await boot()
    assert.equal(state.hostname, "machine-1")
    assert.equal(state.boots, 1)
    assert.equal(state.userDataSha256, createHash("sha256").update("user-data of 1\n").digest("hex"))
    assert.equal(await connection(config, 6080), "refused")
    assert.equal(await connection(config, 5900), "refused")
    assert.match(await readFile(machines.consoleLog(1) ?? "", "utf8"), /ready after/)
  })

  it("opens and closes ports of a running machine", async () => {
    const { config } = await boot()
    await machines.update({ ...config, ports: [{ protocol: "tcp", port: 6080 }] })
    assert.equal((await machineState(config, 6080)).boots, 1)
    assert.equal(await connection(config, 443), "refused")
    await machines.update(config)
    assert.equal((await machineState(config)).boots, 1)
    assert.equal(await connection(config, 6080), "refused")
  })

  it("plugs volumes into a running machine and out of it, and starts it with those it has", async () => {
    /** Volumes whose files the machine's process has open. */
    const held = async () => {
      const folder = `/proc/${processesOf(1)[0]?.pid}/fd`
      const links = await Promise.all((await readdir(folder)).map(fd => readlink(join(folder, fd)).catch(() => "")))
      return [...new Set(links.flatMap(path => /volumes\/(\d+)\.raw$/.exec(path)?.[1] ?? []))].sort()
    }
    for (const id of [7, 8]) await machines.makeVolume({ id, bytes: 20_000_000 }, id === 8 ? "ext4" : null)
    const { config } = await boot()
    assert.deepEqual(await held(), [])
    const volumes = [
      { id: 7, bytes: 20_000_000 },
      { id: 8, bytes: 20_000_000 },
    ]
    await machines.update({ ...config, volumes })
    assert.deepEqual(await held(), ["7", "8"])
    await machines.update({ ...config, volumes: volumes.slice(0, 1) })
    assert.deepEqual(await held(), ["7"])
    await machines.powerOff(1)
    await machines.start({ ...config, volumes })
    await machineState(config)
    assert.deepEqual(await held(), ["7", "8"])
    await machines.update(config)
    assert.deepEqual(await held(), [])
    await machines.removeVolume(7)
    await machines.removeVolume(7)
    assert.deepEqual(await readdir(join(directory.path, "volumes")), ["8.raw"])
    assert.equal((await stat(join(directory.path, "volumes", "8.raw"))).size, 20_000_000)
  })

  it("gives each machine its own metadata, current at each read", async () => {
    const [one, two] = await Promise.all([boot(testMachine(1)), boot(testMachine(2))])
    assert.equal(await metadataSeenBy(one.config, "userdata"), "user-data of 1\n")
    assert.equal(await metadataSeenBy(two.config, "userdata"), "user-data of 2\n")
    assert.equal(await metadataSeenBy(two.config, "metadata/public-ipv4"), two.config.ipv4)
    assert.match(await metadataSeenBy(one.config, "metadata"), /^instance-id: 1$/m)
    await machines.update({ ...one.config, metadata: { ...one.config.metadata, hostname: "renamed" } })
    assert.equal(await metadataSeenBy(one.config, "metadata/hostname"), "renamed")
    for (const id of [1, 2]) {
      const path = join(directory.path, "machines", String(id))
      assert.equal((await stat(path)).mode & 0o777, 0o700)
      assert.equal((await stat(join(path, "metadata.sock"))).mode & 0o777, 0o600)
      assert.equal((await stat(join(path, "machine.json"))).mode & 0o777, 0o600)
    }
  })

  it("tells when a machine goes off by its power button, and keeps its disk", async () => {
    const { config } = await boot()
    await machines.pressPowerButton(1)
    await hasStopped(1)
    assert.equal(await machines.isRunning(1), false)
    assert.equal(await connection(config, 443), "refused")
    await machines.resizeDisk(1, 512 * 1024 ** 2)
    await machines.start(config)
    assert.equal((await machineState(config)).boots, 2)
  })

  it("turns a machine off hard, without calling that going off by itself", async () => {
    const { config } = await boot()
    await Promise.all([machines.powerOff(1), machines.powerOff(1)])
    assert.equal(await machines.isRunning(1), false)
    assert.deepEqual(processesOf(1), [])
    await machines.start(config)
    await machines.start(config)
    assert.equal(processesOf(1).length, 1)
    assert.equal((await machineState(config)).boots, 2)
    assert.deepEqual(stopped, [])
  })

  it("resets a machine, which stays on", async () => {
    const { config, state } = await boot()
    await machines.reset(1)
    const again = await waitUntil("the machine boots anew", async () => {
      const now = await machineState(config)
      return now.bootId !== state.bootId && now
    })
    assert.equal(again.boots, 2)
    assert.equal(await machines.isRunning(1), true)
  })

  it("makes machines from snapshots of running and of stopped machines", async () => {
    const { config } = await boot()
    const { bytes } = await machines.createImage(1, 2)
    assert.ok(bytes > 0)
    assert.deepEqual(await machines.createImage(1, 2), { bytes })
    assert.equal((await machineState(config)).boots, 1)
    await machines.powerOff(1)
    await machines.createImage(1, 3)
    const [second, third] = await Promise.all([boot(testMachine(2), 2), boot(testMachine(3), 3)])
    assert.equal(second.state.boots, 2)
    assert.equal(third.state.boots, 2)
    assert.equal(second.state.hostname, "machine-2")
  })

  it("copies the whole disk where the chain of layers would get too long", async () => {
    await machines.close()
    await newDriver({ maxLayers: 1 })
    const { config } = await boot()
    await machines.createImage(1, 2)
    await machines.powerOff(1)
    await machines.createImage(1, 3)
    await machines.remove(1)
    await machines.removeImage(1)
    assert.deepEqual((await readdir(join(directory.path, "images"))).sort(), ["2", "3"])
    assert.equal((await boot(testMachine(2), 2)).state.boots, 2)
    assert.equal((await boot(testMachine(3), 3)).state.boots, 2)
    assert.equal(config.diskBytes, testMachine(2).diskBytes)
  })

  it("keeps an image until nothing is based on it", async () => {
    const images = () => readdir(join(directory.path, "images"))
    await machines.createDisk(1, 1, testMachine(1).diskBytes)
    await machines.createImage(1, 2)
    await machines.removeImage(1)
    await machines.remove(1)
    assert.deepEqual((await images()).sort(), ["1", "2"])
    await machines.removeImage(2)
    assert.deepEqual(await images(), [])
    await machines.removeImage(2)
  })

  it("finds a running machine again after its own process was killed", async () => {
    const config = testMachine(7)
    await machines.close()
    const script = fileURLToPath(new URL("../support/machine-process.ts", import.meta.url))
    const child = spawn(process.execPath, [script, directory.path, image, JSON.stringify(config)], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    await once(child.stdout, "data")
    child.kill("SIGKILL")
    await once(child, "exit")
    const [before] = processesOf(7)
    await newDriver()
    assert.equal(await machines.isRunning(7), true)
    // The guest has waited for its metadata since the process died.
    const state = await machineState(config)
    assert.equal(state.boots, 1)
    assert.deepEqual(processesOf(7), [before])
    await machines.start(config)
    await machines.update({ ...config, ports: [...config.ports, { protocol: "tcp", port: 6080 }] })
    assert.equal((await machineState(config, 6080)).bootId, state.bootId)
    await machines.pressPowerButton(7)
    await hasStopped(7)
  })

  it("finds a machine whose start was interrupted before it was noted", async () => {
    const { config } = await boot()
    await machines.close()
    const path = join(directory.path, "machines/1/machine.json")
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), process: null }))
    await newDriver()
    assert.equal(await machines.isRunning(1), true)
    assert.equal((await machineState(config)).boots, 1)
  })

  it("does not mistake another process for the machine's, and tells what went off meanwhile", async () => {
    await boot()
    await machines.close()
    const path = join(directory.path, "machines/1/machine.json")
    const record = JSON.parse(await readFile(path, "utf8"))
    for (const process of processesOf(1)) await kill(process)
    await writeFile(path, JSON.stringify({ ...record, process: { ...record.process, pid: process.pid } }))
    await newDriver()
    assert.equal(await machines.isRunning(1), false)
    assert.deepEqual(stopped, [1])
  })

  it("tells when a machine's process is killed", async () => {
    await boot()
    for (const process of processesOf(1)) await kill(process)
    await hasStopped(1)
    assert.equal(await machines.isRunning(1), false)
  })

  it("refuses what does not fit, in numbers", async () => {
    await assert.rejects(machines.admit({ memoryBytes: 1e15, diskBytes: 0 }), /does not fit: [0-9.]+ GiB are available/)
    await machines.admit(testMachine(1))
    await machines.createDisk(1, 1, testMachine(1).diskBytes)
    await machines.close()
    await newDriver({ reserve: { diskBytes: 1e18 } })
    await assert.rejects(machines.admit(testMachine(1)), NoRoomError)
    await assert.rejects(machines.createImage(1, 2), NoRoomError)
    assert.deepEqual(await readdir(join(directory.path, "images")), ["1"])
    await assert.rejects(machines.createDisk(2, 1, 1024), /too few/)
  })

  it("leaves nothing behind when a machine is removed", async () => {
    const { config } = await boot()
    await machines.remove(1)
    await machines.remove(1)
    assert.deepEqual(processesOf(1), [])
    assert.deepEqual(await readdir(join(directory.path, "machines")), [])
    assert.equal(await connection(config, 443), "refused")
  })

  it("lets only one process at a time work in its directory", async () => {
    const script = fileURLToPath(new URL("../support/machine-process.ts", import.meta.url))
    const child = spawn(process.execPath, [script, directory.path, image, JSON.stringify(testMachine(1))])
    const words = await child.stderr.setEncoding("utf8").toArray()
    assert.match(words.join(""), new RegExp(`Process ${process.pid} already runs the machines`))
  })

  it("recognizes by a probe whether machines run at all", async () => {
    assert.equal(await boots("qemu-system-x86_64", "tcg"), true)
    assert.equal(await boots("false", "tcg"), false)
  })
})
