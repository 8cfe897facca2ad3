import assert from "node:assert/strict"
import { mkdir, truncate, writeFile } from "node:fs/promises"
import { request } from "node:http"
import { join } from "node:path"
import { build } from "esbuild"
import { compiled } from "../../image-builder/bundles.ts"
import { PROJECT_ROOT } from "../../tools/setup/paths.ts"
import { FLAGS, type NodeProgram, startFileProgram, startNode } from "../support/file-program.ts"
import { share } from "../support/share.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

const MIB = 1024 * 1024
/** Several times what either may hold. */
const LARGE = share(1024, 400) * MIB
/** What the agent may hold in all, and what it takes here beside its parts that are not in this test. */
const MOST_AGENT = 80 * MIB
const MOST_PROGRAM = 120 * MIB

/** Both programs on the way of a file, compiled and started as on a machine. */
describe("agent: files and memory", () => {
  let scratch: Awaited<ReturnType<typeof temporaryDirectory>>
  let program: NodeProgram
  let door: NodeProgram
  let at: string
  let home: string

  before(async () => {
    scratch = await temporaryDirectory()
    home = join(scratch.path, "home")
    at = join(scratch.path, "agent.sock")
    const socket = join(scratch.path, "files.sock")
    await mkdir(home)
    const entryPoints = {
      files: join(PROJECT_ROOT, "image-builder/file-server/main.ts"),
      door: join(PROJECT_ROOT, "test/support/files-door.ts"),
    }
    await build({ ...compiled, outdir: scratch.path, entryPoints })
    program = await startFileProgram(home, socket, {}, join(scratch.path, "files.cjs"))
    door = await startNode([...FLAGS.agent, join(scratch.path, "door.cjs"), at, socket, home], at)
  })
  after(async () => {
    await door?.close()
    await program?.close()
    await scratch?.remove()
  })

  function exchange(method: string, path: string, bytes?: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      const headers = { "x-foozol-token": "t", ...(bytes ? { "content-length": bytes.length } : {}) }
      const call = request({ socketPath: at, method, path, headers, agent: false }, response => {
        let came = 0
        assert.equal(response.statusCode, 200)
        response.on("data", chunk => {
          came += chunk.length
        })
        response.on("end", () => resolve(came)).on("error", reject)
      })
      call.on("error", reject)
      call.end(bytes)
    })
  }

  it(`${LARGE / MIB} MiB go through both, down and up, and stay in neither`, async () => {
    await writeFile(join(home, "large"), "")
    await truncate(join(home, "large"), LARGE)
    assert.equal(await exchange("GET", "/files/download?path=large"), LARGE)
    assert.ok((await exchange("GET", "/files/zip?path=&name=large")) > LARGE)
    const piece = Buffer.alloc(16 * MIB, 1)
    const size = share(20, 10) * piece.length
    for (let offset = 0; offset < size; offset += piece.length) {
      const query = new URLSearchParams({ folder: "", name: "up", size: `${size}`, modified: "1", offset: `${offset}` })
      await exchange("PUT", `/files/upload?${query}`, piece)
    }
    const [agents, files] = [await door.mostMemory(), await program.mostMemory()]
    console.log(
      `      the agent's part held ${Math.round(agents / MIB)} MiB, the files' program ${Math.round(files / MIB)} MiB`,
    )
    assert.ok(agents < MOST_AGENT, `${agents} bytes`)
    assert.ok(files < MOST_PROGRAM, `${files} bytes`)
  })
})
