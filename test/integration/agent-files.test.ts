import assert from "node:assert/strict"
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from "node:fs/promises"
import { Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http"
import { join } from "node:path"
import { type NodeProgram, startFileProgram } from "../support/file-program.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { waitUntil } from "../support/wait-until.ts"

const MIB = 1024 * 1024
/** As NGINX connects: the agent's own end of a connection never comes first. */
const connections = new Agent({ keepAlive: true, maxFreeSockets: 0 })

/** The files of a home by way of the agent: the real program, under a home of the test. */
describe("agent: files", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let desk: TestAgent
  let program: NodeProgram
  let home: string
  let socket: string

  before(async () => {
    scratch = await temporaryDirectory()
    socket = join(scratch.path, "files.sock")
    home = join(scratch.path, "home")
    await mkdir(home)
    desk = await startTestAgent({ config: { filesSocket: socket } })
    desk.service.tokens.add("good")
    program = await startFileProgram(home, socket, { FOOZOL_UPLOAD_GIB: "3" })
  })
  after(async () => {
    await desk?.close()
    await program?.close()
    await scratch?.remove()
  })
  beforeEach(async () => {
    for (const name of await readdir(home)) await rm(join(home, name), { recursive: true })
  })

  interface Answer {
    status: number
    headers: IncomingMessage["headers"]
    bytes: Buffer
    body: Record<string, unknown>
  }
  function begin(method: string, path: string, headers: OutgoingHttpHeaders = {}): ClientRequest {
    const all = { "x-foozol-token": "good", ...headers }
    return request({ socketPath: desk.config.socket, method, path, headers: all, agent: connections })
  }
  const answerTo = (call: ClientRequest): Promise<Answer> =>
    new Promise((resolve, reject) => {
      call.on("error", reject)
      call.on("response", response => {
        const chunks: Buffer[] = []
        response.on("data", chunk => chunks.push(chunk)).on("error", reject)
        response.on("end", () => {
          const bytes = Buffer.concat(chunks)
          const isJson = response.headers["content-type"] === "application/json" && bytes.length > 0
          const body = isJson ? JSON.parse(bytes.toString()) : {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, body })
        })
      })
    })
  function ask(
    method: string,
    path: string,
    body?: Buffer | object,
    headers: OutgoingHttpHeaders = {},
  ): Promise<Answer> {
    const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
    const call = begin(method, path, { ...(bytes ? { "content-length": bytes.length } : {}), ...headers })
    const answer = answerTo(call)
    call.end(bytes)
    return answer
  }
  interface Put {
    folder?: string
    size?: number
    offset?: number
    taken?: string
    modified?: number
    key?: string
  }
  const address = (name: string, bytes: number, put: Put) =>
    `/files/upload?${new URLSearchParams(
      Object.entries({ folder: "", size: bytes, offset: 0, modified: 5, key: "", ...put, name }).map(([key, value]) => [
        key,
        String(value),
      ]),
    )}`
  const upload = (name: string, bytes: Buffer | string, put: Put = {}) =>
    ask("PUT", address(name, Buffer.byteLength(bytes), put), Buffer.from(bytes))
  const text = (path: string) => readFile(join(home, path), "utf8")
  const parts = async (folder = "") => (await readdir(join(home, folder))).filter(name => name.startsWith(".foozol"))
  const id = ({ status, body }: Answer) => [status, body.id]

  it("lists a folder, says what each thing is, and follows no link out of the home", async () => {
    await mkdir(join(home, "a/b"), { recursive: true })
    await writeFile(join(home, "a/ö.txt"), "12345")
    await utimes(join(home, "a/ö.txt"), 1e9, 1e9)
    await symlink("/etc", join(home, "a/out"))
    await symlink("b", join(home, "a/in"))
    const { body, status } = await ask("GET", "/files/list?path=a")
    assert.equal(status, 200)
    const kinds = (body.entries as { name: string; kind: string; link: boolean }[]).map(({ name, kind, link }) => [
      name,
      kind,
      link,
    ])
    assert.deepEqual(kinds.sort(), [
      ["b", "folder", false],
      ["in", "folder", true],
      ["out", "other", true],
      ["ö.txt", "file", false],
    ])
    const file = (body.entries as object[]).find(one => (one as { name: string }).name === "ö.txt")
    assert.deepEqual(file, { name: "ö.txt", kind: "file", link: false, size: 5, changed: 1e12 })
    assert.ok((body.disk as { free: number }).free > 0)
    for (const path of ["a/out", "a/out/ssl", "../", "..", "a/../..", "/etc", "a/b/../../..", "a\0b"])
      assert.equal((await ask("GET", `/files/list?path=${encodeURIComponent(path)}`)).status, 400, path)
    assert.deepEqual(id(await ask("GET", "/files/list?path=none")), [404, "gone"])
    for (const [method, path, given] of [
      ["GET", "/files/download?path=a/out/passwd"],
      ["GET", "/files/zip?path=a/out"],
      ["POST", "/files/folder", { path: "a/out", name: "x" }],
      ["POST", "/files/rename", { path: "a/out/passwd", name: "x" }],
      ["POST", "/files/delete", { path: "a/out/passwd" }],
    ] as const)
      assert.deepEqual(id(await ask(method, path, given)), [400, "outside"], path)
    assert.deepEqual(id(await upload("x", "y", { folder: "a/out" })), [400, "outside"])
    assert.deepEqual(id(await upload("out/x", "y", { folder: "a" })), [400, "outside"])
  })

  it("takes a file whole or not at all, and never writes over one by itself", async () => {
    const first = await upload("a.txt", "first")
    assert.deepEqual(first.body, { offset: 5, done: true, path: "a.txt", full: join(home, "a.txt") })
    const again = await upload("a.txt", "other", { modified: 6 })
    assert.deepEqual(id(again), [409, "exists"])
    assert.deepEqual([again.body.taken, again.body.free], ["file", "a (2).txt"])
    assert.equal((await upload("a.txt", "other", { modified: 6, taken: "number" })).body.path, "a (2).txt")
    await chmod(join(home, "a.txt"), 0o755)
    assert.equal((await upload("a.txt", "third", { modified: 7, taken: "replace" })).body.path, "a.txt")
    assert.deepEqual([await text("a.txt"), await text("a (2).txt")], ["third", "other"])
    assert.equal((await stat(join(home, "a.txt"))).mode & 0o777, 0o755, "a program stays one")
    assert.equal((await upload("new/deep/b.txt", "")).body.path, "new/deep/b.txt")
    assert.deepEqual(id(await upload("new", "x", { taken: "replace" })), [409, "exists"])
    assert.deepEqual(id(await upload("a.txt/x", "x")), [409, "exists"])
    assert.equal((await upload("e\u0007vil/\u202ename", "x")).body.path, "e_vil/_name")
    for (const wrong of ["..", "../x", "a/../../x", "/x", ""])
      assert.deepEqual(id(await upload(wrong, "x")), [400, "bad-name"])
    assert.deepEqual(await parts(), [])
    assert.deepEqual(await readdir(join(home, ".local/state/foozol/uploads")), [])
  })

  it("a link in the place of a file is replaced and not written through", async () => {
    const outside = join(scratch.path, "outside")
    await writeFile(outside, "theirs")
    await symlink(outside, join(home, "link"))
    assert.deepEqual(id(await upload("link", "x")), [409, "exists"])
    assert.equal((await upload("link", "mine", { taken: "replace" })).status, 200)
    assert.deepEqual([await readFile(outside, "utf8"), await text("link")], ["theirs", "mine"])
  })

  it("goes on where an upload was cut off, also by another page and another start of the program", async () => {
    const bytes = Buffer.alloc(3 * MIB, "0123456789abcdef")
    const put = { size: bytes.length }
    const call = begin("PUT", address("big.bin", 0, put), { "content-length": bytes.length })
    call.on("error", () => {})
    call.write(bytes.subarray(0, MIB))
    const offset = async () => (await ask("GET", address("big.bin", 0, put))).body.offset as number
    await waitUntil("a part has arrived", async () => (await offset()) === MIB)
    call.destroy()
    assert.deepEqual(await readdir(home), [".local", (await parts())[0]].sort())
    const { entries } = (await ask("GET", "/files/list")).body as { entries: { name: string }[] }
    assert.deepEqual(
      entries.map(({ name }) => name),
      [".local"],
      "half a file is shown nowhere",
    )
    await program.close()
    program = await startFileProgram(home, socket)
    const { uploads } = (await ask("GET", "/files/unfinished")).body as { uploads: object[] }
    assert.deepEqual(uploads, [{ folder: "", name: "big.bin", size: bytes.length, modified: 5, offset: MIB }])
    const wrong = await ask("PUT", address("big.bin", 0, { ...put, offset: 5 }), bytes.subarray(5, 10))
    assert.deepEqual([...id(wrong), wrong.body.offset], [409, "offset", MIB])
    const half = await ask(
      "PUT",
      address("big.bin", 0, { ...put, offset: MIB, key: "k1" }),
      bytes.subarray(MIB, 2 * MIB),
    )
    assert.deepEqual(half.body, { offset: 2 * MIB, done: false })
    const last = await ask(
      "PUT",
      address("big.bin", 0, { ...put, offset: 2 * MIB, key: "k1" }),
      bytes.subarray(2 * MIB),
    )
    assert.equal(last.body.done, true)
    assert.ok((await readFile(join(home, "big.bin"))).equals(bytes))
    // Whoever did not hear that asks again.
    const told = (await ask("GET", address("big.bin", 0, { ...put, key: "k1" }))).body
    assert.deepEqual(told.done, { path: "big.bin", full: join(home, "big.bin") })
    assert.equal((await ask("GET", address("big.bin", 0, { ...put, key: "k2" }))).body.done, null)
  })

  it("a second connection for the same file ends the first; what came too late or too much changes nothing", async () => {
    const put = { size: 10 }
    const call = begin("PUT", address("x", 0, put), { "content-length": 10 })
    call.on("error", () => {})
    call.write("0123")
    await waitUntil("a part has arrived", async () => (await ask("GET", address("x", 0, put))).body.offset === 4)
    assert.equal((await ask("PUT", address("x", 0, { ...put, offset: 4 }), Buffer.from("456789"))).body.done, true)
    assert.equal(await text("x"), "0123456789")
    assert.equal((await upload("y", "more than was said", { size: 4 })).body.id, "too-much")
    assert.equal((await ask("DELETE", address("y", 0, { size: 4 }))).status, 200)
    assert.deepEqual(await parts(), [])
    call.destroy()
  })

  it("refuses what is too large or has no room, and what is more than a piece", async () => {
    assert.deepEqual(id(await ask("PUT", address("x", 0, { size: 101 * 2 ** 30 }), Buffer.from("x"))), [
      413,
      "too-large",
    ])
    const { free } = (await ask("GET", "/files/list")).body.disk as { free: number }
    const most = await ask("PUT", address("x", 0, { size: 3 * 2 ** 30 }), Buffer.from("x"))
    assert.equal(most.body.id, free > 4.2e9 ? undefined : "no-space")
    const call = begin("PUT", address("y", 0, { size: 17 * MIB }), { "content-length": 17 * MIB })
    const answer = answerTo(call)
    call.end(Buffer.alloc(17 * MIB))
    assert.deepEqual(id(await answer), [413, "too-large"])
  })

  it("removes what nobody has gone on with for three days, and no younger part", async () => {
    for (const name of ["old/a", "young"]) await ask("PUT", address(name, 0, { size: 9 }), Buffer.from("123"))
    const [old = ""] = await parts("old")
    const then = Date.now() / 1000 - 4 * 86_400
    await utimes(join(home, "old", old), then, then)
    assert.equal((await ask("POST", "/files/tidy")).status, 200)
    assert.deepEqual([await parts("old"), (await parts()).length], [[], 1])
    assert.equal((await readdir(join(home, ".local/state/foozol/uploads"))).length, 1)
  })

  it("a file is downloaded as an attachment, whole or from where it was cut off", async () => {
    await writeFile(join(home, "pa ge.html"), "<script>0123456789")
    const whole = await ask("GET", "/files/download?path=pa%20ge.html")
    assert.equal(whole.bytes.toString(), "<script>0123456789")
    const { headers } = whole
    assert.deepEqual(
      [
        headers["content-type"],
        headers["content-length"],
        headers["x-content-type-options"],
        headers["content-disposition"],
      ],
      ["application/octet-stream", "18", "nosniff", `attachment; filename="pa ge.html"; filename*=UTF-8''pa%20ge.html`],
    )
    assert.match(String(headers["content-security-policy"]), /sandbox/)
    const tag = String(headers.etag)
    const rest = await ask("GET", "/files/download?path=pa%20ge.html", undefined, {
      range: "bytes=8-",
      "if-range": tag,
    })
    assert.deepEqual(
      [rest.status, rest.bytes.toString(), rest.headers["content-range"]],
      [206, "0123456789", "bytes 8-17/18"],
    )
    await writeFile(join(home, "pa ge.html"), "another")
    const anew = await ask("GET", "/files/download?path=pa%20ge.html", undefined, {
      range: "bytes=3-",
      "if-range": tag,
    })
    assert.deepEqual([anew.status, anew.bytes.toString()], [200, "another"])
    assert.equal((await ask("GET", "/files/download?path=pa%20ge.html", undefined, { range: "bytes=99-" })).status, 416)
    await mkdir(join(home, "folder"))
    assert.deepEqual(id(await ask("GET", "/files/download?path=folder")), [400, "no-file"])
  })

  it("folders and selections come as archives of a size that is told, and go on in the middle", async () => {
    await mkdir(join(home, "w/in"), { recursive: true })
    await writeFile(join(home, "w/in/a"), Buffer.alloc(300_000, 7))
    await writeFile(join(home, "w/b"), "b")
    const asked = await ask("HEAD", "/files/zip?path=w&name=in&name=b")
    const whole = await ask("GET", "/files/zip?path=w&name=in&name=b")
    assert.equal(whole.bytes.length, Number(asked.headers["content-length"]))
    assert.deepEqual([asked.headers["x-foozol-left-out"], asked.headers.etag], ["0", whole.headers.etag])
    assert.match(String(whole.headers["content-disposition"]), /filename="w\.zip"/)
    assert.match(String((await ask("HEAD", "/files/zip?path=w&name=in")).headers["content-disposition"]), /"in\.zip"/)
    const rest = await ask("GET", "/files/zip?path=w&name=in&name=b", undefined, { range: "bytes=150000-" })
    assert.equal(rest.status, 206)
    assert.ok(rest.bytes.equals(whole.bytes.subarray(150_000)))
    const many = Array.from({ length: 900 }, (_, at) => `&name=${"n".repeat(16)}${at}`).join("")
    assert.equal((await ask("HEAD", `/files/zip?path=w&name=b${many}`)).status, 200, "long lists pass")
    assert.equal((await ask("HEAD", "/files/zip?path=w&name=none")).status, 404)
  })

  it("makes folders, renames, and deletes to a trash that gives things back", async () => {
    assert.equal((await ask("POST", "/files/folder", { path: "", name: "one/two" })).body.name, "one_two")
    assert.deepEqual(id(await ask("POST", "/files/folder", { path: "", name: "one_two" })), [409, "exists"])
    assert.equal((await ask("POST", "/files/rename", { path: "one_two", name: "dir" })).body.name, "dir")
    await writeFile(join(home, "dir/a #1 %41.txt"), "a")
    await writeFile(join(home, "b"), "b")
    assert.deepEqual(id(await ask("POST", "/files/rename", { path: "b", name: "dir" })), [409, "exists"])
    assert.deepEqual(id(await ask("POST", "/files/rename", { path: "dir", name: "b" })), [409, "exists"])
    const path = "dir/a #1 %41.txt"
    const { body } = await ask("POST", "/files/delete", { path })
    await writeFile(join(home, path), "new")
    assert.equal((await ask("POST", "/files/delete", { path })).status, 200)
    await writeFile(join(home, path), "newest")
    const { trash } = (await ask("GET", "/files/trash")).body as { trash: { id: string; path: string }[] }
    assert.deepEqual(
      trash.map(one => one.path),
      [path, path],
    )
    const info = await text(`.local/share/Trash/info/${body.id}.trashinfo`)
    assert.match(
      info,
      /^\[Trash Info\]\nPath=\/.*\/dir\/a%20%231%20%2541\.txt\nDeletionDate=\d{4}-\d\d-\d\dT[\d:]{8}\n$/,
    )
    assert.equal((await ask("POST", "/files/restore", { id: body.id })).body.path, "dir/a #1 %41 (2).txt")
    assert.deepEqual([await text(path), await text("dir/a #1 %41 (2).txt")], ["newest", "a"])
    for (const wrong of ["", ".local", ".local/share/Trash", ".local/share/Trash/files"])
      assert.notEqual((await ask("POST", "/files/delete", { path: wrong })).status, 200, wrong)
    assert.equal((await ask("POST", "/files/restore", { id: "../../x" })).status, 404)
    assert.equal((await ask("POST", "/files/empty")).status, 200)
    assert.deepEqual(await readdir(join(home, ".local/share/Trash/files")), [])
    assert.deepEqual(await readdir(join(home, ".local/share/Trash/info")), [])
  })

  it("admits nobody without a good token, and lets no other site read", async () => {
    await writeFile(join(home, "a"), "secret")
    for (const headers of [{ "x-foozol-token": "" }, { "x-foozol-token": "bad" }])
      assert.equal((await ask("GET", "/files/download?path=a", undefined, headers)).status, 401)
    for (const site of ["cross-site", "same-site"]) {
      assert.equal((await ask("GET", "/files/download?path=a", undefined, { "sec-fetch-site": site })).status, 403)
      assert.equal((await ask("GET", "/files/list", undefined, { "sec-fetch-site": site })).status, 403)
    }
    for (const site of ["same-origin", "none"])
      assert.equal((await ask("GET", "/files/download?path=a", undefined, { "sec-fetch-site": site })).status, 200)
  })

  it("a revoked token ends what runs, both ways, when it is told and when that was lost", async () => {
    await truncate(await touched("large"), 900 * MIB)
    for (const silently of [false, true]) {
      const name = `going-${silently}`
      desk.service.tokens.add(name)
      const token = { "x-foozol-token": name }
      // As NGINX lets it pass, and the files' program reads it.
      const down = begin("GET", silently ? "/files/./download?path=large" : "/files/download?path=large", token)
      const up = begin("PUT", address(`up-${silently}`, 0, { size: 10 * MIB }), {
        ...token,
        "content-length": 10 * MIB,
      })
      const ends = [down, up].map(call => new Promise(resolve => call.on("error", resolve).on("close", resolve)))
      let came = 0
      down.on("response", response => response.on("data", chunk => (came += chunk.length)).on("error", () => {}))
      down.end()
      up.write(Buffer.alloc(MIB))
      const offset = async () => (await ask("GET", address(`up-${silently}`, 0, { size: 10 * MIB }))).body.offset
      await waitUntil("bytes flow both ways", async () => came > 0 && (await offset()) === MIB)
      desk.service.revoke(name, silently)
      const began = performance.now()
      await Promise.all(ends)
      assert.ok(performance.now() - began < 8_000, "told or found at once, not after ten seconds")
      assert.ok(came < 900 * MIB, "the download did not come to its end")
      assert.equal(await offset(), MIB)
    }
  })

  it("counts as use when bytes flow, and not when somebody looks", async () => {
    await truncate(await touched("large"), 5 * MIB)
    const other = await startTestAgent({ config: { filesSocket: socket } })
    other.service.tokens.add("good")
    const get = (path: string) =>
      new Promise(resolve => {
        const headers = { "x-foozol-token": "good" }
        const call = request({ socketPath: other.config.socket, path, headers, agent: false }, response =>
          response.resume(),
        )
        call.on("close", resolve).end()
      })
    const next = async () => {
      const reports = other.service.reports.length
      // One may have been under way.
      await waitUntil("two more reports", () => other.service.reports.length > reports + 1)
      const { signals } = other.service.reports.at(-1) as { signals: { lastInputAt: string | null } }
      return signals.lastInputAt
    }
    await get("/files/list")
    assert.equal(await next(), null)
    await get("/files/download?path=large")
    assert.ok((await next()) !== null)
    await other.close()
  })

  async function touched(name: string): Promise<string> {
    await writeFile(join(home, name), "")
    return join(home, name)
  }
})
