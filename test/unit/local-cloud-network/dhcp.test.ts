import assert from "node:assert/strict"
import { dhcpAnswer, type Lease } from "../../../local-cloud/machines/qemu/host-network/dhcp.ts"

const mac = "92:00:00:00:00:05"
const lease: Lease = { ipv4: "203.0.113.5", dns: ["192.0.2.53", "192.0.2.54"], mtu: 1400 }
const find = (asked: string) => (asked === mac ? lease : null)

/** A message of a client; options as [code, ...value]. */
function message(options: number[][], change: (header: Buffer) => void = () => {}): Buffer {
  const header = Buffer.alloc(240)
  header.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef])
  header.set(
    mac.split(":").map(byte => Number.parseInt(byte, 16)),
    28,
  )
  header.writeUInt32BE(0x63825363, 236)
  change(header)
  return Buffer.concat([
    header,
    Buffer.from([...options.flatMap(([code = 0, ...value]) => [code, value.length, ...value]), 255]),
  ])
}

/** The options of an answer by their codes. */
function optionsOf(answer: Buffer): Record<number, number[]> {
  const found: Record<number, number[]> = {}
  for (let at = 240; answer[at] !== 255; at += 2 + (answer[at + 1] ?? 0))
    found[answer[at] ?? 0] = [...answer.subarray(at + 2, at + 2 + (answer[at + 1] ?? 0))]
  return found
}

describe("dhcpAnswer()", () => {
  it("offers the machine its own address, with a gateway behind the cable", () => {
    const { to, answer } = dhcpAnswer(message([[53, 1]]), find) ?? assert.fail("no answer")
    assert.equal(to, lease.ipv4)
    assert.deepEqual([...answer.subarray(0, 8)], [2, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef])
    assert.deepEqual([...answer.subarray(16, 20)], [203, 0, 113, 5])
    assert.ok(answer.length >= 300)
    const options = optionsOf(answer)
    assert.deepEqual(options[53], [2])
    assert.deepEqual(options[1], [255, 255, 255, 255])
    assert.deepEqual(options[3], [169, 254, 0, 1])
    assert.deepEqual(options[121], [32, 169, 254, 0, 1, 0, 0, 0, 0, 0, 169, 254, 0, 1])
    assert.deepEqual(options[6], [192, 0, 2, 53, 192, 0, 2, 54])
    assert.deepEqual(options[26], [5, 120])
  })

  it("acknowledges that address, and refuses any other", () => {
    const kind = (options: number[][], change?: (header: Buffer) => void) => {
      const found = dhcpAnswer(message([[53, 3], ...options], change), find)
      return found && optionsOf(found.answer)[53]?.[0]
    }
    assert.equal(kind([[50, 203, 0, 113, 5]]), 5)
    assert.equal(kind([[50, 203, 0, 113, 6]]), 6)
    // A renewal names its address in the header.
    assert.equal(
      kind([], header => header.set([203, 0, 113, 5], 12)),
      5,
    )
    assert.equal(
      kind([], header => header.set([10, 0, 0, 1], 12)),
      6,
    )
    assert.equal(kind([[54, 10, 0, 0, 1]]), null, "somebody else's offer was taken")
  })

  it("says nothing to what is no question of a machine", () => {
    for (const wrong of [
      Buffer.alloc(20),
      message([]),
      message([[53, 7]]),
      message([[53, 1]], header => header.set([2], 0)),
      message([[53, 1]], header => header.set([0], 236)),
      message([[53, 1]], header => header.set([9], 33)),
      message([[53, 1]]).subarray(0, 240),
    ])
      assert.equal(dhcpAnswer(wrong, find), null)
    // Cut short within an option.
    assert.equal(dhcpAnswer(Buffer.concat([message([]).subarray(0, 240), Buffer.from([53, 9, 1])]), find), null)
  })
})
