import assert from "node:assert/strict"
import { mkdir, readdir, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Redis } from "ioredis"
import { pino } from "pino"
import { createKeys } from "../../service/keys.ts"
import { claim } from "../../service/operations/lease.ts"
import type { OperationInfo } from "../../service/operations/operation.ts"
import { loadScript } from "../../service/redis/scripts.ts"
import { verifyBackup } from "../../service/state-backup/backup.ts"
import { restoreBackup } from "../../service/state-backup/restore.ts"
import { createStateBackups } from "../../service/state-backup/schedule.ts"
import { createWorkspaceStore, KEY } from "../../service/workspaces/store.ts"
import type { WorkspaceInfo } from "../../service/workspaces/workspace.ts"
import { startTestRedis, type TestRedis } from "../support/redis.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

const SECRET = "a secret for tests, long enough to be one"
const HOUR = 3600_000

describe("service: backups of itself by a schedule", () => {
  let server: TestRedis
  let redis: Redis
  let data: Awaited<ReturnType<typeof temporaryDirectory>>
  let directory: string
  let folders: Record<string, string>
  let now = Date.now()
  const keys = createKeys(SECRET)
  const log = pino({ level: "silent" })
  const scheduled = () =>
    createStateBackups(
      { directory, everyMs: 24 * HOUR, keep: 2 },
      { redis, keys, folders, secrets: [SECRET], passphrase: "p", log, now: () => now },
    )

  before(async () => {
    server = await startTestRedis()
    redis = new Redis(server.url)
    data = await temporaryDirectory("fc-")
    directory = join(data.path, "backups")
    folders = { FOOZOL_USAGE_DIRECTORY: join(data.path, "usage") }
    await mkdir(join(data.path, "usage"))
    await writeFile(join(data.path, "usage", "usage-2026-11.ndjson"), "a line\n")
  })
  after(async () => {
    redis?.disconnect()
    await server?.close()
    await data?.remove()
  })

  it("are made when they are due, verified, and only so many are kept", async () => {
    const backups = scheduled()
    assert.ok((await backups.overdue()) < 0.01)
    for (const hours of [0, 1, 24, 24, 24]) {
      now += hours * HOUR
      await backups.makeDue()
    }
    const files = await readdir(directory)
    assert.equal(files.length, 2)
    assert.equal((await stat(directory)).mode & 0o777, 0o700)
    for (const file of files) {
      const { counts } = await verifyBackup(join(directory, file), { secrets: [SECRET] })
      assert.equal(counts.files, 1)
    }
    now += 60 * HOUR
    assert.ok(Math.abs((await scheduled().overdue()) - 2.5) < 0.1)
  })

  it("fence a worker that goes on over a restore in its own Redis", async () => {
    const store = createWorkspaceStore(redis)
    const info = {
      ...{ id: "calm-otter", owner: "gh-1", name: "x", profile: "desktop", provider: "hetzner", region: "fsn1" },
      ...{ size: "cx23", sizeClass: "small", price: null, image: 1, createdAt: now },
    } as WorkspaceInfo
    const asked: OperationInfo = {
      ...{ id: "op-1", workspace: "calm-otter", owner: "gh-1", kind: "create", requestedBy: "gh-1", createdAt: now },
      estimate: { seconds: null, steps: {} },
    }
    await store.create(info, asked, { key: null, digest: "d", quota: { profile: 5, total: 5 } })
    const claimed = await claim(redis, asked, "a token of a worker", now)
    assert.equal(claimed.word, "claimed")
    const epoch = claimed.word === "claimed" ? claimed.epoch : 0
    now += 24 * HOUR
    await scheduled().makeDue()
    const [newest = ""] = (await readdir(directory)).sort().reverse()
    await restoreBackup(
      join(directory, newest),
      { secrets: [SECRET] },
      { redis, folders, secrets: keys.fingerprints, passphrase: "p", now: () => now },
      { replace: true },
    )
    const script = (name: string) => loadScript(new URL(`../../service/operations/lua/${name}.lua`, import.meta.url))
    const renewed = await script("renew").run(
      redis,
      [KEY.lease("calm-otter"), KEY.operation("op-1")],
      ["a token of a worker", 1000, epoch],
    )
    assert.equal(renewed, "lost")
    const finished = await script("finish").run(
      redis,
      [
        KEY.operation("op-1"),
        KEY.workspace("calm-otter"),
        KEY.lease("calm-otter"),
        KEY.toDo,
        KEY.workspacesOf("gh-1"),
        KEY.workspaces,
        KEY.changes,
      ],
      ["op-1", epoch, "a token of a worker", "succeeded", "RUNNING", now, "", "create", "calm-otter", 1000],
    )
    assert.equal(finished, "fenced")
    assert.equal((await store.operation("op-1"))?.state, "cancelled")
    assert.deepEqual(await store.ids(), ["calm-otter"])
  })
})
