import assert from "node:assert/strict"
import { createSocket } from "node:dgram"
import { promises as dns } from "node:dns"
import { once } from "node:events"
import { connect } from "node:net"
import { decode, encode, type Packet, type Question } from "dns-packet"
import { answerDatagrams, type DnsServer, startDns } from "../../../local-cloud/network/dns.ts"

const records: Record<string, { ttl: number; values: string[] }> = {
  "@ A": { ttl: 60, values: ["127.77.0.1"] },
  "@ MX": { ttl: 60, values: ["10 mail", "20 mail.elsewhere.example."] },
  "@ NS": { ttl: 60, values: ["ns1"] },
  "@ CAA": { ttl: 60, values: ['0 issue "ca.example; validationmethods=tls-alpn-01"'] },
  "@ TXT": { ttl: 60, values: ['"one \\"part\\"" "two"', "plain"] },
  "one A": { ttl: 5, values: ["127.77.0.2", "127.77.0.3"] },
  "one AAAA": { ttl: 5, values: ["::1"] },
  "alias CNAME": { ttl: 5, values: ["one"] },
  "away CNAME": { ttl: 5, values: ["www.elsewhere.example."] },
  "loop CNAME": { ttl: 5, values: ["loop"] },
  "*.apps A": { ttl: 5, values: ["127.77.0.9"] },
  "taken.apps TXT": { ttl: 5, values: ["here"] },
  "long TXT": { ttl: 5, values: [`"${"a".repeat(900)}"`, `"${"b".repeat(900)}"`] },
  "broken A": { ttl: 5, values: ["no address"] },
}

describe("startDns()", () => {
  let server: DnsServer
  let resolver: dns.Resolver

  before(async () => {
    const names = Object.keys(records).map(key => key.split(" ")[0] ?? "")
    server = await startDns({
      port: 0,
      zones: () => ["cloud.example", "inner.cloud.example"],
      lookup: (zone, name, type) => {
        if (name === "failing") throw new Error("no luck")
        const set = zone === "cloud.example" ? records[`${name} ${type}`] : undefined
        return set ? [set] : []
      },
      names: zone => (zone === "cloud.example" ? names : []),
    })
    resolver = new dns.Resolver({ tries: 1, timeout: 30_000 })
    resolver.setServers([`127.0.0.1:${server.port}`])
  })
  after(() => server.close())

  it("answers all types of records", async () => {
    assert.deepEqual(await resolver.resolve4("cloud.example", { ttl: true }), [{ address: "127.77.0.1", ttl: 60 }])
    assert.deepEqual((await resolver.resolve4("one.cloud.example")).sort(), ["127.77.0.2", "127.77.0.3"])
    assert.deepEqual(await resolver.resolve6("one.cloud.example"), ["::1"])
    assert.deepEqual(await resolver.resolveNs("cloud.example"), ["ns1.cloud.example"])
    assert.deepEqual(await resolver.resolveCname("alias.cloud.example"), ["one.cloud.example"])
    const mx = (await resolver.resolveMx("cloud.example")).sort((one, other) => one.priority - other.priority)
    assert.deepEqual(
      mx.map(({ exchange, priority }) => ({ exchange, priority })),
      [
        { exchange: "mail.cloud.example", priority: 10 },
        { exchange: "mail.elsewhere.example", priority: 20 },
      ],
    )
    assert.deepEqual(await resolver.resolveTxt("cloud.example"), [['one "part"', "two"], ["plain"]])
    const [caa] = await resolver.resolveCaa("cloud.example")
    assert.equal(caa?.issue, "ca.example; validationmethods=tls-alpn-01")
    assert.equal((await resolver.resolveSoa("cloud.example")).nsname, "ns.cloud.example")
  })

  it("takes upper and lower case for the same, and repeats the question as it was put", async () => {
    assert.deepEqual(await resolver.resolve6("ONE.Cloud.Example"), ["::1"])
    const answer = await askUdp({ name: "OnE.cLoud.example", type: "A" })
    assert.equal(answer.questions?.[0]?.name, "OnE.cLoud.example")
    assert.equal(answer.answers?.length, 2)
  })

  it("follows aliases inside the zone and stops where they lead elsewhere or in a circle", async () => {
    assert.equal((await resolver.resolve4("alias.cloud.example")).length, 2)
    const away = await askUdp({ name: "away.cloud.example", type: "A" })
    assert.deepEqual(
      away.answers?.map(({ type }) => type),
      ["CNAME"],
    )
    assert.equal(codeOf(away), "NOERROR")
    assert.equal(codeOf(await askUdp({ name: "loop.cloud.example", type: "A" })), "NOERROR")
  })

  it("tells a missing name from a missing type, both with the zone's SOA", async () => {
    const noName = await askUdp({ name: "nobody.cloud.example", type: "A" })
    assert.equal(codeOf(noName), "NXDOMAIN")
    const noData = await askUdp({ name: "one.cloud.example", type: "TXT" })
    assert.equal(codeOf(noData), "NOERROR")
    // Nothing is recorded at this name, but deeper names exist.
    const between = await askUdp({ name: "apps.cloud.example", type: "A" })
    assert.equal(codeOf(between), "NOERROR")
    for (const { answers, authorities } of [noName, noData, between]) {
      assert.deepEqual(answers, [])
      assert.deepEqual(
        authorities?.map(({ type, name }) => [type, name]),
        [["SOA", "cloud.example"]],
      )
    }
    assert.equal(codeOf(await askUdp({ name: "one.inner.cloud.example", type: "A" })), "NXDOMAIN")
  })

  it("answers for names under a wildcard, except those that exist", async () => {
    assert.deepEqual(await resolver.resolve4("any.apps.cloud.example"), ["127.77.0.9"])
    assert.deepEqual(await resolver.resolve4("very.deep.apps.cloud.example"), ["127.77.0.9"])
    assert.equal(codeOf(await askUdp({ name: "taken.apps.cloud.example", type: "A" })), "NOERROR")
    assert.equal(codeOf(await askUdp({ name: "below.taken.apps.cloud.example", type: "A" })), "NXDOMAIN")
  })

  it("refuses names of others", async () => {
    assert.equal(codeOf(await askUdp({ name: "elsewhere.example", type: "A" })), "REFUSED")
    assert.equal(codeOf(await askUdp({ name: "notcloud.example", type: "A" })), "REFUSED")
  })

  it("sends long answers over TCP", async () => {
    const short = await askUdp({ name: "long.cloud.example", type: "TXT" })
    assert.ok(((short.flags ?? 0) & 0x200) !== 0, "not marked as cut")
    const texts = await resolver.resolveTxt("long.cloud.example")
    assert.deepEqual(
      texts.map(parts => parts.join("").length),
      [900, 900],
    )
  })

  it("answers several queries in one TCP connection, however they are cut", async () => {
    const socket = connect(server.port, "127.0.0.1")
    const query = Buffer.concat(
      ["one", "alias"].map((name, id) => framed({ name: `${name}.cloud.example`, type: "A" }, id)),
    )
    let received = Buffer.alloc(0)
    socket.on("data", chunk => {
      received = Buffer.concat([received, chunk])
    })
    for (const byte of query) socket.write(Buffer.of(byte))
    const lengths = () => (received.length < 2 ? 0 : received.readUInt16BE(0) + 2)
    while (received.length < 2 || received.length <= lengths() + 2) await once(socket, "data")
    assert.equal(decode(received.subarray(2, lengths())).answers?.length, 2)
    socket.destroy()
  })

  it("survives rubbish, failing lookups and records that make no sense", async () => {
    const answer = decode(await exchange(Buffer.from("0102".padEnd(60, "f"), "hex")))
    assert.ok(["FORMERR", "REFUSED", "NOTIMP"].includes(codeOf(answer)), codeOf(answer))
    assert.equal(codeOf(await askUdp({ name: "failing.cloud.example", type: "A" })), "SERVFAIL")
    assert.deepEqual((await askUdp({ name: "broken.cloud.example", type: "A" })).answers, [])
    assert.equal((await resolver.resolve4("one.cloud.example")).length, 2)
  })

  it("survives a sender that cannot be answered", async () => {
    const socket = createSocket("udp4")
    answerDatagrams(socket, { zones: () => ["cloud.example"], lookup: () => [], names: () => [] })
    const question = encode({ type: "query", id: 7, questions: [{ name: "one.cloud.example", type: "A" }] })
    // A port that only a forged datagram comes from.
    socket.emit("message", question, { address: "127.0.0.1", family: "IPv4", port: 0, size: question.length })
    socket.emit("message", question, { address: "nobody.invalid", family: "IPv4", port: 9, size: question.length })
    await new Promise(resolve => setTimeout(resolve, 50))
    socket.close()
  })

  async function exchange(message: Buffer): Promise<Buffer> {
    const socket = createSocket("udp4")
    socket.send(message, server.port, "127.0.0.1")
    const [answer] = await once(socket, "message")
    socket.close()
    return answer
  }
  async function askUdp(question: Question): Promise<Packet & { rcode?: string }> {
    return decode(await exchange(encode({ type: "query", id: 7, questions: [question] })))
  }
  function codeOf(packet: Packet & { rcode?: string }): string {
    return packet.rcode ?? ""
  }
  function framed(question: Question, id: number): Buffer {
    const message = encode({ type: "query", id, questions: [question] })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    return Buffer.concat([length, message])
  }
})
