import assert from "node:assert/strict"
import type { ImageRecord } from "../../../local-cloud/machines/qemu/images.ts"
import { qemuArguments } from "../../../local-cloud/machines/qemu/qemu-arguments.ts"
import { templateId } from "../../../local-cloud/machines/qemu/templates.ts"
import { testMachine } from "../../support/test-machine.ts"

const image: ImageRecord = { version: 1, id: 7, backing: null, diskBytes: 5e9, removed: false, standby: true }
const kind = {
  ...{ image, size: { cores: 2, memoryBytes: 2 ** 31, diskBytes: 20e9 }, qemu: "QEMU emulator version 7.2.22" },
  host: { accel: "tcg" as const, metadataConnector: "nc -U " },
}
const host = { ...kind.host, forwards: [], boot: null }
const given = (args: string[], option: string) => args[args.indexOf(option) + 1] ?? ""

describe("templates of machines", () => {
  it("are told apart by all that a copy's memory must fit, and found again by the same", () => {
    const { size } = kind
    const others = [
      { ...kind, image: { ...image, id: 8 } },
      { ...kind, size: { ...size, cores: 1 } },
      { ...kind, size: { ...size, memoryBytes: 2 ** 30 } },
      { ...kind, size: { ...size, diskBytes: 40e9 } },
      { ...kind, qemu: "QEMU emulator version 10.0.2" },
      { ...kind, host: { ...kind.host, accel: "kvm" as const } },
    ]
    const ids = [kind, ...others].map(templateId)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(templateId(structuredClone(kind)), ids[0])
    for (const id of ids) assert.ok(Number.isSafeInteger(id) && id >= 2 ** 40, "no id that the API gives")
  })

  it("write to their memory's file, and copies only read it", () => {
    const template = qemuArguments(testMachine(0), { ...host, memory: { path: "memory", role: "template" } })
    const copy = qemuArguments(testMachine(5), { ...host, memory: { path: "../../images/9/memory", role: "copy" } })
    assert.match(given(template, "-object"), /mem-path=memory,share=on$/)
    assert.match(given(copy, "-object"), /mem-path=..\/..\/images\/9\/memory,share=off$/)
    assert.ok(copy.includes("-incoming") && !template.includes("-incoming"))
    const card = (args: string[]) => args.find(one => one.startsWith("virtio-net-pci"))
    assert.equal(card(copy), card(template), "a copy's network card goes on as the template's")
  })

  it("are alone in their network; copies have the world, and a processor whose randomness is asked at every draw", () => {
    const template = qemuArguments(testMachine(0), { ...host, memory: { path: "memory", role: "template" } })
    const copy = qemuArguments(testMachine(5), { ...host, memory: { path: "memory", role: "copy" } })
    assert.match(given(template, "-netdev"), /,restrict=on,/)
    assert.doesNotMatch(given(copy, "-netdev"), /restrict/)
    assert.match(given(copy, "-cpu"), /^max,.*vendor=GenuineIntel$/)
    assert.equal(given(copy, "-cpu"), given(template, "-cpu"), "a running program's processor stays the same")
    const boot = { kernel: "kernel", initrd: null, commandLine: "root=/dev/vda" }
    assert.equal(given(qemuArguments(testMachine(5), { ...host, boot }), "-append"), "root=/dev/vda")
  })

  it("run two hours late, so that setting a copy's clock is a leap", () => {
    const template = qemuArguments(testMachine(0), { ...host, memory: { path: "memory", role: "template" } })
    const late = Date.now() - Date.parse(`${given(template, "-rtc").slice("base=".length)}Z`)
    assert.ok(late > 3_600_000 && late < 10_800_000, `${late} ms`)
    assert.equal(given(qemuArguments(testMachine(1), host), "-rtc"), "base=utc")
  })
})
