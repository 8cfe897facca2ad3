import assert from "node:assert/strict"
import { access, mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { ConversationReport } from "../../image-builder/agent/conversations/keeper.ts"
import { which } from "../../tools/setup/run.ts"
import { openAgentsPage } from "../support/agents-page.ts"
import { type ModelApis, startModelApis } from "../support/model-apis.ts"
import { skipSuite } from "../support/skip.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"
import { startTestAgent, type TestAgent } from "../support/test-agent.ts"
import { startTmux, type TmuxServer } from "../support/tmux-server.ts"
import { waitUntil } from "../support/wait-until.ts"

type Told = ConversationReport["conversations"][number]
/** Folder of the programs, `npm install --prefix FOLDER` with the versions of the image: FOLDER/node_modules/.bin. */
const BIN = process.env.FOOZOL_AGENT_CLIS ?? "/usr/bin"
const LIMIT = 60_000
const KEY = "stand-in-key-0123456789"

/** How each is set up to ask the stand-in of its model, without an account and without first questions. */
const SETTINGS: Record<string, (home: string, url: string) => Record<string, string>> = {
  claude: () => ({
    ".claude/.claude.json": JSON.stringify({
      hasCompletedOnboarding: true,
      customApiKeyResponses: { approved: [KEY.slice(-20)], rejected: [] },
    }),
  }),
  codex: (_, url) => ({
    ".codex/config.toml": [
      'model = "stand-in"\nmodel_provider = "standin"\ncheck_for_update_on_startup = false',
      'approval_policy = "on-request"\nsandbox_mode = "read-only"',
      `[model_providers.standin]\nname = "standin"\nbase_url = "${url}/v1"\nenv_key = "OPENAI_API_KEY"\nwire_api = "responses"\n`,
    ].join("\n"),
  }),
  gemini: home => ({
    ".gemini/settings.json": JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } } }),
    ".gemini/trustedFolders.json": JSON.stringify({ [home]: "TRUST_FOLDER" }),
  }),
}

/** The real programs before a stand-in of their models' APIs: nothing about their files and screens is pretended. */
for (const tool of ["claude", "codex", "gemini"] as const) {
  describe(`agent/conversations: the real ${tool}`, () => {
    let root: Awaited<ReturnType<typeof temporaryDirectory>>
    let apis: ModelApis
    let tmux: TmuxServer
    let desk: TestAgent
    let orders = 0

    before(async function () {
      if (!(await which("tmux"))) skipSuite(this, "this system has no tmux")
      const isThere = await access(join(BIN, tool)).then(
        () => true,
        () => false,
      )
      if (!isThere) skipSuite(this, `FOOZOL_AGENT_CLIS names no folder with ${tool}`)
      root = await temporaryDirectory()
      apis = await startModelApis()
      for (const [path, text] of Object.entries(SETTINGS[tool]?.(root.path, apis.url) ?? {})) {
        await mkdir(join(root.path, path, ".."), { recursive: true })
        await writeFile(join(root.path, path), text)
      }
      const environment = {
        ...{ HOME: root.path, PATH: `${BIN}:${process.env.PATH}`, LANG: "C.UTF-8" },
        ...{ CLAUDE_CONFIG_DIR: join(root.path, ".claude"), CODEX_HOME: join(root.path, ".codex") },
        ...{ ANTHROPIC_BASE_URL: apis.url, ANTHROPIC_API_KEY: KEY, DISABLE_AUTOUPDATER: "1" },
        ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", OPENAI_API_KEY: KEY },
        ...{ GEMINI_API_KEY: KEY, GOOGLE_GEMINI_BASE_URL: apis.url },
      }
      const lines = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`)
      const window = join(root.path, "agent-window")
      await writeFile(
        window,
        `#!/bin/bash\nunset NODE_OPTIONS\n${lines.join("\n")}\ncd "$1"; shift\n"$@"\nexec bash --norc\n`,
        {
          mode: 0o755,
        },
      )
      tmux = await startTmux()
      const conversations = { hurriedMs: 300, busyMs: 300, quietMs: 300 }
      desk = await startTestAgent({
        ...{ realTmux: tmux.socket, times: { conversations } },
        config: { home: root.path, agents: { window, path: [BIN] } },
        settings: { repository: null },
      })
    })
    after(async () => {
      if (root === undefined) return
      await desk?.close()
      // Codex leaves a server of its own behind.
      const daemon = await readFile(join(root.path, ".codex/app-server-daemon/daemon.pid"), "utf8").catch(() => "")
      const updater = await readFile(join(root.path, ".codex/app-server-daemon/daemon-updater.pid"), "utf8").catch(
        () => "",
      )
      for (const text of [updater, daemon]) {
        const pid = Number(/\d+/.exec(text)?.[0] ?? 0)
        if (pid > 1) process.kill(pid, "SIGKILL")
      }
      await tmux?.close()
      await apis?.close()
      // Programs write for a moment after their terminal has gone.
      if (root !== undefined) await waitUntil("its files are gone", () => root.remove().then(() => true), LIMIT)
    })

    const newest = () => desk.service.conversations.at(-1)?.conversations ?? []
    const until = (what: string, isSo: (one: Told) => boolean) =>
      waitUntil(what, () => newest().find(isSo), LIMIT).catch(async error => {
        throw new Error(`${error.message}\n${JSON.stringify(newest(), null, 1)}\n${await screen()}`)
      })
    async function prompt(text: string, conversation: string | null = null): Promise<string | null> {
      const id = `p${++orders}`
      desk.service.push("prompt", { id, tool, conversation, text })
      return (await waitUntil("it is answered", () => desk.service.prompted.find(one => one.id === id), LIMIT)).refusal
    }
    const screen = () => tmux.tmux("capture-pane", "-p", "-t", `=main:${tool}`)
    const press = (...keys: string[]) => tmux.tmux("send-keys", "-t", `=main:${tool}`, ...keys)

    /** In the home it asks anew each time. */
    async function trust(): Promise<void> {
      const asks = await until("it asks whether to trust the folder", one => one.state === "asks")
      assert.equal(asks.hasPrompt, true)
      await waitUntil("its question", async () => /trust this folder/.test(await screen()), LIMIT)
      // It looks at keys only from when its question stands.
      await waitUntil(
        "it is trusted",
        async () => {
          const shown = await screen()
          if (/❯ No, exit/.test(shown)) await press("Down")
          else if (/❯ Yes, I trust/.test(shown)) await press("Enter")
          return !/trust this folder/.test(shown)
        },
        LIMIT,
      )
    }

    it("begins with a prompt, works, waits, asks, is closed and goes on", async () => {
      assert.equal(await prompt("hello\nsecond line"), null)
      if (tool === "claude") await trust()
      const first = await until("it has answered", one => one.state === "waiting" && one.last.includes("second line"))
      assert.equal(first.title, "hello second line")
      apis.hold(true)
      assert.equal(await prompt("think please", first.id), null)
      await until("it works", one => one.id === first.id && one.state === "working")
      assert.equal(await prompt("hello", first.id), "working")
      apis.hold(false)
      await until("it has answered", one => one.state === "waiting" && one.last === "I have read: think please")
      // From the mode that decides by itself to the one that asks.
      if (tool === "claude") await press("BTab")
      assert.equal(await prompt("run touch made", first.id), null)
      const asks = await until("it asks for permission", one => one.state === "asks")
      assert.equal(await prompt("hello", asks.id), "asks")
      // Its page shows the question, and answers it. Keys that come within a moment of the question may be left out.
      const page = await openAgentsPage(desk, "good")
      const { ref } = await waitUntil("the page lists it", () => page.list().find(one => one.state === "asks"), LIMIT)
      page.wish({ do: "open", ref })
      await waitUntil("the page shows the question", () => page.screen()?.includes("touch made"), LIMIT)
      const allow = async () => {
        if (newest().some(one => one.state === "asks")) await page.press(ref, "Enter")
        await sleep(1_500)
        return newest().every(one => one.state !== "asks")
      }
      await waitUntil("it is allowed", allow, LIMIT)
      await until("its command has run", one => one.state === "waiting" && one.last === "The command has run.")
      const told = () => page.said().map(one => one.text.replace(/^[^:]*: /, ""))
      await waitUntil("the page shows it all", () => told().at(-1) === "The command has run.", LIMIT)
      assert.ok(told().includes("think please"), told().join("\n"))
      page.socket.terminate()
      await tmux.tmux("kill-window", "-t", `=main:${tool}`)
      await until("it is closed", one => one.id === first.id && one.state === "done")
      assert.equal(await prompt("and on", first.id), null)
      if (tool === "claude") await trust()
      const on = await until("it goes on", one => one.state === "waiting" && one.last === "I have read: and on")
      assert.deepEqual([on.id, on.title, on.folder], [first.id, first.title, first.folder])
      const asked = apis.asked.map(one => one.text.trim())
      for (const text of ["hello\nsecond line", "think please", "run touch made", "and on"]) {
        assert.ok(asked.includes(text), `${text} is not in ${JSON.stringify(asked)}`)
      }
    })
  })
}
