/**
 * Makes the fixtures of what the service stores today: `node test/support/make-format-fixtures.ts VERSION`. Run once for
 * each format, by the code that writes it, and never again: they are what a later service must be able to read.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Redis } from "ioredis"
import { pino } from "pino"
import { LABELS } from "../../infra/workspace-spec.ts"
import { dataFolders } from "../../service/folders.ts"
import { createKeys, fingerprintOf } from "../../service/keys.ts"
import { createPreferences } from "../../service/notifications/preferences.ts"
import { lineDigest, writeArchive } from "../../service/state-backup/archive.ts"
import { backUp, type Line, readBackup } from "../../service/state-backup/backup.ts"
import { openLedger } from "../../service/usage/ledger.ts"
import { monthOf } from "../../service/usage/months.ts"
import { startTestService } from "./service.ts"
import { waitUntil } from "./wait-until.ts"
import { newWorkspace } from "./workspace-life.ts"

/** A fixture's tokens must not end while there are tests. */
const FAR = Date.parse("2100-01-01T00:00:00Z")

const directory = join(import.meta.dirname, "..", "fixtures", "formats", process.argv[2] ?? "v1")
const test = await startTestService({ FOOZOL_QUOTA_TOTAL: "10", FOOZOL_OPERATORS: "ada" })
try {
  const ada = await test.signIn("ada")
  const token = await test.token(ada)
  const running = await newWorkspace(test, token, { name: "Running", secrets: { OF_IT: "a value" } })
  const asleep = await newWorkspace(test, token, { name: "Asleep" })
  const off = await newWorkspace(test, token, { name: "Off" })
  await running.does("backups", { name: "By hand" }).catch(() => {})
  await asleep.does("stop?mode=hibernate")
  await off.does("stop")
  await test.api(token, "PUT", "/secrets/A_KEY", { value: "of the user" })
  await test.api(token, "PATCH", `/workspaces/${running.id}`, { name: "Renamed" })
  await test.api(token, "PUT", "/budget", { amount: 20, action: "tell" })
  const owner = (await test.api(token, "GET", "/me")).body.id as string
  const secret = String(test.env.FOOZOL_SECRET)
  const redis = new Redis(test.redis.url)
  await createPreferences(redis, createKeys(secret)).setWebhook(owner, "https://example.com/hook", "signs")
  const ledger = openLedger(String(test.env.FOOZOL_USAGE_DIRECTORY), pino({ level: "silent" }))
  await waitUntil(
    "the ledger has all of it",
    async () => (await ledger.linesFor(monthOf(Date.now()), owner)).length >= 9,
  )
  const path = join(test.directory, "backup")
  const folders = dataFolders(test.service.services.config, {
    backendUrl: String(test.env.FOOZOL_BACKEND_URL),
    workDirectory: String(test.env.FOOZOL_ENGINE_DIRECTORY),
  })
  const passphrase = fingerprintOf(String(test.env.FOOZOL_STATE_PASSPHRASE))
  const keys = createKeys(secret)
  await backUp(path, { secrets: [secret] }, { redis, folders, secret: keys.inUse, passphrase, now: Date.now })
  redis.disconnect()
  const lines: Line[] = []
  for await (const line of readBackup(path, { secrets: [secret] })) lines.push(lasting(line))
  const digest = lineDigest()
  for (const line of lines) {
    if ("end" in line) line.end.digest = digest.hex()
    else digest.add(line)
  }
  await mkdir(directory, { recursive: true })
  await writeArchive(
    join(directory, "backup"),
    { secrets: [secret] },
    (async function* () {
      yield* lines
    })(),
  )
  const redisLines = lines.flatMap(line => ("redis" in line ? [line.redis] : []))
  redisLines.sort((a, b) => a.key.localeCompare(b.key))
  await writeFile(join(directory, "redis.ndjson"), redisLines.map(one => `${JSON.stringify(one)}\n`).join(""))
  for (const line of lines) {
    if (!("file" in line)) continue
    const text = Buffer.from(line.file.data, "base64")
    if (/^usage-.*ndjson$/.test(line.file.path)) await writeFile(join(directory, "ledger.ndjson"), text)
    if (line.file.path === `.pulumi/stacks/foozol-cloud/${running.id}.json`)
      await writeFile(join(directory, "stack.json"), text)
  }
  const snapshots = await test.service.services.machines.listSnapshots({ [LABELS.managedBy]: "foozol-cloud" })
  await writeFile(join(directory, "snapshots.json"), `${JSON.stringify(snapshots, null, 2)}\n`)
  const about = { url: test.url, token, owner, secret, running: running.id, asleep: asleep.id, off: off.id }
  await writeFile(join(directory, "about.json"), `${JSON.stringify(about, null, 2)}\n`)
  console.log(`${lines.length} lines in ${fileURLToPath(new URL(`file://${directory}`))}`)
} finally {
  await test.close()
}

/** Without an end by time, and without the place of this checkout, which the engine notes. */
function lasting(line: Line): Line {
  if ("file" in line) {
    const all = Buffer.from(line.file.data, "base64").toString("utf8")
    const text = all.replaceAll(/"sourcePosition": ?"[^"]*",?/g, "")
    return { file: { ...line.file, data: Buffer.from(text).toString("base64") } }
  }
  if (!("redis" in line)) return line
  const { ends: _, ...rest } = line.redis
  if (rest.type === "hash" && rest.value.about !== undefined) {
    rest.value.about = JSON.stringify({ ...JSON.parse(rest.value.about), expiresAt: FAR })
  }
  return { redis: rest }
}
