import assert from "node:assert/strict"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { builtImage } from "../support/built-image.ts"
import { type GoldenCloud, openShell, startGoldenCloud } from "../support/golden-machine.ts"
import { listenForHellos, type TlsHellos } from "../support/tls-hellos.ts"
import { waitUntil } from "../support/wait-until.ts"

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
  let heard: TlsHellos

  before(async function () {
    await builtImage(this, "browser")
    golden = await startGoldenCloud("browser", "template")
    await golden.prepare()
    site = await startSite()
    heard = await listenForHellos()
  })
  after(async () => {
    heard?.close()
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
      const [numbers, hellos] = [site.numbers.length, heard.hellos.length]
      const asUser = "runuser -u user -- env HOME=/home/user DISPLAY=:99 /usr/lib/foozol/browser"
      await shell.run(`${asUser} http://${HOST_FROM_MACHINES}:${site.port}/ > /dev/null 2>&1`)
      await waitUntil("the page has told its numbers", () => site.numbers.length > numbers, LIMIT)
      await shell.run(`${asUser} https://${HOST_FROM_MACHINES}:${heard.port}/ > /dev/null 2>&1`)
      await waitUntil("the browser asks for a TLS connection", () => heard.hellos.length > hellos, LIMIT)
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
    assert.ok(heard.hellos.length >= COPIES)
    assert.equal(new Set(heard.hellos).size, heard.hellos.length, "a TLS client's randomness was seen twice")
  })

  it("stays the same machine when one that was made ahead starts anew", async () => {
    await golden.prepare()
    const machine = await golden.create({ workspace: "made-ahead" })
    const viewer = await waitUntil("a viewer is let in", () => machine.viewer(), LIMIT)
    const shell = await openShell(viewer, { stays: true })
    const identity =
      "cat /etc/machine-id /etc/foozol/machine; openssl pkey -in /etc/foozol/tls/key.pem -pubout; hostname"
    const [before, boot] = [await shell.run(identity), await shell.run("cat /proc/sys/kernel/random/boot_id")]
    assert.match(before, new RegExp(`^${machine.id}$`, "m"))
    // Its id is written down once the desktop stands.
    await waitUntil("the id is on the disk", async () =>
      (await shell.run("mountpoint /etc/machine-id")).includes("not"),
    )
    await shell.run("sync")
    await golden.act(machine, "reset")
    await waitUntil("it is back", async () => (await shell.run("cat /proc/sys/kernel/random/boot_id")) !== boot, LIMIT)
    assert.equal(await shell.run(identity), before)
    shell.close()
    viewer.close()
  })
})

/** A page that tells its numbers. */
async function startSite() {
  const numbers: URLSearchParams[] = []
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://site")
    if (pathname === "/numbers") numbers.push(searchParams)
    response.writeHead(pathname === "/favicon.ico" ? 404 : 200, { "content-type": "text/html" }).end(PAGE)
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  return {
    numbers,
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
