import assert from "node:assert/strict"
import { createHash, X509Certificate } from "node:crypto"
import { once } from "node:events"
import { readFile, rm, stat } from "node:fs/promises"
import { connect as connectHttp2 } from "node:http2"
import { Agent } from "node:https"
import type { Socket } from "node:net"
import { join } from "node:path"
import { connect, type TLSSocket } from "node:tls"
import acme from "acme-client"
import WebSocket from "ws"
import type { Authority } from "../../image-builder/agent/certificate/authority.ts"
import type { CertificateState } from "../../image-builder/agent/certificate/words.ts"
import { bundleAcme } from "../../image-builder/bundles.ts"
import { type DnsServer, startDns } from "../../local-cloud/network/dns.ts"
import { which } from "../../tools/setup/run.ts"
import { startLimitingDirectory } from "../support/limiting-directory.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { type Pebble, pebbleOrSkip, startPebble } from "../support/pebble.ts"
import { skipSuite } from "../support/skip.ts"
import { startStandInService } from "../support/stand-in-service.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { waitUntil } from "../support/wait-until.ts"

const HOST = "blue-otter.desk.example"
const DAY = 86_400_000

/** A machine's NGINX and agent, and a certificate authority that finds them by DNS at one port. */
describe("certificate of a machine", function () {
  this.timeout(300_000)
  let pebble: Pebble
  let dns: DnsServer
  let nginx: MachineNginx
  let agent: TestAgent
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  /** How far the machine's clock is ahead, ms. */
  let ahead = 0
  const ends: (() => Promise<void>)[] = []

  before(async function () {
    if (!(await which("nginx"))) return skipSuite(this, "this system has no NGINX")
    const records: Record<string, string> = { "blue-otter": "127.0.0.1" }
    dns = await startDns({
      port: 0,
      zones: () => ["desk.example"],
      lookup: (_, name, type) => {
        const value = type === "A" ? records[name] : undefined
        return value === undefined ? [] : [{ ttl: 60, values: [value] }]
      },
    })
    ends.push(() => dns.close())
    scratch = await temporaryDirectory()
    ends.push(scratch.remove)
    // As it lies on the machine: there it has another HTTP client than the one that acme-client brings.
    await bundleAcme(scratch.path)
    const socket = join(scratch.path, "agent.sock")
    // The test agent brings the service along, and NGINX is there before it: it asks at the same address later.
    const service = await startStandInService()
    ends.push(service.close)
    service.tokens.add("good")
    nginx = await startMachineNginx({ host: HOST, service: service.url, workspaceKey: service.key, socket })
    ends.push(nginx.close)
    pebble = await pebbleOrSkip(this, { tlsPort: nginx.port, dns: dns.port })
    ends.push(() => pebble.close())
    agent = await startTestAgent({
      onVnc: serveVnc,
      times: { now: () => Date.now() + ahead, heartbeatMs: 100 },
      settings: { certificate: pebble.authority("127.0.0.1") },
      config: {
        socket,
        https: { host: "127.0.0.1", port: nginx.port },
        certificate: {
          ...{ name: HOST, folder: nginx.tls, socket: nginx.acmeSocket },
          program: join(scratch.path, "acme.cjs"),
        },
      },
      onRun: (program, args) => {
        if (program === "systemctl" && args.join(" ") === "reload nginx.service") nginx.reload()
      },
    })
    ends.push(agent.close)
    agent.service.tokens.add("good")
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  /** A VNC server that says something again and again, so that a stream that ends is noticed. */
  function serveVnc(socket: Socket): void {
    socket.write("RFB 003.008\n")
    const timer = setInterval(() => socket.write("x"), 20)
    socket.once("close", () => clearInterval(timer)).on("error", () => clearInterval(timer))
  }
  const report = () => agent.service.reports.at(-1) as { ready: boolean; certificate?: CertificateState } | undefined
  const file = (name: string) => readFile(join(nginx.tls, name), "utf8")
  const use = (certificate: Authority | null) => {
    agent.service.settings = { certificate }
    // The same settings again are no reason to look; what the clock says has changed too.
    agent.service.push("settings", { certificate: null })
    agent.service.push("settings", { certificate })
  }
  /** What a browser would see; `ca` is what it trusts. */
  function handshake(given: { ca?: string; alpn?: string[] } = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const at = {
        host: "127.0.0.1",
        port: nginx.port,
        servername: HOST,
        ALPNProtocols: given.alpn ?? ["h2", "http/1.1"],
      }
      const socket = connect(
        { ...at, ...(given.ca === undefined ? { rejectUnauthorized: false } : { ca: given.ca }) },
        () => resolve(socket),
      )
      socket.once("error", reject)
      socket.setTimeout(60_000, () => socket.destroy(new Error("no answer")))
    })
  }
  async function served(): Promise<string> {
    const socket = await handshake()
    const { serialNumber } = socket.getPeerX509Certificate() as X509Certificate
    socket.destroy()
    return serialNumber
  }
  async function replaced(before: string): Promise<void> {
    await waitUntil("another certificate is served", async () => (await served()) !== before)
    await waitUntil(
      "the report is content",
      () => report()?.certificate?.problem === null && !report()?.certificate?.asking,
    )
  }
  const issued = () => waitUntil("the report tells of a certificate", () => report()?.certificate?.state === "issued")

  it("comes through the one open port before the desktop is called ready, for the key that was there", async () => {
    await issued()
    const first = agent.service.reports.find(one => one.ready === true) as { certificate: CertificateState } | undefined
    await waitUntil("ready", () => report()?.ready)
    const ready = (first ?? report()) as { certificate: CertificateState }
    assert.equal(ready.certificate.state, "issued")
    assert.match(ready.certificate.issuer, /^Pebble Intermediate/)
    assert.equal(ready.certificate.problem, null)
    const socket = await handshake({ ca: await pebble.root() })
    assert.equal(socket.authorized, true)
    assert.equal(socket.alpnProtocol, "h2")
    socket.destroy()
    assert.ok(new X509Certificate(await file("cert.pem")).checkHost(HOST))
    for (const name of ["cert.pem", "account.pem", "asked.json"]) {
      const { mode } = await stat(join(nginx.tls, name))
      assert.equal(mode & 0o077, 0, `${name} is readable by others`)
    }
  })

  it("is answered for at the port only while it is asked for; visitors never reach the answer", async () => {
    await assert.rejects(handshake({ alpn: ["acme-tls/1"] }))
    // Both at once is nobody's question: browsers name theirs, authorities only their own.
    const both = await handshake({ alpn: ["acme-tls/1", "http/1.1"] })
    assert.equal(both.alpnProtocol, "http/1.1")
    both.destroy()
    const none = await handshake({ alpn: [] })
    assert.equal(none.alpnProtocol, false)
    none.destroy()
  })

  it("leaves visitors their own address, their protocol and their refusal", async () => {
    const session = connectHttp2(`https://127.0.0.1:${nginx.port}`, { servername: HOST, ca: await pebble.root() })
    const stream = session.request({ ":path": "/", ":authority": HOST })
    const [headers] = (await once(stream, "response")) as [Record<string, string>]
    assert.equal(headers[":status"], 401)
    session.close()
    assert.match(await waitUntil("the log has a line", () => nginx.accessLog()), /^127\.0\.0\.1 "GET \/.*" 401/m)
  })

  it("is renewed in time, and a stream that is open goes on", async () => {
    const before = await served()
    const stream = new WebSocket(`wss://127.0.0.1:${nginx.port}/vnc`, "binary", {
      headers: { host: HOST, origin: `https://${HOST}`, cookie: "__Host-foozol=good" },
      rejectUnauthorized: false,
    })
    let [bytes, closed] = [0, false]
    stream.on("message", (data: Buffer) => (bytes += data.length))
    stream.on("close", () => (closed = true))
    await once(stream, "open")
    ahead = 75 * DAY
    // Another mail address is a reason to look again, none to ask anew.
    use(pebble.authority("127.0.0.1", { contact: "operator@desk.example" }))
    await replaced(before)
    const seen = bytes
    await waitUntil("the stream goes on", () => bytes > seen + 50 || closed)
    assert.equal(closed, false)
    stream.close()
    ahead = 0
  })

  it("stays in use while the authority is down, which is said, and is replaced when it is back", async () => {
    const before = await served()
    await pebble.stop()
    ahead = 80 * DAY
    use(pebble.authority("127.0.0.1"))
    const problem = await waitUntil("the report tells why", () => report()?.certificate?.problem)
    assert.equal(problem.kind, "unreachable")
    assert.match(problem.reason, /ECONNREFUSED/)
    assert.equal(report()?.ready, true)
    assert.equal(report()?.certificate?.state, "issued")
    assert.equal(await served(), before)
    // It has forgotten all accounts meanwhile.
    await pebble.start()
    use(pebble.authority("127.0.0.1", { contact: "operator@desk.example" }))
    await replaced(before)
    ahead = 0
  })

  it("an expired one is asked for before the desktop is ready again, and the report says so meanwhile", async () => {
    const before = await served()
    await pebble.stop()
    ahead = 200 * DAY
    use(pebble.authority("127.0.0.1", { contact: "late@desk.example" }))
    await waitUntil("the report tells that it has expired", () => {
      const { ready, certificate } = report() ?? {}
      return ready === false && certificate?.state === "expired"
    })
    await waitUntil("it failed once", () => report()?.certificate?.problem?.failures === 1)
    assert.equal(report()?.ready, false, "it is tried again within the owner's patience")
    await pebble.start()
    ahead = 0
    use(pebble.authority("127.0.0.1", { contact: "later@desk.example" }))
    ahead = 200 * DAY
    await replaced(before)
    ahead = 0
    await waitUntil("ready", () => report()?.ready)
  })

  it("an account that the authority has closed: the old one stays, and the report says why", async () => {
    const before = await served()
    const authority = pebble.authority("127.0.0.1")
    acme.axios.defaults.httpsAgent = new Agent({ ca: await readFile(pebble.trustFile) })
    const client = new acme.Client({ directoryUrl: authority.directory, accountKey: await file("account.pem") })
    await client.createAccount({ onlyReturnExisting: true })
    await client.updateAccount({ status: "deactivated" } as never)
    ahead = 75 * DAY
    use(authority)
    const problem = await waitUntil("the report tells why", () => report()?.certificate?.problem)
    assert.equal(problem.kind, "unauthorized")
    assert.equal(await served(), before)
    assert.equal(report()?.ready, true)
    await rm(join(nginx.tls, "account.pem"))
    use(pebble.authority("127.0.0.1", { contact: "new@desk.example" }))
    await replaced(before)
    ahead = 0
  })

  it("a limit that was reached: it waits for as long as it is told to, and succeeds afterwards", async () => {
    const before = await served()
    const limiting = await startLimitingDirectory(pebble.authority("127.0.0.1"), pebble, 3_600)
    try {
      ahead = 78 * DAY
      use(limiting.authority)
      const problem = await waitUntil("the report tells why", () => report()?.certificate?.problem)
      assert.equal(problem.kind, "rateLimited")
      // Of whom it is told, and whose the certificate is that stays: the service goes by that.
      assert.equal(problem.authority, limiting.authority.directory)
      assert.equal(report()?.certificate?.authority, pebble.authority("127.0.0.1").directory)
      assert.match(problem.reason, /too many certificates/)
      const next = Date.parse(report()?.certificate?.nextAt ?? "") - (Date.now() + ahead)
      assert.ok(next > 3_500_000 && next <= 3_600_000, `next try in ${next} ms`)
      assert.equal(await served(), before)
      limiting.lift()
      ahead += 3_600_000
      use(limiting.authority)
      await replaced(before)
    } finally {
      ahead = 0
      await limiting.close()
    }
  })

  it("an authority that binds accounts: refused without the binding, taken with it, and the chain that is preferred", async () => {
    const before = await served()
    const key = createHash("sha256").update("binding").digest("base64url")
    const other = await startPebble({ tlsPort: nginx.port, dns: dns.port, bindings: { "kid-1": key } })
    try {
      ahead = 82 * DAY
      use(other.authority("127.0.0.1"))
      const problem = await waitUntil("the report tells why", () => report()?.certificate?.problem)
      assert.equal(problem.kind, "externalAccountRequired")
      const chain = (await other.rootName(1)) ?? ""
      use(other.authority("127.0.0.1", { binding: { kid: "kid-1", key }, chain }))
      await replaced(before)
      const all = (await file("cert.pem")).match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? []
      assert.ok(new X509Certificate(all.at(-1) ?? "").issuer.includes(chain))
      assert.ok(!JSON.stringify(agent.service.reports).includes(key))
      assert.ok(!(await file("asked.json")).includes(key))
    } finally {
      ahead = 0
      await other.close()
    }
  })

  it("its key and the account's are nowhere but in their files", async () => {
    const said = [
      JSON.stringify(agent.service.reports),
      agent.logged.join("\n"),
      pebble.logged(),
      await file("cert.pem"),
      await file("asked.json"),
    ]
    for (const name of ["key.pem", "account.pem"]) {
      const lines = (await file(name)).split("\n").filter(line => line.length > 30 && !line.startsWith("-"))
      assert.ok(lines.length > 0)
      for (const text of said)
        for (const line of lines) assert.ok(!text.includes(line.slice(0, 40)), `${name} was told`)
    }
  })
})
