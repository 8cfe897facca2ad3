import assert from "node:assert/strict"
import {
  type Forward,
  forwardChanges,
  forwardRule,
  forwardSource,
  hostPort,
  parseForwards,
  wantedForwards,
} from "../../../local-cloud/machines/qemu/forwards.ts"
import { testMachine } from "../../support/test-machine.ts"

const usernet = `Hub -1 (net):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[ESTABLISHED]   21      127.77.0.1   443    169.254.0.15   443     0     0
  TCP[HOST_FORWARD]  13      127.77.0.1 10443    169.254.0.15   443     0     0
  UDP[HOST_FORWARD]  14      127.77.0.1  5000    169.254.0.15  5000     0     0
  UDP[236 sec]       15    169.254.0.15 68      169.254.0.2    67     0     0
`
const https: Forward = { protocol: "tcp", address: "127.77.0.1", hostPort: 10_443, guestPort: 443 }
const voice: Forward = { protocol: "udp", address: "127.77.0.1", hostPort: 5000, guestPort: 5000 }

describe("forwards", () => {
  it("hostPort() moves low ports only where they may not be listened on", () => {
    assert.deepEqual(
      [hostPort(443, 1024), hostPort(1024, 1024), hostPort(443, 0), hostPort(443, 443)],
      [10_443, 1024, 443, 443],
    )
  })

  it("wantedForwards() has one forward for each port, and none without an address", () => {
    const config = testMachine(1, {
      ipv4: "127.77.0.1",
      ports: [
        { protocol: "tcp", port: 443 },
        { protocol: "udp", port: 5000 },
      ],
    })
    assert.deepEqual(wantedForwards(config, 1024), [https, voice])
    assert.deepEqual(wantedForwards({ ...config, ipv4: null }, 1024), [])
  })

  it("forwardRule() and forwardSource() speak QEMU's notation", () => {
    assert.equal(forwardRule(https), "tcp:127.77.0.1:10443-:443")
    assert.equal(forwardSource(voice), "udp:127.77.0.1:5000")
  })

  it("parseForwards() finds forwards among connections", () => {
    assert.deepEqual(parseForwards(usernet), [https, voice])
    assert.deepEqual(parseForwards(""), [])
  })

  it("forwardChanges() removes what is not wanted and adds what is missing", () => {
    assert.deepEqual(forwardChanges([https], [voice]), { remove: [https], add: [voice] })
    assert.deepEqual(forwardChanges([https, voice], [voice, https]), { remove: [], add: [] })
  })
})
