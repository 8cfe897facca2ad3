import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { createQemuMachines } from "../../local-cloud/machines/qemu/qemu-machines.ts"
import { builtImage } from "../support/built-image.ts"
import { publicKeyAt } from "../support/public-key.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { listenForHellos, type TlsHellos } from "../support/tls-hellos.ts"
import { waitUntil } from "../support/wait-until.ts"

const SIZE = { cores: 2, memoryBytes: 2 * 1024 ** 3, diskBytes: 20_000_000_000 }
const IMAGE = 1
/** A hundred are made by `npm run test:full`. */
const COPIES = process.env.FOOZOL_TEST_FULL ? 100 : 3

/** Of whatever boots, emulated, on a busy computer; milliseconds. */
const LIMIT = 600_000

/**
 * Machines that begin as copies of one's memory. All of them are told the same about themselves, so whatever differs
 * between them is of their own making.
 */
describe("machines that begin as copies", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let machines: ReturnType<typeof createQemuMachines>
  let heard: TlsHellos
  const lines: string[] = []

  before(async function () {
    const image = await builtImage(this, "browser")
    scratch = await temporaryDirectory("fc-")
    machines = createQemuMachines({
      directory: join(scratch.path, "m"),
      boot: "template",
      standing: 1,
      log: line => lines.push(line),
    })
    await machines.open()
    await machines.importImage(IMAGE, image)
    heard = await listenForHellos()
  })
  after(async () => {
    for (let id = 1; id <= COPIES + 1; id++) await machines?.remove(id)
    await machines?.close()
    heard?.close()
    await scratch?.remove()
  })

  const standing = async () => {
    const folder = join(scratch.path, "m", "standing")
    return existsSync(folder) ? (await readdir(folder)).map(name => join(folder, name)) : []
  }

  const config = (id: number) => {
    const foozol = {
      ...{ workspace: "twin", fqdn: "twin.foozol.localhost", hostname: "twin", profile: "browser", sessionId: "twin" },
      ...{ workspaceKey: "the same key for all of them, 40 letters".replaceAll(/[ ,]/g, "-") },
      service: `https://169.254.0.2:${heard.port}`,
    }
    const ipv4 = `127.76.${process.pid % 250}.${id}`
    return {
      ...{ id, name: `twin-${id}`, ...SIZE, ipv4, ports: [{ protocol: "tcp" as const, port: 443 }] },
      metadata: {
        ...{ instanceId: id, hostname: "twin", publicIpv4: ipv4, region: "eu-central", availabilityZone: "fsn1" },
        ...{ publicKeys: [], userData: JSON.stringify({ foozol }) },
      },
    }
  }

  it("are made from one that has booted and waits", async () => {
    assert.equal(await machines.prepare(IMAGE, SIZE), true)
    const images = join(scratch.path, "m", "images")
    const memories = async () =>
      Promise.all(
        (await readdir(images))
          .map(name => join(images, name, "memory"))
          .filter(existsSync)
          .map(async path => [path, (await stat(path)).ino]),
      )
    const before = await memories()
    assert.equal(before.length, 1)
    assert.equal(await machines.prepare(IMAGE, SIZE), true)
    assert.deepEqual(await memories(), before, "what is there already is not made again")
  })

  it("the next one is made ahead, and waits without a share of the processor", async () => {
    await machines.settled()
    const [folder = "", ...others] = await standing()
    assert.deepEqual([folder !== "", others, lines], [true, [], []])
    const pid = Number(await readFile(join(folder, "qemu.pid"), "utf8"))
    const used = async () => (await readFile(`/proc/${pid}/stat`, "utf8")).split(" ").slice(13, 15).map(Number)
    const before = await used()
    await sleep(1_000)
    const spent = (await used()).map((ticks, at) => ticks - (before[at] ?? 0)).reduce((sum, one) => sum + one)
    assert.ok(spent < 20, `${spent} ticks of 10 ms in a second`)
    // The first machine becomes it: the same process, which goes on.
    await machines.createDisk(1, IMAGE, SIZE.diskBytes)
    await machines.start(config(1))
    assert.deepEqual(await standing(), [])
    assert.equal(Number(await readFile(join(scratch.path, "m", "machines", "1", "qemu.pid"), "utf8")), pid)
    await waitUntil("it answers", () => publicKey(config(1).ipv4))
  })

  it(`share no key and no randomness: ${COPIES} of them`, async () => {
    const keys: string[] = []
    for (let id = 1; id <= COPIES; id++) {
      // The first one runs already. Of the others, one was made ahead as well.
      if (id === 2) await machines.prepare(IMAGE, SIZE).then(() => machines.settled())
      const before = id === 1 ? 0 : heard.hellos.length
      if (id > 1) {
        await machines.createDisk(id, IMAGE, SIZE.diskBytes)
        await machines.start(config(id))
      }
      keys.push(await waitUntil(`copy ${id} answers`, () => publicKey(config(id).ipv4), LIMIT))
      await waitUntil(`the agent of copy ${id} asks for its service`, () => heard.hellos.length > before)
      assert.equal(await machines.isRunning(id), true)
      // The first one stays for what follows.
      if (id > 1) await machines.remove(id)
    }
    assert.deepEqual(lines, [], "none of them had to boot")
    assert.equal(new Set(keys).size, COPIES, "each made its TLS key itself")
    // The agent is a program that ran in the template: its TLS client draws on the randomness of its process.
    assert.equal(new Set(heard.hellos).size, heard.hellos.length)
    assert.ok(heard.hellos.length >= COPIES)
  })

  it("boot like any other machine when they are started again, as who they have become", async () => {
    const key = await publicKey(config(1).ipv4)
    await machines.powerOff(1)
    await machines.start(config(1))
    assert.equal(await waitUntil("it answers again", () => publicKey(config(1).ipv4), LIMIT), key)
    assert.deepEqual(lines, [])
  })

  it("can be copied in turn, and such a copy boots as another machine", async () => {
    const [taken, id] = [2, COPIES + 1]
    await machines.createImage(1, taken)
    await machines.createDisk(id, taken, SIZE.diskBytes)
    const other = config(id)
    await machines.start({ ...other, metadata: { ...other.metadata, instanceId: id } })
    const key = await waitUntil("it answers", () => publicKey(other.ipv4), LIMIT)
    assert.notEqual(key, "")
    assert.equal(await machines.prepare(taken, SIZE), false, "a disk that was somebody's is no template")
  })

  it("go on when their template goes with its image", async () => {
    await machines.removeImage(IMAGE)
    assert.equal(await machines.prepare(IMAGE, SIZE), false)
    assert.notEqual(await publicKey(config(1).ipv4), "")
  })
})

const publicKey = (host: string) => publicKeyAt(host, "twin.foozol.localhost")
