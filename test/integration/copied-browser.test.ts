import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { createServer } from "node:net"
import { builtImage } from "../support/built-image.ts"
import { type GoldenCloud, openShell, startGoldenCloud } from "../support/golden-machine.ts"
import { waitUntil } from "../support/wait-until.ts"

/** Where a machine finds this host's loopback. */
const HOST = "169.254.0.2"
const LIMIT = 300_000
const COPIES = 2

/** What a page draws on: the language's own numbers, and those for keys. */
const PAGE = `<!doctype html><title>numbers</title><script>
const words = crypto.getRandomValues(new Uint32Array(4)).join("-")
fetch("/numbers?math=" + Math.random() + "&words=" + words)
</script>`

/** The browser stands in the template already: what it draws after the copy is still each machine's own. */
describe("browser of machines that begin as copies", () => {
  let golden: GoldenCloud
  let site: Awaited<ReturnType<typeof startSite>>

  before(async function () {
    await builtImage(this, "browser")
    golden = await startGoldenCloud("browser", "template")
    await golden.prepare()
    site = await startSite()
  })
  after(async () => {
    site?.close()
    await golden?.close()
  })

  it("is on the desktop at once, as the same process, and gives each copy other numbers and other keys", async () => {
    const begun: string[] = []
    for (let copy = 0; copy < COPIES; copy++) {
      const machine = await golden.create({ workspace: `twin-${copy}` })
      const viewer = await waitUntil("a viewer is let in", () => machine.viewer(), LIMIT)
      const shell = await openShell(viewer)
      begun.push((await shell.run("systemctl show --property MainPID --value foozol-browser.service")).trim())
      const [numbers, hellos] = [site.numbers.length, site.hellos.length]
      const asUser = "runuser -u user -- env HOME=/home/user DISPLAY=:99 /usr/lib/foozol/browser"
      await shell.run(`${asUser} http://${HOST}:${site.plain}/ > /dev/null 2>&1`)
      await waitUntil("the page has told its numbers", () => site.numbers.length > numbers, LIMIT)
      await shell.run(`${asUser} https://${HOST}:${site.tls}/ > /dev/null 2>&1`)
      await waitUntil("the browser asks for a TLS connection", () => site.hellos.length > hellos, LIMIT)
      shell.close()
      viewer.close()
      await golden.cloud.api("DELETE", `/servers/${machine.id}`)
    }
    assert.equal(new Set(begun).size, 1, "the browser is the template's, which had its process number already")
    for (const name of ["math", "words"]) {
      const drawn = site.numbers.map(one => one.get(name))
      assert.equal(drawn.length, COPIES)
      assert.equal(new Set(drawn).size, COPIES, `${name} is the same on two machines: ${drawn[0]}`)
    }
    assert.ok(site.hellos.length >= COPIES)
    assert.equal(new Set(site.hellos).size, site.hellos.length, "a TLS client's randomness was seen twice")
  })
})

/** A page that tells its numbers, and a port that hears how TLS clients begin (`random`, RFC 8446, 4.1.2). */
async function startSite() {
  const numbers: URLSearchParams[] = []
  const hellos: string[] = []
  const plain = createHttpServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://site")
    if (pathname === "/numbers") numbers.push(searchParams)
    response.writeHead(pathname === "/favicon.ico" ? 404 : 200, { "content-type": "text/html" }).end(PAGE)
  })
  const tls = createServer(socket => {
    socket.once("data", bytes => {
      // Record header 5, handshake header 4, version 2: then 32 bytes of randomness.
      if (bytes[0] === 22) hellos.push(bytes.subarray(11, 43).toString("hex"))
      socket.destroy()
    })
    socket.on("error", () => {})
  })
  for (const server of [plain, tls]) await once(server.listen(0, "127.0.0.1"), "listening")
  const portOf = (server: { address(): unknown }) => (server.address() as { port: number }).port
  return {
    numbers,
    hellos,
    plain: portOf(plain),
    tls: portOf(tls),
    close() {
      plain.closeAllConnections()
      for (const server of [plain, tls]) server.close()
    },
  }
}
