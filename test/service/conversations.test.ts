import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { createConversations } from "../../service/conversations/conversations.ts"
import type { ServiceError } from "../../service/errors.ts"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import type { Workspace } from "../../service/workspaces/workspace.ts"
import { canariesIn } from "../support/canaries.ts"
import { foozolCloud } from "../support/command-line.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"
import { startWebhookReceiver } from "../support/webhook-receiver.ts"
import { newWorkspace, type WorkspaceLife } from "../support/workspace-life.ts"

const ID = "4f62f5b2-2c77-4dc7-b065-835b2e99e374"
const CANARIES = { title: "otterly private title", last: "very private last line", prompt: "most private prompt" }

describe("service: conversations with coding agents", () => {
  let test: TestService
  let ada: Visitor
  let token: string
  let desk: WorkspaceLife
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>

  before(async () => {
    test = await startTestService({ FOOZOL_AGENT_WAIT_SECONDS: "1", FOOZOL_OPERATORS: "root" })
    receiver = await startWebhookReceiver()
    ada = await test.signIn("ada")
    token = await test.token(ada)
    desk = await newWorkspace(test, token, { name: "My desk" })
    await test.api(token, "PUT", "/notifications/webhook", { url: receiver.url })
  })
  after(async () => {
    receiver?.close()
    await test?.close()
  })
  beforeEach(async () => {
    await test.forgetLimits()
    test.machines.setPrompt(() => null)
  })

  const said = (more: object = {}) => ({
    ...{ tool: "claude", id: ID, folder: "~/app", title: CANARIES.title, last: CANARIES.last },
    ...{ at: new Date().toISOString(), state: "waiting", isInTerminal: true, hasPrompt: false, ...more },
  })
  /** As the machine of the workspace. */
  async function tell(...conversations: object[]): Promise<number> {
    const key = workspaceKey(test.service.services.keys, desk.id)
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }
    const body = JSON.stringify({ at: new Date().toISOString(), tools: ["claude", "codex"], conversations })
    return (await fetch(`${test.url}/machine/conversations`, { method: "POST", headers, body })).status
  }
  const list = async (who: string | Visitor = token) => test.api(who, "GET", `/workspaces/${desk.id}/conversations`)
  const prompt = (body: object) => test.api(token, "POST", `/workspaces/${desk.id}/prompts`, body)
  const page = async (query = "") => (await ada.get(`${test.url}/workspaces/${desk.id}${query}`)).text
  const orders = () => test.machines.received.filter(one => one.type === "prompt").map(one => one.data)

  it("are shown to their owner, on pages, by API and on the command line", async () => {
    assert.deepEqual((await list()).body, { reportedAt: null, tools: [], conversations: [] })
    assert.equal(await tell(said(), said({ id: null, state: "asks", title: "", last: "" })), 204)
    const { body } = await list()
    assert.deepEqual(body.tools, ["claude", "codex"])
    assert.deepEqual(
      { ...body.conversations[0], at: "" },
      {
        ...{ id: `claude:${ID}`, tool: "claude", folder: "~/app", title: CANARIES.title, last: CANARIES.last },
        ...{ at: "", state: "waiting", inTerminal: true, prompted: false },
      },
    )
    const all = await test.api(token, "GET", "/conversations")
    assert.deepEqual(
      all.body.conversations.map((one: { workspace: string }) => one.workspace),
      [desk.id, desk.id],
    )
    const text = await page()
    assert.match(text, /<strong>otterly private title<\/strong> <span class="badge rest">Waits for you/)
    assert.match(text, /New conversation with Claude Code<\/strong> <span class="badge bad">Asks you/)
    const cards = (await ada.get(test.url)).text
    assert.match(cards, /Agents<\/a>: 1 asks you something, 1 waits for you/)
    assert.match(cards, new RegExp(`#agent-claude-${ID}">otterly private title</a>`))
    assert.match(cards, /<p class="said">very private last line<\/p>/)
    const env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: token }
    const listed = await foozolCloud(["workspace", "agents", "My desk"], env)
    assert.match(listed.stdout, new RegExp(`claude:${ID} +waits for you +~/app +otterly private title`))
  })

  it("are nobody else's: not another user's, not an operator's, and in no store, log or audit in the clear", async () => {
    await tell(said())
    await prompt({ text: CANARIES.prompt, conversation: `claude:${ID}` })
    const eve = await test.token(await test.signIn("eve"))
    assert.equal((await list(eve)).status, 404)
    assert.deepEqual((await test.api(eve, "GET", "/conversations")).body, { conversations: [] })
    assert.equal((await test.api(eve, "POST", `/workspaces/${desk.id}/prompts`, { text: "x" })).status, 404)
    const root = await test.signIn("root")
    const operator = await test.token(root, "operate")
    assert.equal((await list(operator)).status, 404)
    const [one, audit, operatorPage] = [
      await test.api(operator, "GET", `/operator/workspaces/${desk.id}`),
      await test.api(operator, "GET", `/audit?workspace=${desk.id}&action=promptAgent`),
      await root.get(`${test.url}/operator/workspaces/${desk.id}`),
    ]
    assert.deepEqual([one.status, audit.status, operatorPage.status], [200, 200, 200])
    assert.equal(audit.body.entries[0].input.conversation, `claude:${ID}`, "who prompted what is told, and not how")
    const shown = [JSON.stringify(one.body), JSON.stringify(audit.body), operatorPage.text, test.logged()]
    assert.deepEqual(
      shown.flatMap((text, at) => canariesIn(text, CANARIES, String(at))),
      [],
    )
    assert.match(test.logged(), /prompts/, "the request itself is in the log")
    const { redis } = test.service.services
    const key = `fz:ws:${desk.id}:conversations`
    for (const one of await redis.keys("*")) {
      const dump = await redis.dumpBuffer(one)
      assert.deepEqual(canariesIn(dump?.toString("latin1") ?? "", CANARIES, one), [])
    }
    const left = await redis.pttl(key)
    assert.ok(left > 0 && left <= 24 * 3_600_000, String(left))
  })

  it("a prompt reaches the machine as it was written, and what that says is told in words", async () => {
    await tell(said())
    const text = 'first line\n"second" $(touch made) ✓'
    assert.equal((await prompt({ text, conversation: `claude:${ID}` })).status, 204)
    assert.deepEqual({ ...orders().at(-1), id: "" }, { id: "", tool: "claude", conversation: ID, text })
    assert.equal((await prompt({ text, tool: "codex" })).status, 204)
    assert.deepEqual({ ...orders().at(-1), id: "" }, { id: "", tool: "codex", conversation: null, text })
    const words: Record<string, RegExp> = {
      ...{ gone: /not there any more/, working: /still at work/, asks: /answer it in its terminal/ },
      ...{ "no-terminal": /in no terminal/, "no-tool": /not installed/, "no-folder": /folder .* is gone/ },
    }
    for (const [refusal, wanted] of Object.entries(words)) {
      test.machines.setPrompt(() => refusal)
      const { status, body } = await prompt({ text })
      assert.deepEqual([status, body.id], [409, `prompt-${refusal}`])
      assert.match(body.detail, wanted)
    }
    const sent = orders().length
    for (const wrong of [
      {},
      { text: " \n" },
      { text: "x".repeat(8_001) },
      { text, tool: "sh" },
      { text, conversation: "claude:../x" },
      { text, tool: "codex", conversation: `codex:${ID}` },
    ]) {
      assert.equal((await prompt(wrong)).status, 422, JSON.stringify(wrong))
    }
    const read = await test.token(ada, "read")
    assert.equal((await test.api(read, "POST", `/workspaces/${desk.id}/prompts`, { text })).status, 403)
    assert.equal(orders().length, sent)
  })

  it("a prompt goes by the page's form, which keeps what could not be given, and by standard input", async () => {
    await tell(said())
    const form = await ada.get(`${test.url}/workspaces/${desk.id}?to=claude:${ID}`)
    assert.match(form.text, new RegExp(`<option value="claude:${ID}" selected>`))
    const post = (fields: Record<string, string>) =>
      ada.post(`${test.url}/workspaces/${desk.id}/prompts`, { csrf: csrfOf(form), ...fields }, { origin: test.url })
    const went = await post({ to: `claude:${ID}`, text: "one\r\ntwo" })
    assert.equal(went.url.replace(/#.*/, ""), `${test.url}/workspaces/${desk.id}`)
    assert.deepEqual({ ...orders().at(-1), id: "" }, { id: "", tool: "claude", conversation: ID, text: "one\ntwo" })
    test.machines.setPrompt(() => "working")
    const refused = await post({ to: "codex", text: "keep <this>" })
    assert.match(refused.text, /<textarea[^>]*aria-invalid="true"[^>]*>keep &lt;this&gt;<\/textarea>/)
    assert.match(refused.text, /Codex is still at work in it/)
    assert.match((await post({ to: "sh", text: "x" })).text, /Choose for whom it is/)
    assert.match((await post({ to: "codex", text: " " })).text, /A prompt must not be empty/)
    test.machines.setPrompt(() => null)
    const env = { FOOZOL_API_URL: test.url, FOOZOL_API_TOKEN: token }
    const done = await foozolCloud(["workspace", "prompt", desk.id, "--tool", "codex"], env, "from a pipe\n")
    assert.equal(done.code, 0, done.stderr)
    assert.deepEqual({ ...orders().at(-1), id: "" }, { id: "", tool: "codex", conversation: null, text: "from a pipe" })
    assert.match((await foozolCloud(["workspace", "prompt", desk.id], env, "")).stderr, /on standard input/)
  })

  it("their owner is told once of one that has worked and waits", async () => {
    const hooks = () => receiver.hooks.filter(one => one.body.kind === "agent-waits")
    await tell(said({ state: "working" }))
    await tell(said({ state: "asks" }))
    await sleep(1_100)
    await tell(said({ state: "asks" }))
    await tell(said({ state: "asks" }))
    const hook = await waitUntil("the webhook is called", () => hooks()[0])
    assert.match(JSON.stringify(hook.body), /Claude Code in My desk/)
    assert.deepEqual(canariesIn(hook.text, CANARIES, "hook"), [])
    await tell(said({ state: "waiting" }))
    await sleep(300)
    assert.equal(hooks().length, 1)
  })

  it("what makes no sense is refused; a stranger tells nothing", async () => {
    assert.equal(await tell({ tool: "claude" }), 422)
    for (const path of ["conversations", "prompted"]) {
      const headers = { authorization: "Bearer fz1.x.y", "content-type": "application/json" }
      const answer = await fetch(`${test.url}/machine/${path}`, { method: "POST", headers, body: "{}" })
      assert.equal(answer.status, 401)
    }
  })

  it("asleep it shows what there was, all of it closed, and takes no prompts; deleted it is forgotten", async () => {
    await tell(said({ state: "working" }), said({ id: null, state: "asks" }))
    await desk.does("stop")
    const { conversations } = (await list()).body
    assert.deepEqual(
      conversations.map((one: { state: string; title: string }) => [one.state, one.title]),
      [["done", CANARIES.title]],
    )
    assert.match(await page(), /otterly private title<\/strong> <span class="badge off">Closed/)
    assert.doesNotMatch(await page(), /prompt-form/)
    assert.match((await ada.get(test.url)).text, /badge off">Closed<.*\n.*>otterly private title<\/a>/)
    const { status, body } = await prompt({ text: "x" })
    assert.deepEqual([status, body.id], [409, "asleep"])
    const { body: ended } = await test.api(token, "DELETE", `/workspaces/${desk.id}`)
    await test.finished(token, ended.operation.id)
    assert.equal(await tell(said()), 204)
    assert.equal(await test.service.services.redis.exists(`fz:ws:${desk.id}:conversations`), 0)
  })

  it("a machine that is not connected, or says nothing, is told as such", async () => {
    const { redis, keys, store, channel, notify } = test.service.services
    const parts = createConversations({ redis, keys, store, channel, notify, noticeMs: 1_000, answerMs: 200 })
    const workspace = { id: "calm-otter-000000", state: "RUNNING" } as Workspace
    const to = { tool: "claude" as const, conversation: null, text: "x" }
    const fails = (id: string) => assert.rejects(parts.prompt(workspace, to), (error: ServiceError) => error.id === id)
    await fails("machine-away")
    const forget = await channel.listen(workspace.id, () => {})
    await fails("prompt-unanswered")
    forget()
  })
})
