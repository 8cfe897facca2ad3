import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { appendFile, mkdir, readdir, rm, stat, truncate, writeFile } from "node:fs/promises"
import { request } from "node:http"
import { join } from "node:path"
import {
  dropKept,
  fittingHardware,
  KEPT,
  type KeptKind,
  moveKept,
  noteKept,
  spendKept,
} from "../../../local-cloud/machines/qemu/kept.ts"
import { serveMetadata } from "../../../local-cloud/machines/qemu/metadata-server.ts"
import { qemuArguments } from "../../../local-cloud/machines/qemu/qemu-arguments.ts"
import { nobody } from "../../../local-cloud/machines/qemu/standby.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { testMachine } from "../../support/test-machine.ts"

const kind: KeptKind = {
  size: { cores: 2, memoryBytes: 2 ** 31, diskBytes: 20e9 },
  hardware: { copied: true, card: 0 },
  host: { accel: "tcg", metadataConnector: "nc -U " },
  qemu: "QEMU emulator version 7.2.22",
  boot: { kernel: "../../images/7/kernel", initrd: null, commandLine: "root=/dev/vda" },
}

describe("the kept memory of a machine", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let machine: string
  beforeEach(async () => {
    scratch = await temporaryDirectory("fc-")
    machine = join(scratch.path, "1")
    await mkdir(join(machine, KEPT), { recursive: true })
    for (const name of ["memory", "state"]) await writeFile(join(machine, KEPT, name), `some ${name}`)
    await noteKept(join(machine, KEPT), kind)
  })
  afterEach(() => scratch.remove())
  const goOn = (change: Partial<KeptKind> = {}) =>
    fittingHardware(machine, hardware => ({ ...kind, ...change, hardware: change.hardware ?? hardware }))

  it("is gone on with by a machine of the same kind, whatever image its boot files lie in", async () => {
    assert.deepEqual(await goOn(), kind.hardware)
    assert.deepEqual(
      await goOn({ boot: { kernel: "../../images/9/kernel", initrd: null, commandLine: "root=/dev/vda" } }),
      kind.hardware,
    )
    for (const name of await readdir(join(machine, KEPT)))
      assert.equal((await stat(join(machine, KEPT, name))).mode & 0o777, 0o600, name)
  })

  it("is not gone on with where anything is otherwise that it rests on", async () => {
    const { size, host } = kind
    for (const change of [
      { size: { ...size, cores: 1 } },
      { size: { ...size, memoryBytes: 2 ** 30 } },
      { size: { ...size, diskBytes: 40e9 } },
      { qemu: "QEMU emulator version 10.0.2" },
      { host: { ...host, accel: "kvm" as const } },
      { hardware: { copied: false, card: 0 } },
      { hardware: { copied: true, card: 5 } },
      { boot: null },
      { boot: { kernel: "kernel", initrd: null, commandLine: "root=/dev/vda quiet" } },
      { boot: { kernel: "kernel", initrd: "initrd", commandLine: "root=/dev/vda" } },
    ])
      await assert.rejects(goOn(change), /another kind of machine's/, JSON.stringify(change))
  })

  it("is damaged when a file of it was changed, cut short or removed", async () => {
    const changes: [RegExp, () => Promise<void>][] = [
      [/memory is damaged/, () => truncate(join(machine, KEPT, "memory"), 3)],
      [/state is damaged/, () => rm(join(machine, KEPT, "state"))],
    ]
    for (const [words, damage] of changes) {
      await noteKept(join(machine, KEPT), kind)
      await damage()
      await assert.rejects(goOn(), words)
    }
    await writeFile(join(machine, KEPT, "state"), "some state")
    await noteKept(join(machine, KEPT), kind)
    await appendFile(join(machine, KEPT, "kept.json"), "}")
    await assert.rejects(goOn(), /is damaged/)
  })

  it("is gone on with once", async () => {
    await spendKept(machine)
    await assert.rejects(goOn(), /gone on with before/)
    await dropKept(machine)
    assert.equal(await goOn(), null)
    assert.deepEqual(await readdir(machine), [])
  })

  it("moves as a whole, in the place of what is there, and is nowhere else then", async () => {
    const image = join(scratch.path, "9")
    await mkdir(join(image, KEPT), { recursive: true })
    await writeFile(join(image, KEPT, "old"), "")
    assert.equal(await moveKept(machine, image), true)
    assert.deepEqual((await readdir(join(image, KEPT))).sort(), ["kept.json", "memory", "state"])
    assert.equal(existsSync(join(machine, KEPT)), false)
    assert.equal(await moveKept(machine, image), false)
    assert.equal(existsSync(join(image, KEPT, "kept.json")), true, "what is there stays where none comes")
  })

  it("lies in a file that the process keeping it writes, and the one going on with it only reads", () => {
    const host = { ...kind.host, forwards: [], boot: null, hardware: kind.hardware }
    const given = (args: string[], option: string) => args[args.indexOf(option) + 1] ?? ""
    const keeper = qemuArguments(testMachine(5), { ...host, memory: { path: "kept/memory", role: "keeper" } })
    const woken = qemuArguments(testMachine(8), { ...host, memory: { path: "kept/memory", role: "kept" } })
    assert.match(given(keeper, "-object"), /,id=ram,.*mem-path=kept\/memory,share=on$/)
    assert.match(given(woken, "-object"), /,id=ram,.*mem-path=kept\/memory,share=off$/)
    assert.ok(keeper.includes("-incoming") && woken.includes("-incoming"))
    for (const option of ["-cpu", "-machine"]) assert.equal(given(woken, option), given(keeper, option))
    const card = (args: string[]) => args.find(one => one.startsWith("virtio-net-pci"))
    assert.equal(card(woken), card(keeper), "another server's network card is the same one")
  })
})

describe("the wish to sleep, beside a machine's metadata", () => {
  it("is answered where the machine's memory can be kept, and nowhere else is anything but reading", async () => {
    const scratch = await temporaryDirectory("fc-")
    const path = join(scratch.path, "metadata.sock")
    const state = { can: false, begun: 0 }
    const sleep = { can: () => state.can, begin: () => void state.begun++ }
    const server = await serveMetadata(
      path,
      () => testMachine(1).metadata,
      () => nobody,
      sleep,
    )
    const ask = (method: string, at: string) =>
      new Promise<number>((resolve, reject) => {
        const asked = request({ socketPath: path, path: at, method, agent: false }, answer => {
          answer.resume()
          answer.on("end", () => resolve(answer.statusCode ?? 0))
        })
        asked.on("error", reject).end()
      })
    try {
      assert.deepEqual(await Promise.all([ask("GET", "/foozol/v1/sleep"), ask("POST", "/foozol/v1/sleep")]), [404, 404])
      state.can = true
      assert.equal(await ask("GET", "/foozol/v1/sleep"), 200)
      assert.equal(state.begun, 0)
      assert.equal(await ask("POST", "/foozol/v1/sleep"), 202)
      assert.equal(state.begun, 1)
      for (const at of ["/foozol/v1/standby", "/hetzner/v1/userdata"]) assert.equal(await ask("POST", at), 405)
      assert.equal(await ask("DELETE", "/foozol/v1/sleep"), 405)
    } finally {
      await server.close()
      await scratch.remove()
    }
  })
})
