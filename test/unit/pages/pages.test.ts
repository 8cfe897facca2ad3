import assert from "node:assert/strict"
import fc from "fast-check"
import { readRepository } from "../../../infra/repositories/repository.ts"
import type { Conversation } from "../../../service/conversations/follow.ts"
import { escapeText } from "../../../service/pages/html.ts"
import {
  type AgentsView,
  accountPage,
  type BackupView,
  backupsPage,
  connectPage,
  dashboardPage,
  deleteAccountPage,
  deletePage,
  errorPage,
  landingPage,
  newWorkspacePage,
  notificationsPage,
  operationPage,
  removeBackupPage,
  restorePage,
  usagePage,
  type WorkspaceModel,
  workspacePage,
} from "../../../service/pages/index.ts"
import { workspaceCard } from "../../../service/pages/workspace-card.ts"
import type { State } from "../../../service/workspaces/transitions.ts"
import { CreateWorkspace } from "../../../service/workspaces/wishes.ts"
import type { Workspace } from "../../../service/workspaces/workspace.ts"
import {
  account,
  activity,
  agents,
  eventsUntilBoot,
  failure,
  notifications,
  operation,
  options,
  signedIn,
  usage,
  view,
  workspace,
  workspaceModel,
} from "../../support/page-samples.ts"

const NOW = 1_800_000_000_000
const quota = { desktop: 1, total: 3, used: 1 }
const shell = { ...signedIn, now: NOW }
const at = { createdAt: NOW - 1e6, since: NOW - 1e5 }
const progress = { createdAt: NOW - 16_000, startedAt: NOW - 15_000 }

/** Every page with one text in all places where somebody else decides what stands there. */
const pagesWith = (text: string): string[] => {
  const user = { login: text, name: text, avatarUrl: null }
  const wrong = { id: text, message: text, next: "retry" as const }
  const repository = { url: text, host: text, path: text, branch: text, folder: text, devcontainer: text }
  const fetch = { state: "failed" as const, folder: text, reason: text }
  const its = workspace({ ...at, name: text, region: text, state: "FAILED", failure: wrong, repository, fetch })
  const failed = operation({ ...progress, state: "failed", finishedAt: NOW, failure: wrong })
  const events = [...eventsUntilBoot(NOW - 15_000), { at: NOW, type: "log" as const, text }]
  const seen = { createdAt: NOW, lastSeenAt: NOW, current: false }
  return [
    dashboardPage({
      ...shell,
      user,
      workspaces: [view({ ...its }, { operation: failed, sizeLabel: text, stoppedCostNote: text, regionLabel: text })],
      quota,
      notice: { tone: "error", text },
    }),
    operationPage({ ...shell, user, operation: failed, workspace: its, events, address: text }),
    operationPage({ ...shell, user, operation: operation(progress), workspace: its, events, address: text }),
    deletePage({ ...shell, user, workspace: its, error: text }),
    connectPage({ ...shell, user, workspace: its, action: "wake", goal: "terminal" }),
    accountPage({
      ...shell,
      user,
      logins: [{ ...seen, id: text, userAgent: "" }],
      tokens: [{ id: "t", name: text, scope: "read", createdAt: NOW, expiresAt: null, lastUsedAt: null }],
      secrets: [],
      newToken: text,
    }),
    newWorkspacePage({
      ...shell,
      user,
      options,
      values: { name: text, repository: text, branch: text, folder: text, devcontainer: text, secretNames: [text] },
      errors: { form: text, name: text, proxy: text, secrets: text, profile: text, repository: text, branch: text },
      suggestedName: text,
    }),
    newWorkspacePage({ ...shell, user, options, values: { repository: text }, isLinked: true }),
    usagePage({
      ...{ ...usage, ...shell, user, budgetError: text, notice: { tone: "error", text } },
      workspaces: [{ ...usage.workspaces[0], workspace: text, name: text, size: text, region: text } as never],
    }),
    notificationsPage({
      ...{ ...notifications, ...shell, user, newSecret: text, errors: { address: text, url: text } },
      ...{ email: { address: text, confirmed: true }, webhook: { url: text }, kinds: [{ kind: text, channels: [] }] },
      failures: [{ kind: text, channel: "webhook", at: NOW, givenUpAt: NOW, reason: text }],
    }),
    ...lifePagesWith(text, user, its),
    landingPage({ signInUrl: "/login/github", error: { title: text, message: text } }),
    errorPage({ status: 500, title: text, message: text, id: text, requestId: text, next: { label: text, href: "/" } }),
  ]
}

/** The pages about the life of a workspace likewise. */
function lifePagesWith(text: string, user: typeof signedIn.user, its: ReturnType<typeof workspace>): string[] {
  const money = { amount: 1, currency: "EUR" }
  const backup: BackupView = {
    ...{ id: "7", workspace: "w-gone", workspaceName: text, isLiving: false, kind: "final", scheduled: false },
    ...{ name: text, available: true, bytes: 1, createdAt: NOW, keepUntil: NOW, provenAt: NOW, proof: "failed" },
  }
  const place = { sizeClass: "large" as const, region: text, regionLabel: text, price: money }
  const base = workspaceModel(at)
  const operations = [operation({ ...progress, state: "failed", finishedAt: NOW })]
  const model: WorkspaceModel = {
    ...{ ...base, ...shell, user, operations, backups: [backup, { ...backup, isLiving: true }] },
    view: view({ ...its, state: "STOPPED", snapshot: "9" }, { sizeLabel: text, regionLabel: text }),
    sizes: [{ ...sizeOffer(base), type: text, reason: text }],
    regions: [{ region: text, label: text, price: money, isCurrent: false, reason: text }],
    secrets: { own: [{ name: "A_KEY", updatedAt: NOW }], ofAccount: [text] },
    ...{ soldOut: [place], notice: { tone: "error", text }, errors: { name: text, backup: text } },
  }
  const origin = { id: "7", name: text, workspaceName: text, profile: text, createdAt: NOW }
  const slept = operation({
    ...progress,
    state: "failed",
    finishedAt: NOW,
    failure: { id: "sold-out", message: text, next: "retry" },
  })
  return [
    workspacePage(model),
    workspacePage({ ...model, view: view(its), errors: { backup: text } }),
    restorePage({ ...shell, user, workspace: its, backup, error: text }),
    backupsPage({ ...shell, user, backups: model.backups ?? [], notice: { tone: "ok", text } }),
    removeBackupPage({ ...shell, user, backup }),
    newWorkspacePage({ ...shell, user, options, from: origin, errors: { from: text } }),
    deleteAccountPage({ ...shell, user, workspaces: [text, text], snapshots: 1, keptDays: 30, error: text }),
    operationPage({
      ...{
        ...shell,
        user,
        operation: { ...slept, wish: { because: text } },
        events: [],
        address: text,
        places: [place],
      },
      workspace: { ...its, state: "STOPPED" },
    }),
  ]
}
const sizeOffer = ({ sizes }: WorkspaceModel) => sizes?.[0] as NonNullable<WorkspaceModel["sizes"]>[number]

describe("pages", () => {
  it("what others wrote is text in every page, whatever it holds", () => {
    const plain = pagesWith("§plain§")
    const hostile = fc.constantFrom(
      "<script>alert(1)</script>",
      `"><img src=x onerror=alert(1)>`,
      "' autofocus onfocus='x",
      "$&$`$'",
    )
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), hostile), given => {
        const text = `§${given}§`
        for (const [index, page] of pagesWith(text).entries()) {
          assert.equal(page.replaceAll(escapeText(text), "§plain§"), plain[index])
        }
      }),
      { numRuns: 60 },
    )
  })

  it("a workspace tells of its repository, how far it is with it and what to do", () => {
    const repository = readRepository({ url: "https://github.com/ada/tool/tree/dev/web" })
    const words = (fetch: Workspace["fetch"], more: Partial<Workspace> = {}) => {
      const page = workspacePage({ ...workspaceModel({ ...at, repository, fetch, ...more }), ...shell })
      const row = /<dt>Repository<\/dt><dd [^>]*>(.*?)<\/dd>/s.exec(page)?.[1] ?? ""
      const isLive = / data-moves/.test(page)
      return `${isLive ? "live: " : ""}${row
        .replace(/<[^>]+>/g, " ")
        .replace(/\s+/g, " ")
        .trim()}`
    }
    assert.equal(words(null), "ada/tool (dev) Fetched by the machine as soon as it is on.")
    assert.equal(words({ state: "fetching", percent: 45 }), "live: Fetching ada/tool (dev) : 45 %")
    assert.match(
      words({ state: "fetching", reason: "No net." }),
      /^live: Fetching .+ No net\. It is tried again by itself\.$/,
    )
    assert.equal(words({ state: "fetched", folder: "tool-2" }), "ada/tool (dev) , fetched into ~/tool-2")
    assert.match(
      words({ state: "failed", reason: "Why." }),
      /could not be fetched Why\. It is tried again when your keys change/,
    )
    assert.equal(words(null, { repository: null }), "")
    const card = dashboardPage({ ...shell, workspaces: [view({ ...at, repository })], quota })
    assert.match(card, /<dt>Repository<\/dt><dd>ada\/tool <span class="soft">\(dev\)<\/span><\/dd>/)
  })

  it("a workspace tells of its dev container, and offers what can be done about it", () => {
    const repository = readRepository({ url: "https://github.com/ada/tool" })
    const part = (container: NonNullable<Workspace["fetch"]>["container"], more: Partial<Workspace> = {}) => {
      const fetch: Workspace["fetch"] = { state: "fetched", folder: "tool", container }
      const page = workspacePage({ ...workspaceModel({ ...at, repository, fetch, ...more }), ...shell })
      const found = /<div id="dev-container">(.*?)<\/section><\/div>/s.exec(page)?.[1] ?? ""
      return { isLive: / data-moves/.test(page), text: found, button: /<button[^>]*>(.*?)<\/button>/.exec(found)?.[1] }
    }
    const building = part({ state: "building", config: "c.json", line: "STEP <1>" })
    assert.ok(building.isLive)
    assert.match(building.text, /being made from <code>c\.json[\s\S]+STEP &lt;1&gt;/)
    assert.equal(building.button, undefined)
    const log = "STEP <1>\nSTEP <2>"
    assert.match(part({ state: "building", line: "STEP <2>", log }).text, /<pre>STEP &lt;1&gt;\nSTEP &lt;2&gt;<\/pre>/)
    const choices = [".devcontainer/a/devcontainer.json", ".devcontainer/b/devcontainer.json"]
    const choose = part({ state: "choose", choices: [...choices, "../evil"] })
    assert.match(choose.text, /action="\/workspaces\/w-7f3k2m\/devcontainer"/)
    assert.deepEqual(
      [...choose.text.matchAll(/<option value="(.*?)"/g)].map(one => one[1]),
      choices,
    )
    assert.equal(choose.button, "Make it")
    // A machine of an earlier image tells them in words.
    const earlier = part({ state: "choose", reason: choices.join("\n") })
    assert.equal(earlier.text.match(/<option/g)?.length, 2)
    assert.match(
      part({ state: "choose", config: choices[0], choices: ["x"] }).text,
      /has no <code>.+devcontainer-again/s,
    )
    const failed = part({ state: "failed", reason: "Why.", log: "one\n<two>" })
    assert.match(failed.text, /could not be made[\s\S]+Why\.[\s\S]+<pre>one\n&lt;two&gt;<\/pre>/)
    assert.equal(failed.button, "Make it again")
    const running = part({ state: "running", config: choices[1], choices })
    assert.match(running.text, new RegExp(`value="${choices[1]}" selected`))
    assert.equal(running.button, "Make this one")
    assert.equal(part({ state: "ended" }, { state: "STOPPED" }).button, undefined, "its machine is off")
  })

  it("a card offers what its workspace's state admits", () => {
    const offered = (state: State) => {
      const page = dashboardPage({
        ...shell,
        workspaces: [view({ ...at, state }, { operation: operation({ ...progress, state: "failed" }) })],
        quota,
      })
      const main = page.slice(page.indexOf("<main"))
      const found = {
        open: main.includes('href="/connect?workspace=w-7f3k2m" target="_blank" rel="noopener"'),
        stop: main.includes('action="/workspaces/w-7f3k2m/stop"'),
        start: main.includes('action="/workspaces/w-7f3k2m/start"'),
        retry: main.includes('action="/operations/op-1/retry"'),
        delete: main.includes('href="/workspaces/w-7f3k2m/delete"'),
      }
      return Object.entries(found).flatMap(([name, there]) => (there ? [name] : []))
    }
    assert.deepEqual(offered("RUNNING"), ["open", "stop", "delete"])
    assert.deepEqual(offered("IDLE"), ["open", "stop", "delete"])
    assert.deepEqual(offered("STOPPED"), ["start", "delete"])
    assert.deepEqual(offered("PROVISIONING"), ["delete"])
    assert.deepEqual(offered("STARTING"), ["delete"])
    assert.deepEqual(offered("FAILED"), ["retry", "delete"])
    assert.deepEqual(offered("TERMINATING"), [])
  })

  it("only moving pages load themselves again without scripts", () => {
    const refreshes = (page: string) => /<noscript><meta http-equiv="refresh"/.test(page)
    const dashboard = (state: State) => dashboardPage({ ...shell, workspaces: [view({ ...at, state })], quota })
    assert.equal(refreshes(dashboard("STOPPING")), true)
    assert.equal(refreshes(dashboard("RUNNING")), false)
    const page = (state: "running" | "succeeded") =>
      operationPage({
        ...shell,
        operation: operation({ ...progress, state }),
        workspace: workspace(),
        events: [],
        address: "",
      })
    assert.equal(refreshes(page("running")), true)
    assert.equal(refreshes(page("succeeded")), false)
  })

  it("a form sends its token, and a full quota makes no link", () => {
    const full = dashboardPage({ ...shell, workspaces: [view(at)], quota: { ...quota, used: 3 } })
    assert.doesNotMatch(full, /href="\/workspaces\/new"/)
    for (const page of pagesWith("x")) {
      const forms = page.match(/<form [^>]*method="post"/g)?.length ?? 0
      const tokens = page.match(/<input type="hidden" name="csrf" value="csrf-token-of-a-sample">/g)?.length ?? 0
      assert.equal(tokens, forms)
    }
  })

  it("secrets and proxies are never in a page; names of secrets are kept", () => {
    const page = newWorkspacePage({
      ...shell,
      options,
      values: { secretNames: ["OPENAI_API_KEY"] },
      errors: { proxy: "No." },
    })
    assert.match(page, /name="secretName" value="OPENAI_API_KEY"/)
    for (const [input] of page.matchAll(/<input [^>]*type="password"[^>]*>/g)) assert.doesNotMatch(input, /\svalue=/)
    assert.match(page, /id="proxy"[^>]* aria-describedby="proxy-hint proxy-error" aria-invalid="true"/)
  })

  it("a name may be as long in a form as the service takes it", () => {
    const limits = [newWorkspacePage({ ...shell, options }), workspacePage(workspaceModel())].map(page =>
      Number(/<input [^>]*id="name"[^>]* maxlength="(\d+)"/.exec(page)?.[1]),
    )
    const fits = (length: number) => CreateWorkspace.safeParse({ name: "n".repeat(length) }).success
    for (const most of limits) assert.deepEqual([fits(most), fits(most + 1)], [true, false], String(most))
  })

  it("a size is chosen that can be had, and what no region has is disabled", () => {
    const none = { ...options.sizes[0], class: "small" as const, prices: {} }
    const sizes = options.sizes.map(size => (size.class === "small" ? { ...size, ...none } : size))
    const page = newWorkspacePage({
      ...shell,
      options: { ...options, sizes },
      values: { sizeClass: "large", region: "fsn1" },
    })
    assert.match(page, /value="small" required disabled>/)
    assert.match(page, /value="medium" required checked>/)
    assert.match(page, /value="large" required>/)
    assert.match(page, /value="desktop" required disabled>/)
  })

  it("the picture of a user is shown from the one host the policy admits", () => {
    const page = (avatarUrl: string) => errorless({ ...signedIn.user, avatarUrl })
    const errorless = (user: typeof signedIn.user) => accountPage({ ...account, user, now: NOW })
    assert.match(page("https://avatars.githubusercontent.com/u/1?v=4"), /<img class="avatar"/)
    for (const url of [
      "https://evil.example/a.png",
      "https://avatars.githubusercontent.com.evil.example/",
      "javascript:x",
    ]) {
      assert.doesNotMatch(page(url), /<img/)
    }
  })

  it("a failed operation says what happened, what to do and its ids", () => {
    const page = (next: "retry" | "fail" | "investigate") =>
      operationPage({
        ...shell,
        operation: operation({ ...progress, state: "failed", failure: { ...failure, next } }),
        workspace: workspace({ ...at, state: "FAILED" }),
        events: eventsUntilBoot(NOW - 15_000),
        address: "",
      })
    assert.match(
      page("fail"),
      /sold out in Falkenstein[\s\S]*likely to end the same way[\s\S]*>Try again<[\s\S]*size-sold-out[\s\S]*op-1/,
    )
    assert.match(page("retry"), /class="button primary">.*Try again/)
    assert.match(page("investigate"), /Somebody who runs this service/)
    assert.match(page("fail"), /data-step="boot" data-state="failed"/)
    assert.doesNotMatch(page("fail"), /role="progressbar"/)
  })

  it("a succeeded operation shows every step done, the way to the desktop, and never a bar that waits", () => {
    const page = operationPage({
      ...shell,
      operation: operation({ ...progress, state: "succeeded", finishedAt: NOW }),
      workspace: workspace(at),
      events: eventsUntilBoot(NOW - 15_000),
      address: "https://w-7f3k2m.desk.example.com",
    })
    assert.equal(page.match(/data-step="[a-z]+" data-state="done"/g)?.length, 4)
    assert.match(page, /id="open" href="\/connect\?workspace=w-7f3k2m"/)
    assert.match(page, /Done in 15 s/)
  })

  it("a moving operation has a bar with its values and words", () => {
    const model = { ...shell, workspace: workspace(at), events: eventsUntilBoot(NOW - 15_000), address: "" }
    const page = operationPage({ ...model, operation: operation(progress) })
    assert.match(
      page,
      /role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100" aria-valuenow="39" aria-valuetext="Step 3 of 4: Starting the machine"/,
    )
    assert.match(page, /data-step="boot" data-state="begun" aria-current="step"/)
    assert.match(page, /Usually about 40 s; about 25 s left/)
    const queued = operationPage({
      ...model,
      events: [],
      operation: operation({ ...progress, state: "queued", startedAt: null }),
    })
    assert.match(queued, /Waiting for its turn/)
  })

  it("a workspace's page offers what its state admits, and what it costs", () => {
    const page = (more: Parameters<typeof workspaceModel>[0]) =>
      workspacePage({ ...workspaceModel({ ...at, ...more }), ...shell })
    const forms = (text: string) =>
      [...new Set([...text.matchAll(/action="\/workspaces\/w-7f3k2m\/([a-z-]+)"/g)].map(([, form]) => form))].sort()
    const always = ["auto-stop", "keep-on", "rename", "secrets"]
    assert.deepEqual(
      forms(page({ state: "RUNNING" })),
      [...always, "backups", "move", "prompts", "resize", "shares", "stop"].sort(),
    )
    assert.deepEqual(
      forms(page({ state: "STOPPED" })),
      [...always, "backups", "move", "resize", "start", "stop"].sort(),
    )
    assert.deepEqual(forms(page({ state: "STOPPED", snapshot: "9" })), [...always, "move", "resize", "start"].sort())
    assert.deepEqual(forms(page({ state: "STARTING" })), always)
    assert.deepEqual(forms(page({ state: "FAILED" })), always)
    assert.deepEqual(forms(page({ state: "TERMINATING" })), [])
    const running = page({ state: "RUNNING" })
    assert.match(running, /€0\.41 a day<\/strong>, before tax\.\s+Waking took 40 s the last time/)
    assert.match(running, /at most €0\.0179 a day<\/strong>, before tax\.\s+Waking usually takes about 2 min/)
    assert.match(running, /<button class="button small" disabled>Take small/)
    assert.doesNotMatch(running, />Take medium</)
    assert.match(page({ state: "FAILED" }), /\/restore\?backup=201/)
    assert.doesNotMatch(page({ state: "STOPPING" }), /\/restore\?backup=/)
  })

  it("shows ports with their programs, shares with their visits, and a new link once", () => {
    const page = workspacePage(workspaceModel({ state: "RUNNING" }))
    assert.match(page, /<strong>3000<\/strong> <span class="soft">node vite<\/span>/)
    assert.match(page, /href="\/connect\?workspace=w-7f3k2m&amp;to=port-3000" target="_blank" rel="noopener"/)
    assert.match(page, /2 visits, the last <time /)
    assert.match(page, /\/shares\/4f7a2c19d0e35b68\/end/)
    assert.doesNotMatch(page, /share-link/)
    assert.doesNotMatch(workspacePage(workspaceModel({ state: "RUNNING", certificate: null })), /Browsers warn/)
    const shared = { port: 3000, url: "https://3000.w.example/.foozol/enter?share=s", endsAt: Date.now() + 3_600_000 }
    const evil = { open: [{ port: 8000, program: "<script>alert(1)</script>" }], shares: [] }
    const made = workspacePage(workspaceModel({ state: "RUNNING" }, { shared, ports: evil }))
    assert.match(made, /share-link[^>]*>https:\/\/3000\.w\.example\/\.foozol\/enter\?share=s</)
    assert.doesNotMatch(made, /<script>alert/)
    assert.match(workspacePage(workspaceModel({}, { ports: { open: [], shares: [] } })), /No web server listens/)
    assert.doesNotMatch(workspacePage(workspaceModel({ state: "STOPPED" })), /id="ports"/)
  })

  it("shows agents with what they last said, and a prompt's form with whom it can be for", () => {
    const model = (more: Parameters<typeof workspaceModel>[0], agents: AgentsView | null, other = {}) => {
      const base = workspaceModel({ ...at, ...more }, other)
      return workspacePage({ ...base, view: { ...base.view, agents }, ...shell })
    }
    const page = model({ state: "RUNNING" }, agents(), { prompt: { to: "codex:01a203c0-374d", text: "" } })
    assert.match(page, /Fix &lt;b&gt; the test<\/strong> <span class="badge rest">Waits for you/)
    assert.match(page, /href="\/workspaces\/w-7f3k2m\?to=claude%3A4f62f5b2-2c77#prompt">Prompt/)
    const whom = [...page.matchAll(/<option value="([^"]*)"( selected)?>/g)].map(
      ([, to, selected]) => `${to}${selected ?? ""}`,
    )
    assert.deepEqual(
      whom.filter(to => /^(claude|codex|gemini)/.test(to)),
      [...["claude", "codex", "claude:4f62f5b2-2c77", "codex:01a203c0-374d selected"]],
    )
    assert.match(page, /id="agent-list" data-agents="4-\w+" data-waiting="2"/)
    assert.doesNotMatch(model({ state: "STOPPED" }, agents()), /prompt-form|>Prompt</)
    assert.doesNotMatch(model({ state: "STOPPED" }, null), /id="agents"/)
    const card = (given: AgentsView) =>
      String(workspaceCard({ ...view(at), agents: given }, { csrf: "c", now: Date.now() }))
    assert.match(card(agents()), /1 asks you something, 1 waits for you, 1 at work/)
    assert.doesNotMatch(card({ tools: [], conversations: [] }), /Agents/)
    assert.match(page, /<li id="agent-claude-4f62f5b2-2c77">/)
  })

  it("shows on a card the newest conversations, those that wait first, with state and last line, cut short", () => {
    const now = Date.now()
    const [one] = agents().conversations as [Conversation]
    const card = (...conversations: Partial<Conversation>[]) => {
      const all = conversations.map((more, index) => ({ ...one, at: now - index * 60_000, ...more }))
      return String(workspaceCard({ ...view(at), agents: { tools: [], conversations: all } }, { csrf: "c", now }))
    }
    const rows = (text: string) =>
      [
        ...text.matchAll(/<span class="badge \w+">([^<]*)<\/span> ([^<]*) · <time.*\n<p><a href="([^"]*)">([^<]*)</g),
      ].map(([, ...row]) => row)
    const busy = card(
      { id: "closed-00", title: "Closed", state: "done" },
      { id: "working-0", title: "Working", state: "working" },
      { id: "waiting-0", title: "Waiting", tool: "codex" },
      { id: null, title: "", state: "asks", last: "" },
    )
    assert.deepEqual(rows(busy), [
      ["Waits for you", "Codex", "/workspaces/w-7f3k2m#agent-codex-waiting-0", "Waiting"],
      ["Asks you", "Claude Code", "/workspaces/w-7f3k2m#agents", "New conversation with Claude Code"],
      ["Closed", "Claude Code", "/workspaces/w-7f3k2m#agent-claude-closed-00", "Closed"],
    ])
    assert.match(busy, /#agents">1 more</)
    const closed = card({ state: "done", title: "<b>", last: `${"🙂".repeat(159)}é<script>` })
    assert.match(closed, /Agents<\/a>: none is open/)
    assert.deepEqual(
      rows(closed).map(([state, , , title]) => [state, title]),
      [["Closed", "&lt;b&gt;"]],
    )
    assert.match(closed, new RegExp(`<p class="said">${"🙂".repeat(159)}é…</p>`))
    assert.doesNotMatch(closed, /<script|more</)
    assert.match(card({ last: "<i>Reading</i>" }), /<p class="said">&lt;i&gt;Reading&lt;\/i&gt;<\/p>/)
  })

  it("says truly what becomes of programs when it stops, and when it sleeps", () => {
    const shown = (...given: Parameters<typeof workspaceModel>) =>
      workspacePage({ ...workspaceModel(...given), ...signedIn, now: Date.now() })
    assert.match(shown({ state: "RUNNING" }), /Files are kept, programs end\. Open desktops/)
    assert.match(
      shown({ state: "RUNNING", keepsMemory: true }),
      /put to sleep, they go on when it wakes\. Open desktops/,
    )
    const asleep = { state: "STOPPED", snapshot: "7" } as const
    assert.match(shown({ ...asleep, memory: true }), /Its programs go on where they were/)
    assert.doesNotMatch(shown(asleep), /programs go on/)
    const soon = activity({ input: 40 }, { plannedStop: Date.now() + 60_000, programsGoOn: true })
    assert.match(shown({ state: "IDLE" }, { activity: soon }), /Files are kept, and programs go on when it wakes\./)
  })

  it("warns before a stop, and says when a restore was proven last", () => {
    const now = Date.now()
    const lastProven = now - 3 * 3_600_000
    const use = activity({ input: 40 }, { plannedStop: now + 5 * 60_000 })
    const model = workspaceModel({ state: "IDLE", backups: { last: now, next: null, lastProven } }, { activity: use })
    const page = workspacePage({ ...model, ...signedIn, now })
    assert.match(
      page,
      /<p class="soon">.*It is stopped <time[^>]*>in \d+ min\w*<\/time>\. Files are kept, programs end\./s,
    )
    assert.match(page, /<dt>Last proven restore<\/dt><dd><time/)
    const active = workspaceModel({ state: "RUNNING" }, { activity: activity({ input: 1 }) })
    assert.doesNotMatch(workspacePage({ ...active, ...signedIn, now }), /class="soon"|<dt>Last proven/)
  })
})
