import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { request } from "node:https"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import { which } from "../../tools/setup/run.ts"
import { findChromium, launchChromium } from "../support/chromium.ts"
import { type NodeProgram, startFileProgram } from "../support/file-program.ts"
import { type MachineNginx, startMachineNginx } from "../support/machine-nginx.ts"
import { enterMachine, shootPage } from "../support/machine-page.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { waitUntil as waitFor } from "../support/wait-until.ts"

const MIB = 1024 * 1024
const run = promisify(execFile)
const waitUntil = <T>(what: string, ask: () => Promise<T | false>) => waitFor(what, ask)

/** The page of files in a real browser: through a machine's NGINX, its agent and the files' program to a home. */
describe("page of files", () => {
  let browser: Browser
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let home: string
  let program: NodeProgram
  let desk: TestAgent
  let nginx: MachineNginx
  let context: BrowserContext
  let page: Page
  let faults: string[]

  const state = (name: string) => page.waitForSelector(`html[data-state="${name}"]`, { timeout: 180_000 })
  const names = () => page.$$eval("#entries tr", rows => rows.map(row => (row as HTMLElement).dataset.name))
  const shows = (...wanted: string[]) =>
    waitUntil(`the list is ${wanted.join(", ")}`, async () => (await names()).join("|") === wanted.join("|"))
  const text = (path: string) => readFile(join(home, path), "utf8")
  const shoot = (name: string) => shootPage(page, name)
  const choose = async (...wanted: string[]) => {
    for (const name of wanted) await page.check(`tr[data-name="${name}"] input`)
  }
  const give = (name: string, buffer: Buffer | string) => ({
    ...{ name, mimeType: "application/octet-stream", buffer: Buffer.from(buffer) },
  })
  const said = (pattern: RegExp) =>
    waitUntil(`it says ${pattern}`, async () => pattern.test((await page.textContent("#toasts")) ?? ""))
  const arrived = (pattern: RegExp) =>
    waitUntil(`uploads say ${pattern}`, async () => pattern.test((await page.textContent("#transfers")) ?? ""))

  const open = async (options: BrowserContextOptions = {}, token = "first") => {
    const way = { desk, nginx, to: "files", token, faults }
    ;({ context, page } = await enterMachine(browser, way, options))
    await state("connected")
    await waitUntil("the folder is read", async () => /\d+ items?/.test((await page.textContent("#foot-count")) ?? ""))
  }
  const startNginx = async () => {
    const { service, config } = desk
    const { url, key: workspaceKey } = service
    nginx = await startMachineNginx({ host: "blue-otter.test", service: url, workspaceKey, socket: config.socket })
  }

  before(async function () {
    const chromium = findChromium()
    const has = { Chromium: chromium, nginx: await which("nginx"), unzip: await which("unzip") }
    const missing = Object.entries(has).flatMap(([name, path]) => (path ? [] : [name]))
    if (chromium === undefined || missing.length > 0)
      return skipSuite(this, `this system has no ${missing.join(", no ")}`)
    browser = await launchChromium(chromium)
    scratch = await temporaryDirectory()
    home = join(scratch.path, "home")
    const socket = join(scratch.path, "files.sock")
    await mkdir(home)
    desk = await startTestAgent({ config: { filesSocket: socket } })
    program = await startFileProgram(home, socket)
    await startNginx()
  })
  beforeEach(async () => {
    faults = []
    for (const name of await readdir(home)) await rm(join(home, name), { recursive: true })
  })
  afterEach(async () => {
    await context?.close()
    assert.deepEqual(faults, [])
  })
  after(async () => {
    await nginx?.close()
    await desk?.close()
    await program?.close()
    await browser?.close()
    await scratch?.remove()
  })

  async function fill(): Promise<void> {
    await mkdir(join(home, "projects/website/images"), { recursive: true })
    await mkdir(join(home, "Documents"))
    for (const [name, size, days] of [
      ["Report 2026.pdf", 2_400_000, 0],
      ["screenshot.png", 412_000, 1],
      ["data.tar.gz", 38_000_000, 40],
      ["notes.md", 1_200, 400],
      ["projects/website/index.html", 90, 2],
      [".bashrc", 300, 9],
    ] as const) {
      await writeFile(join(home, name), Buffer.alloc(size, "x"))
      const at = Date.now() / 1000 - days * 86_400
      await utimes(join(home, name), at, at)
    }
    await symlink("/etc", join(home, "outside"))
  }

  it("shows a folder, sorts it, goes into others and back", async () => {
    await fill()
    await open()
    await shows("Documents", "projects", "data.tar.gz", "notes.md", "outside", "Report 2026.pdf", "screenshot.png")
    await shoot("files-1280")
    await page.click('[data-sort="size"] button')
    assert.deepEqual((await names()).slice(0, 4), ["Documents", "projects", "data.tar.gz", "Report 2026.pdf"])
    assert.ok(await page.isDisabled('tr[data-name="outside"] td.name button'))
    await page.click("#menu-button")
    await page.check("#show-hidden")
    await waitUntil("hidden ones are shown", async () => (await names()).includes(".bashrc"))
    await page.click('tr[data-name="projects"] td.name button')
    await shows("website")
    await page.click('tr[data-name="website"] td.name button')
    await shows("images", "index.html")
    assert.deepEqual(await page.$$eval("#way a", all => all.map(one => one.textContent)), [
      "Home",
      "projects",
      "website",
    ])
    await page.reload()
    await state("connected")
    await shows("images", "index.html")
    await page.goBack()
    await shows("website")
    await page.goto(`${page.url().replace(/#.*/, "")}#/no/such/folder`)
    await said(/cannot be opened/)
    await waitUntil("it goes up to what is there", async () => (await names()).includes("Documents"))
  })

  it("uploads files and folders, and asks where a name is taken", async () => {
    await writeFile(join(home, "a.txt"), "old a")
    await writeFile(join(home, "b.txt"), "old b")
    await open()
    await page.setInputFiles("#field-files", [give("a.txt", "new a"), give("b.txt", "new b"), give("c.txt", "c")])
    await page.waitForSelector("#taken[open]")
    await shoot("files-taken-1280")
    // Which of them is asked about first is not said.
    const asked = async () => /^"(.*?)"/.exec((await page.textContent("#taken-text")) ?? "")?.[1]
    const answer = (name?: string) => page.click(name === "a.txt" ? '#taken button[value="number"]' : "#taken-replace")
    const first = await asked()
    await answer(first)
    await waitUntil("it asks about the next", async () => (await asked()) !== first)
    await answer(await asked())
    await shows("a (2).txt", "a.txt", "b.txt", "c.txt")
    await waitUntil("b is replaced", async () => (await text("b.txt")) === "new b")
    assert.deepEqual([await text("a.txt"), await text("a (2).txt"), await text("b.txt")], ["old a", "new a", "new b"])
    const tree = join(scratch.path, "tree")
    await mkdir(join(tree, "src/deep"), { recursive: true })
    for (let at = 0; at < 12; at++) await writeFile(join(tree, "src/deep", `${at}.txt`), `${at}`)
    await page.setInputFiles("#field-folder", tree)
    await arrived(/12 files uploaded/)
    assert.equal(await text("tree/src/deep/7.txt"), "7")
    await page.evaluate(() => {
      const clipboardData = new DataTransfer()
      clipboardData.items.add(new File(["png"], "image.png", { type: "image/png" }))
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))
    })
    await waitUntil("it is pasted", async () => (await names()).some(name => /^pasted-[\d-]+\.png$/.test(name ?? "")))
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(["dropped"], "dropped.txt"))
      for (const type of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
    })
    await waitUntil("it is dropped", async () => (await names()).includes("dropped.txt"))
  })

  it("goes on with an upload after a lost connection, and after the page was loaded again", async () => {
    await open()
    // Slow enough to be cut off in the middle.
    /** What becomes of pieces from some offset on. */
    const stop = (from: number, how: "held" | "cut once") =>
      page.route("**/files/upload?*", async route => {
        const asked = route.request()
        const isThere = asked.method() === "PUT" && Number(new URL(asked.url()).searchParams.get("offset")) >= from
        if (!isThere) return route.continue()
        if (how === "held") return
        await page.unroute("**/files/upload?*")
        await route.abort("connectionreset")
      })
    const share = async () => Number(await page.getAttribute("#transfers-bar", "aria-valuenow"))
    const [file, other] = [join(scratch.path, "large.bin"), join(scratch.path, "other.bin")]
    const bytes = Buffer.alloc(30 * MIB, "0123456789abcdef")
    for (const one of [file, other]) await writeFile(one, bytes)
    await stop(16 * MIB, "held")
    await page.setInputFiles("#field-files", file)
    await waitUntil("some of it has arrived", async () => (await share()) > 30)
    await shoot("files-upload-1280")
    await context.close()

    await open({}, "again")
    await arrived(/1 upload to go on with/)
    await arrived(/large\.bin\d+ % of 31 MB has arrived in the home/)
    await shoot("files-unfinished-1280")
    const begun: number[] = []
    page.on("request", one => {
      if (one.method() === "PUT") begun.push(Number(new URL(one.url()).searchParams.get("offset")))
    })
    await page.setInputFiles("#field-files", file)
    await arrived(/1 file uploaded/)
    assert.ok((await readFile(join(home, "large.bin"))).equals(bytes))
    // Of a piece that was cut off, what had come counts: the second may not have been whole yet, and of the third, which is
    // held here, the browser may let some go when it is closed.
    assert.ok(begun[0] && begun[0] > 8 * MIB && begun[0] < bytes.length, `it began at ${begun[0]}`)

    await stop(8 * MIB, "cut once")
    await page.setInputFiles("#field-files", other)
    await waitUntil("it is there", async () => (await names()).includes("other.bin"))
    assert.ok((await readFile(join(home, "other.bin"))).equals(bytes))
  })

  it("downloads a file, and a selection as an archive", async () => {
    await fill()
    await open()
    const download = async (begin: () => Promise<unknown>) => {
      const [found] = await Promise.all([page.waitForEvent("download"), begin()])
      const to = join(scratch.path, `got-${found.suggestedFilename()}`)
      await found.saveAs(to)
      return { name: found.suggestedFilename(), to }
    }
    const one = await download(() => page.click('tr[data-name="notes.md"] td.name button'))
    assert.equal(one.name, "notes.md")
    assert.equal((await readFile(one.to)).length, 1_200)
    await choose("projects", "notes.md")
    assert.match((await page.textContent("#chosen-count")) ?? "", /^2 chosen · 1\.2 kB$/)
    await shoot("files-chosen-1280")
    const some = await download(() => page.click("#download"))
    assert.equal(some.name, "home.zip")
    const { stdout } = await run("unzip", ["-Z1", some.to])
    assert.deepEqual(stdout.trim().split("\n"), [
      ...["notes.md", "projects/", "projects/website/", "projects/website/images/", "projects/website/index.html"],
    ])
    await run("unzip", ["-tq", some.to])
  })

  it("makes folders, renames, deletes to the trash and takes back", async () => {
    await fill()
    await open()
    await page.click("#new-folder")
    await page.fill("#question-field", "Neu/es")
    await page.keyboard.press("Enter")
    await waitUntil("it is there", async () => (await names()).includes("Neu_es"))
    await choose("notes.md")
    await page.click("#rename")
    await page.fill("#question-field", "screenshot.png")
    await page.keyboard.press("Enter")
    await said(/Something of that name is there already/)
    await page.click("#rename")
    await page.fill("#question-field", "Notizen.md")
    await page.keyboard.press("Enter")
    await waitUntil("it is renamed", async () => (await names()).includes("Notizen.md"))
    await choose("Notizen.md", "projects")
    await page.click("#delete")
    await waitUntil("they are gone", async () => !(await names()).includes("projects"))
    await page.click('#toasts button:has-text("trash")')
    await waitUntil("they are back", async () => (await names()).includes("projects"))
    assert.equal((await text("Notizen.md")).length, 1_200)
    await choose("projects")
    await page.keyboard.press("Delete")
    await waitUntil("it is gone", async () => !(await names()).includes("projects"))
    await page.click("#menu-button")
    await page.click("#open-trash")
    await page.waitForSelector("#trash-list li")
    await shoot("files-trash-1280")
    await page.click("#trash-empty")
    await waitUntil("it is empty", async () => /is empty/.test((await page.textContent("#trash-text")) ?? ""))
    assert.deepEqual(await readdir(join(home, ".local/share/Trash/files")), [])
  })

  it("is closed by a revocation, says where to sign in, and lets no foreign page change anything", async () => {
    await fill()
    await open({}, "revoked")
    desk.service.revoke("revoked")
    await state("signed-out")
    await page.waitForSelector("#state-link:not([hidden])")
    assert.match((await page.getAttribute("#state-link", "href")) ?? "", /to=files$/)
    desk.service.tokens.add("kept")
    const ask = (method: string, path: string, headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const at = { host: "127.0.0.1", port: nginx.port, servername: nginx.host, rejectUnauthorized: false }
        const all = { host: nginx.host, cookie: "__Host-foozol=kept", "content-length": "2", ...headers }
        const call = request({ ...at, method, path, headers: all }, answer => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        call.on("error", reject).end("{}")
      })
    const own = { origin: `https://${nginx.host}` }
    for (const path of ["/files/delete", "/files/empty", "/files/folder"]) {
      for (const headers of [{}, { origin: "https://evil.example" }, { origin: `https://x.${nginx.host}` }])
        assert.equal(await ask("POST", path, headers as Record<string, string>), 403, path)
    }
    assert.equal(await ask("PUT", "/files/upload?name=x&size=2&modified=1&offset=0", {}), 403)
    assert.equal(await ask("PUT", "/files/upload?name=x&size=2&modified=1&offset=0", own), 200)
    assert.equal(await ask("PUT", "/files/upload?name=y&size=2&modified=1&offset=0", { ...own, cookie: "" }), 401)
    assert.equal(await ask("POST", "/files/empty", own), 200)
    assert.doesNotMatch(await nginx.accessLog(), /name=/, "names of files are in no log")
  })

  it("has what a phone needs", async () => {
    await fill()
    await open({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true })
    await shoot("files-390")
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390)
    await page.tap('tr[data-name="screenshot.png"] input')
    await shoot("files-chosen-390")
    await page.tap("#choose-none")
    await page.tap("#menu-button")
    await shoot("files-menu-390")
    await page.keyboard.press("Escape")
    await page.setInputFiles("#field-files", [give("phone.jpg", Buffer.alloc(MIB)), give("notes.md", "x")])
    await page.waitForSelector("#taken[open]")
    await shoot("files-taken-390")
    await page.tap('#taken button[value="leave"]')
    await arrived(/uploaded/)
    await shoot("files-uploaded-390")
    await page.tap('tr[data-name="Documents"] td.name button')
    await page.waitForSelector("#empty:not([hidden])")
    await shoot("files-empty-390")
  })
})
