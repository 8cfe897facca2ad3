import assert from "node:assert/strict"
import { mkdir, utimes, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { createTranscriptWatch } from "../../../image-builder/agent/signals/transcripts.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"

describe("agent/signals/transcripts", () => {
  const now = Date.parse("2030-01-01T00:00:00Z")
  let root: { path: string; remove: () => Promise<void> }
  beforeEach(async () => {
    root = await temporaryDirectory()
  })
  afterEach(() => root.remove())

  /** A file with the folders it lies in, all of that age. */
  async function put(path: string, secondsAgo: number): Promise<void> {
    const whole = join(root.path, path)
    await mkdir(dirname(whole), { recursive: true })
    await writeFile(whole, "{}\n")
    const at = now / 1_000 - secondsAgo
    for (let one = whole; one !== root.path; one = dirname(one)) await utimes(one, at, at)
  }
  const watch = () => createTranscriptWatch({ home: root.path, environment: join(root.path, "env"), now: () => now })
  const ages = (found: Record<string, number>) =>
    Object.fromEntries(Object.entries(found).map(([name, at]) => [name, (now - at) / 1_000]))

  it("finds the newest of each agent, and none where there is none", async () => {
    assert.deepEqual(await watch()(), {})
    await put(".claude/projects/-home-user-app/one.jsonl", 300)
    await put(".claude/projects/-home-user-app/two.jsonl", 40)
    await put(".codex/sessions/2030/01/01/rollout.jsonl", 90)
    await put(".gemini/tmp/abc/logs.json", 20)
    assert.deepEqual(ages(await watch()()), { claude: 40, codex: 90, gemini: 20 })
  })

  it("does not take a renewed token for work", async () => {
    await put(".codex/auth.json", 1)
    await put(".claude/.credentials.json", 1)
    await put(".gemini/oauth_creds.json", 1)
    assert.deepEqual(await watch()(), {})
  })

  it("looks where CLAUDE_CONFIG_DIR says, from when it says so", async () => {
    const look = watch()
    await put(".claude/projects/a/one.jsonl", 300)
    assert.deepEqual(ages(await look()), { claude: 300 })
    await put("elsewhere/projects/a/one.jsonl", 5)
    await writeFile(join(root.path, "env"), `A="b"\nCLAUDE_CONFIG_DIR="${join(root.path, "elsewhere")}"\n`)
    assert.deepEqual(ages(await look()), { claude: 5 })
  })

  it("sees growth", async () => {
    const look = watch()
    await put(".claude/projects/a/one.jsonl", 300)
    await look()
    await put(".claude/projects/a/one.jsonl", 2)
    assert.deepEqual(ages(await look()), { claude: 2 })
  })
})
