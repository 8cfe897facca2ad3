import assert from "node:assert/strict"
import { which } from "../../tools/setup/run.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { skipSuite } from "../support/skip.ts"
import { lookAtTls, oldCiphers } from "../support/tls-look.ts"

const HOST = "blue-otter.desk.example"
const GOOD = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"]
const REQUEST = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`

/** What a scanner of TLS servers would say about the door of a machine. */
describe("security: TLS of a machine", function () {
  this.timeout(300_000)
  let nginx: MachineNginx

  before(async function () {
    if (!(await which("nginx")) || !(await which("openssl")))
      return skipSuite(this, "this system has no NGINX or no openssl")
    const nobody = { service: "http://127.0.0.1:9", workspaceKey: "k".repeat(43), socket: "/nowhere" }
    nginx = await startMachineNginx({ host: HOST, ...nobody })
  })
  after(() => nginx?.close())
  const look = (args: string[], send?: string, until?: RegExp) => lookAtTls(nginx, args, send, until)

  it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
    const weak = ["-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    assert.equal((await look(["-tls1_3"])).protocol, "TLSv1.3")
    assert.equal((await look(["-tls1_2"])).protocol, "TLSv1.2")
    for (const old of ["-tls1_1", "-tls1"]) {
      const { protocol, text } = await look([old, ...weak])
      assert.equal(protocol, null, text)
      // The refusal is the server's, not this client's own.
      assert.match(text, /alert protocol version|unexpected eof|wrong version/)
    }
  })

  it("of all older ciphers it takes those with forward secrecy and authenticated encryption alone", async () => {
    const all = await oldCiphers()
    assert.ok(all.length > 30 && GOOD.every(name => all.includes(name)), `this openssl knows ${all.length}`)
    const taken: string[] = []
    const rest = [...all]
    const tryThem = async () => {
      for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
        const { cipher } = await look(["-tls1_2", "-cipher", `${name}:@SECLEVEL=0`])
        if (cipher !== null) taken.push(cipher)
      }
    }
    await Promise.all([tryThem(), tryThem(), tryThem(), tryThem()])
    assert.deepEqual(taken.sort(), GOOD)
  })

  it("neither compresses, nor renegotiates, nor gives tickets, and takes no early data", async () => {
    const { text } = await look(["-tls1_2"])
    assert.match(text, /^Compression: NONE$/m)
    assert.match(text, /^Secure Renegotiation IS supported$/m)
    assert.doesNotMatch(text, /TLS session ticket:/)
    // `R` is what s_client takes for the wish to negotiate anew.
    const anew = await look(["-tls1_2"], "R\n", /no renegotiation|RENEGOTIATING[\s\S]*verify return/)
    assert.match(anew.text, /RENEGOTIATING/)
    assert.match(anew.text, /no renegotiation/)
    const answered = await look(["-tls1_3"], REQUEST, /^HTTP\/1\.1 \d+/m)
    assert.match(answered.text, /^HTTP\/1\.1 503/m)
    assert.doesNotMatch(answered.text, /Max Early Data: [1-9]/)
  })

  it("offers HTTP/2, and HTTP/1.1 to whoever wants that", async () => {
    assert.match((await look(["-alpn", "h2,http/1.1"])).text, /^ALPN protocol: h2$/m)
    assert.match((await look(["-alpn", "http/1.1"])).text, /^ALPN protocol: http\/1\.1$/m)
    assert.match((await look([])).text, /^No ALPN negotiated$/m)
  })

  it("every answer, refusals too, carries the headers that keep browsers strict, and no version", async () => {
    const { text } = await look(["-quiet"], REQUEST, /<\/html>/)
    for (const wanted of [
      /^Strict-Transport-Security: max-age=31536000\r$/m,
      /^Content-Security-Policy: default-src 'none'/m,
      /^X-Content-Type-Options: nosniff\r$/m,
      /^X-Frame-Options: DENY\r$/m,
      /^Referrer-Policy: no-referrer\r$/m,
      /^Cross-Origin-Opener-Policy: same-origin\r$/m,
      /^Server: nginx\r$/m,
    ]) {
      assert.match(text, wanted)
    }
  })

  it("whoever speaks no TLS gets no answer", async () => {
    const answer = await fetch(`http://127.0.0.1:${nginx.port}/`).then(
      async one => `${one.status} ${await one.text()}`,
      () => "none",
    )
    assert.match(answer, /^(none|400 )/)
  })
})
