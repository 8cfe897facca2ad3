import assert from "node:assert/strict"
import { once } from "node:events"
import { type AddressInfo, connect, createServer } from "node:net"
import { countWebUis, webUis } from "../../../image-builder/agent/signals/web-uis.ts"

const [LISTEN, OPEN] = ["0A", "01"]
const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0")
const v4 = "0100007F"
const row = (local: string, remote: string, state: string, uid: number) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 12345 1 0000 100 0 0 10 0`
const table = (...rows: string[]) => ["  sl  local_address rem_address   st tx_queue", ...rows].join("\n")
const [USER, NGINX, ROOT] = [1000, 33, 0]

describe("agent/signals/web-uis", () => {
  const listening = row(`${v4}:${hex(3000)}`, "00000000:0000", LISTEN, USER)
  const pair = (client: number, port = 3000, from = 50_000) => [
    row(`${v4}:${hex(port)}`, `${v4}:${hex(from)}`, OPEN, USER),
    row(`${v4}:${hex(from)}`, `${v4}:${hex(port)}`, OPEN, client),
  ]
  it("counts who comes to the user's servers by way of NGINX or the agent", () => {
    assert.equal(countWebUis([table(listening, ...pair(NGINX))], USER, []), 1)
    assert.equal(countWebUis([table(listening, ...pair(NGINX), ...pair(ROOT, 3000, 50_001))], USER, []), 2)
  })
  it("does not count the user's own programs, the desktop itself, or what is over", () => {
    assert.equal(countWebUis([table(listening, ...pair(USER))], USER, []), 0)
    const vnc = row(`${v4}:${hex(5900)}`, "00000000:0000", LISTEN, USER)
    assert.equal(countWebUis([table(vnc, ...pair(ROOT, 5900))], USER, [5900]), 0)
    const over = pair(NGINX).map(line => line.replace(" 01 ", " 06 "))
    assert.equal(countWebUis([table(listening, ...over)], USER, []), 0)
    assert.equal(countWebUis(["", table()], USER, []), 0)
  })
  it("does not count connections that the user's programs make, nor servers that listen to the world", () => {
    assert.equal(countWebUis([table(...pair(NGINX))], USER, []), 0)
    const outside = row(`0200000A:${hex(3000)}`, `0500000A:${hex(50_000)}`, OPEN, USER)
    assert.equal(countWebUis([table(listening, outside)], USER, []), 0)
  })
  it("knows a server of both kinds of addresses, whose ends stand in two tables", () => {
    const mapped = `0000000000000000FFFF0000${v4}`
    const six = table(
      row(`${"0".repeat(32)}:${hex(3000)}`, `${"0".repeat(32)}:0000`, LISTEN, USER),
      row(`${mapped}:${hex(3000)}`, `${mapped}:${hex(50_000)}`, OPEN, USER),
    )
    const four = table(row(`${v4}:${hex(50_000)}`, `${v4}:${hex(3000)}`, OPEN, NGINX))
    assert.equal(countWebUis([four, six], USER, []), 1)
  })
  it("reads the real tables", async () => {
    const uid = process.getuid?.() ?? 0
    const server = createServer(() => {}).listen(0, "127.0.0.1")
    await once(server, "listening")
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1")
    await once(client, "connect")
    // Both ends are this process's user, so it is no visitor.
    assert.equal(await webUis(uid, []), 0)
    assert.equal(await webUis(undefined, []), 0)
    client.destroy()
    server.close()
  })
})
