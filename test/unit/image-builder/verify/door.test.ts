import assert from "node:assert/strict"
import { createServer, type Server } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net"
import { startService } from "../../../../image-builder/verify/around/service.ts"
import { admission } from "../../../../image-builder/verify/checks/admission.ts"
import { exposedSockets } from "../../../../image-builder/verify/checks/contents.ts"
import { isReachable } from "../../../../image-builder/verify/checks/ports.ts"
import { tls } from "../../../../image-builder/verify/checks/tls.ts"
import { ask } from "../../../../image-builder/verify/door.ts"
import type { Run } from "../../../../image-builder/verify/run.ts"
import { runChecks } from "../../../../image-builder/verify/run-checks.ts"
import { until } from "../../../../image-builder/verify/until.ts"
import { selfSignedCertificate } from "../../../support/certificate.ts"

const port = (server: TcpServer) => (server.address() as AddressInfo).port

/** A door that lets everybody in, on which every check of a door must fail. */
describe("checks of a machine's door", () => {
  let server: Server
  let run: Run

  before(async () => {
    server = createServer(
      { ...selfSignedCertificate("another.name"), minVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" },
      (request, response) => {
        const isEntry = request.url?.startsWith("/enter")
        response
          .writeHead(isEntry ? 303 : 200, { location: "/", "set-cookie": "__Host-foozol=everybody; Path=/" })
          .end("<html>")
      },
    )
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    const door = { host: "127.0.0.1", port: port(server), name: "checked.foozol.localhost" }
    run = {
      door,
      patience: 60_000,
      startedAt: Date.now() + 3_600_000,
      service: await startService(),
      until: (what, question) => until(what, question, { limit: 60_000 }),
      ask: (path, options) => ask(door, path, { ...options, limit: 60_000 }),
    } as Run
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await run.service.close()
  })

  const said = async (list: typeof tls) =>
    (
      await runChecks(
        list.map(check => ({ ...check, needs: [] })),
        run,
      )
    ).map(({ state, detail }) => `${state}: ${detail}`)

  it("notice old TLS and another's certificate", async () => {
    const [versions, certificate] = await said(tls)
    assert.equal(versions, "failed: TLS 1.1 is spoken")
    assert.match(certificate ?? "", /^failed: The certificate is for "DNS:another\.name"/)
  })

  it("notice a certificate that is older than the machine", async () => {
    run.door.name = "another.name"
    const [, certificate] = await said(tls)
    run.door.name = "checked.foozol.localhost"
    assert.match(certificate ?? "", /^failed: The certificate is from .* it came with the image$/)
  })

  it("notice that everybody is let in", async () => {
    const [nobody, expired, ticket, foreign, away] = await said(admission)
    assert.match(nobody ?? "", /^failed: \/ answered 200 instead of 401 to a visitor without a token/)
    assert.match(expired ?? "", /^failed: The page's policy is ""/)
    assert.match(ticket ?? "", /^failed: The cookie lacks/)
    assert.match(foreign ?? "", /^failed: /)
    assert.match(away ?? "", /^failed: \/ answered 200 while the service was away/)
  })
})

describe("#isReachable()", () => {
  const servers: TcpServer[] = []
  async function listen(answer: Parameters<typeof createTcpServer>[1]): Promise<{ host: string; port: number }> {
    const server = createTcpServer(answer)
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    return { host: "127.0.0.1", port: port(server) }
  }
  after(() => {
    for (const server of servers) server.close()
  })

  it("takes for open what speaks, and what takes a connection and stays silent", async () => {
    assert.equal(await isReachable(await listen(socket => socket.end("RFB 003.008\n"))), true)
    assert.equal(await isReachable(await listen(socket => socket.on("end", () => socket.end()))), true)
  })
  it("takes for closed what hangs up at once, as whoever stands before the machine does, and what refuses", async () => {
    assert.equal(await isReachable(await listen(socket => socket.destroy()), 30_000), false)
    const gone = await listen(() => {})
    await new Promise(resolve => servers.at(-1)?.close(resolve))
    assert.equal(await isReachable(gone), false)
  })
})

describe("#exposedSockets()", () => {
  it("leaves out what only the machine itself reaches", () => {
    const listing = `LISTEN 0 511  0.0.0.0:443  0.0.0.0:*
LISTEN 0 5    127.0.0.1:5900 0.0.0.0:*
LISTEN 0 5    [::1]:3128 [::]:*
LISTEN 0 5    *:6080 *:*
LISTEN 0 511  [::]:443 [::]:*
`
    assert.deepEqual(exposedSockets(listing), ["0.0.0.0:443", "*:6080", "[::]:443"])
  })
})
