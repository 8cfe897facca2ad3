import assert from "node:assert/strict"
import type { FirewallRule, MachineConfig } from "../../local-cloud/machines/contract.ts"
import { findQemu } from "../../local-cloud/machines/qemu/processes.ts"
import { OwnAddresses } from "../../local-cloud/own-addresses.ts"
import {
  COMMAND_PORT,
  COMMANDS,
  type NetworkWorld,
  onMachine,
  startNetworkWorld,
  WORLD,
  whyNoNetworks,
} from "../support/network-world.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { testImage } from "../support/test-image.ts"
import { testMachine } from "../support/test-machine.ts"
import { waitUntil } from "../support/wait-until.ts"

const own = OwnAddresses.parse({
  // One range is routed to the host, the other lies in the network that it is in.
  ...{ ipv4: ["198.51.100.0/28", "192.0.2.16/28"], answerOn: "up0" },
  ...{ ipv6: "2001:db8:1::/48", dns: [WORLD.outside], hostPorts: [8443] },
})
const everybody = ["0.0.0.0/0", "::/0"]
const inwards = (port: number, peers = everybody): FirewallRule => ({
  ...{ direction: "in", protocol: "tcp", port: String(port), peers },
})

/** A machine that takes commands from outside. */
function machine(id: number, rules: FirewallRule[]): MachineConfig {
  const [ipv4, ipv6] = [id === 1 ? "198.51.100.1" : "192.0.2.18", `2001:db8:1:${id}::/64`]
  const config = testMachine(id, { ipv4, ipv6, rules: [inwards(COMMAND_PORT, [`${WORLD.outside}/32`]), ...rules] })
  const publicIpv6 = ipv6.replace("::/64", "::1/64")
  return { ...config, metadata: { ...config.metadata, publicIpv4: ipv4, publicIpv6, userData: COMMANDS } }
}

describe("machines with addresses of their own", function () {
  this.timeout(600_000)
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>
  let world: NetworkWorld
  // The first is open to everybody, the second to one outside alone.
  const first = machine(1, [inwards(443)])
  const second = machine(2, [inwards(443, [`${WORLD.outside}/32`])])

  before(async function () {
    const reason = await whyNoNetworks()
    if (reason !== null) skipSuite(this, reason)
    directory = await temporaryDirectory()
    world = await startNetworkWorld(directory.path, own)
    await world.driver("importImage", 1, await testImage())
    for (const config of [first, second]) {
      await world.driver("createDisk", config.id, 1, config.diskBytes)
      await world.driver("start", config)
    }
    for (const where of ["host", "outside"] as const) await world.listen(where, 8080)
    await world.listen("host", 8443)
    await world.listen("host", 9000, "127.0.0.1")
  })
  after(async () => {
    await world?.close()
    const left = [...findQemu().keys()].filter(path => path.startsWith(`${directory?.path}/`))
    await directory?.remove()
    assert.deepEqual(left, [], "machines are left behind")
  })

  /** What an address answers to somebody outside within two seconds; empty: nothing. */
  const outsideSees = (at: string) =>
    world
      .run("outside", "curl", ["--silent", "--globoff", "--max-time", "2", `http://${at}/state.json`])
      .catch(() => "")
  /** Which of these (`ADDRESS PORT`) a machine can connect to. */
  const reached = async (from: MachineConfig, targets: string[]) => {
    const tries = targets.map(target => `(timeout 10 nc ${target} < /dev/null > /dev/null 2>&1 && echo "${target}") &`)
    const said = await onMachine(world, from, [...tries, "wait"].join("\n"))
    return said
      .split("\n")
      .filter(line => line !== "")
      .sort()
  }
  const isOpen = async (from: MachineConfig, address: string, port: number) =>
    (await reached(from, [`${address} ${port}`])).length > 0

  it("are reached from outside at their addresses, and only at ports that a rule opens", async () => {
    for (const { ipv4, name } of [first, second]) {
      const state = await waitUntil(`${name} answers`, async () => (await outsideSees(`${ipv4}:443`)) || false)
      assert.equal(JSON.parse(state).hostname, name)
      assert.equal(await outsideSees(`${ipv4}:6080`), "")
    }
  })

  it("read their own metadata and nobody else's", async () => {
    const url = "http://169.254.169.254/hetzner/v1/metadata"
    for (const config of [first, second]) {
      const read = await onMachine(world, config, `wget -q -O - ${url}`)
      assert.match(read, new RegExp(`^instance-id: ${config.id}$`, "m"))
      assert.match(read, new RegExp(`- address: 2001:db8:1:${config.id}::1/64\n +gateway: fe80::1`))
    }
    // Where each machine's are answered: by its own way alone.
    const listening = await world.run("host", "ss", ["-Hltn", "src", "169.254.0.1"])
    const ports = [...listening.matchAll(/169\.254\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
    assert.equal(ports.length, 2)
    const direct = ports.map(port => `169.254.0.1 ${port}`)
    assert.deepEqual(await reached(first, direct), [])
    // Nor is anybody else told, on this host or beside it: a key of the workspace stands there.
    await world.run("outside", "ip", ["route", "replace", "169.254.0.1", "via", WORLD.host])
    for (const port of ports) {
      const asked = ["--silent", "--max-time", "5", `http://169.254.0.1:${port}/hetzner/v1/userdata`]
      for (const where of ["host", "outside"] as const)
        assert.equal(await world.run(where, "curl", asked).catch(() => ""), "", where)
    }
    await world.run("outside", "ip", ["route", "del", "169.254.0.1"])
  })

  it("reach each other as their firewalls say, and whoever is outside", async () => {
    const others = ["198.51.100.1 443", "192.0.2.18 443", "192.0.2.18 6080", `${WORLD.outside} 8080`]
    assert.deepEqual(await reached(second, others.slice(0, 1)), ["198.51.100.1 443"])
    assert.deepEqual(await reached(first, others.slice(1)), [`${WORLD.outside} 8080`])
  })

  it("reach of the host what its operator opens, and neither the rest nor its loopback", async () => {
    assert.equal(
      await waitUntil("the host answers", async () => (await outsideSees(`${WORLD.host}:8080`)) || false),
      "here",
    )
    const addresses = [WORLD.host, "169.254.0.1", "169.254.0.2"]
    const targets = addresses.flatMap(address => [8080, 8443, 9000, 22].map(port => `${address} ${port}`))
    assert.deepEqual(await reached(first, targets), [`${WORLD.host} 8443`])
  })

  it("send from their own addresses alone", async () => {
    const to = `${WORLD.outside} 8080 < /dev/null > /dev/null 2>&1 && echo open || echo closed`
    const asAnother = "ip address add 198.51.100.14/32 dev eth0; "
    const said = await onMachine(world, first, `${asAnother} timeout 3 nc -s 198.51.100.14 ${to}`)
    assert.match(said, /closed/)
    await onMachine(world, first, "ip address del 198.51.100.14/32 dev eth0")
    const routes = "ip route replace 169.254.0.1 dev eth0; ip route replace default via 169.254.0.1 dev eth0"
    const card = (mac: string) =>
      `ip link set eth0 down; ip link set eth0 address ${mac}; ip link set eth0 up; ${routes}`
    const byAnotherCard = [card("92:00:00:00:00:99"), `r=$(timeout 3 nc ${to})`, card("92:00:00:00:00:01"), 'echo "$r"']
    assert.match(await onMachine(world, first, byAnotherCard.join("\n")), /closed/)
    assert.equal(await isOpen(first, WORLD.outside, 8080), true)
  })

  it("have IPv6 the same way", async () => {
    for (const config of [first, second]) {
      const address = `ip -6 address add 2001:db8:1:${config.id}::1/64 dev eth0`
      await onMachine(world, config, `${address}; ip -6 route add default via fe80::1 dev eth0`)
    }
    const state = await waitUntil(
      "it answers by IPv6",
      async () => (await outsideSees("[2001:db8:1:1::1]:443")) || false,
    )
    assert.equal(JSON.parse(state).hostname, "machine-1")
    assert.equal(await outsideSees("[2001:db8:1:2::1]:443"), "", "its rule names an IPv4 address")
    assert.equal(await isOpen(first, WORLD.outsideV6, 8080), true)
    assert.equal(await isOpen(first, WORLD.hostV6, 8080), false)
  })

  it("follow their firewalls while they run, outwards too", async () => {
    const { rules } = first
    await world.driver("update", { ...first, rules: [inwards(COMMAND_PORT)] })
    assert.equal(await outsideSees("198.51.100.1:443"), "")
    const out: FirewallRule = { direction: "out", protocol: "tcp", port: "443", peers: everybody }
    await world.driver("update", { ...first, rules: [inwards(COMMAND_PORT), out] })
    assert.equal(await isOpen(first, WORLD.outside, 8080), false)
    await world.driver("update", { ...first, rules: null })
    const seen = await waitUntil(
      "without a firewall all is open",
      async () => (await outsideSees("198.51.100.1:6080")) || false,
    )
    assert.match(seen, /machine-1/)
    await world.driver("update", { ...first, rules })
  })

  it("go on when the local cloud is killed, and are what they were when it is back", async () => {
    const before = await waitUntil("it answers", async () => (await outsideSees("198.51.100.1:443")) || false)
    assert.match(before, /machine-1/)
    await world.crash()
    await waitUntil("it answers still", async () => (await outsideSees("198.51.100.1:443")) === before)
    assert.match(
      await onMachine(world, first, "wget -q -O - http://169.254.169.254/hetzner/v1/metadata/instance-id"),
      /^1/,
    )
    assert.equal(await isOpen(first, "192.0.2.18", 443), false)
    assert.equal(await world.driver("isRunning", 2), true)
  })

  it("leave neither interface nor rules behind", async () => {
    const left = async () => {
      const links = await world.run("host", "ip", ["-o", "link"])
      return {
        links: links.match(/fz[0-9a-z]+(?=:)/g) ?? [],
        rules: await world.run("host", "nft", ["list", "ruleset"]),
      }
    }
    assert.deepEqual((await left()).links.sort(), ["fz1", "fz2"])
    await world.driver("powerOff", 2)
    const { links, rules } = await left()
    assert.deepEqual(links, ["fz1"])
    assert.ok(rules.includes("from_1") && !rules.includes("from_2"))
    assert.equal(await outsideSees("192.0.2.18:443"), "")
  })
})
