import { readRepository } from "../../infra/repositories/repository.ts"
import type { Conversation } from "../../service/conversations/follow.ts"
import { judge } from "../../service/idleness/judge.ts"
import { windowsOf } from "../../service/idleness/settings.ts"
import type { Signal } from "../../service/idleness/signals.ts"
import type { Operation, OperationEvent } from "../../service/operations/operation.ts"
import {
  type ActivityView,
  type AgentsView,
  accountPage,
  apiDocsPage,
  type BackupView,
  backupsPage,
  type CreateOptions,
  connectPage,
  dashboardPage,
  deleteAccountPage,
  deletePage,
  errorPage,
  landingPage,
  type NotificationsModel,
  newWorkspacePage,
  notificationsPage,
  operationPage,
  removeBackupPage,
  restorePage,
  type SignedIn,
  type UsageModel,
  usagePage,
  type WorkspaceModel,
  type WorkspaceView,
  workspacePage,
} from "../../service/pages/index.ts"
import type { Span } from "../../service/traces/span.ts"
import type { Workspace } from "../../service/workspaces/workspace.ts"
import { apiDescription } from "./api-sample.ts"

const HOUR = 3_600_000

export const signedIn: SignedIn = {
  user: { login: "ada", name: "Ada Example", avatarUrl: null },
  csrf: "csrf-token-of-a-sample",
}

export const workspace = (more: Partial<Workspace> = {}): Workspace => ({
  id: "w-7f3k2m",
  owner: "1",
  name: "quiet-otter",
  profile: "browser",
  provider: "hetzner",
  region: "fsn1",
  size: "cx43",
  sizeClass: "medium",
  image: 1,
  price: { currency: "EUR", hourly: 0.0192, monthly: 11.99 },
  createdAt: Date.now() - 50 * HOUR,
  state: "RUNNING",
  since: Date.now() - 3 * HOUR,
  epoch: 1,
  operation: "op-1",
  machineId: "42",
  ipv4: "203.0.113.7",
  failure: null,
  reportedAt: null,
  accepted: [],
  snapshot: null,
  memory: false,
  keepsMemory: false,
  stopMode: null,
  unsavedSince: null,
  backups: null,
  certificate: null,
  authority: null,
  certificateWait: null,
  repository: null,
  fetch: null,
  settings: {},
  ...more,
})

export const operation = (more: Partial<Operation> = {}): Operation => ({
  id: "op-1",
  workspace: "w-7f3k2m",
  owner: "1",
  kind: "create",
  requestedBy: "1",
  createdAt: Date.now() - 16_000,
  estimate: { seconds: 40, steps: { check: 2, resources: 8, boot: 20, desktop: 10 } },
  state: "running",
  epoch: 1,
  attempts: 1,
  marks: {},
  startedAt: Date.now() - 15_000,
  finishedAt: null,
  failure: null,
  ...more,
})

const MINUTE = 60_000
/** How a workspace is used whose signs of use are so many minutes old. */
export const activity = (
  minutes: Partial<Record<Signal, number>>,
  more: {
    keepOnUntil?: number
    autoStop?: boolean
    reportedAt?: number
    plannedStop?: number
    programsGoOn?: boolean
  } = {},
): ActivityView => {
  const now = Date.now()
  const { keepOnUntil = null, autoStop = true, reportedAt = now, plannedStop = null, programsGoOn = false } = more
  const seen = Object.fromEntries(Object.entries(minutes).map(([signal, ago]) => [signal, now - ago * MINUTE]))
  const settings = { windows: windowsOf(30 * MINUTE, []).browser, stopMs: 15 * MINUTE, silentMs: 90_000, autoStop }
  return {
    judgement: judge({ seen, reportedAt, keepOnUntil }, settings, now),
    plannedStop,
    keepOnUntil,
    autoStop,
    programsGoOn,
  }
}

export const view = (more: Partial<Workspace> = {}, other: Partial<WorkspaceView> = {}): WorkspaceView => ({
  workspace: workspace(more),
  operation: null,
  address: "https://w-7f3k2m.desk.example.com",
  activity: null,
  agents: null,
  costPerMonth: { amount: 11.99, currency: "EUR" },
  stoppedCostNote: "Hetzner bills a machine that is switched off like one that is on.",
  sizeLabel: "8 vCPU · 16 GB · 160 GB disk",
  regionLabel: "Falkenstein",
  ...other,
})

export const failure = {
  id: "size-sold-out",
  message: "The size cx43 is sold out in Falkenstein: take another size or region.",
  next: "fail" as const,
}

/** A workspace in every state a person meets. */
export const views = (): WorkspaceView[] => [
  view({}, { activity: activity({ output: 3, agent: 1, files: 12, start: 180, viewer: 0 }), agents: agents() }),
  view(
    { id: "w-kept", name: "kept-panda" },
    { activity: activity({ input: 200 }, { keepOnUntil: Date.now() + 7 * HOUR, autoStop: false }) },
  ),
  view(
    { id: "w-silent", name: "silent-mole" },
    { activity: activity({ input: 20 }, { reportedAt: Date.now() - 10 * MINUTE }) },
  ),
  view(
    { id: "w-moving", name: "brave-lynx", state: "PROVISIONING", since: Date.now() - 15_000, profile: "desktop" },
    { operation: operation() },
  ),
  view(
    { id: "w-starting", name: "new-kind", state: "STARTING", since: Date.now() - 4_000 },
    { operation: operation({ id: "op-3", kind: "start", estimate: { seconds: null, steps: {} } }) },
  ),
  view(
    { id: "w-idle", name: "idle-fox", state: "IDLE" },
    { activity: activity({ input: 40 }, { plannedStop: Date.now() + 5 * MINUTE }) },
  ),
  view({ id: "w-off", name: "sleepy-heron", state: "STOPPED" }),
  view(
    {
      id: "w-failed",
      name: "a-name-that-is-as-long-as-the-service-allows-one-to-be-is-60",
      state: "FAILED",
      failure,
    },
    { operation: operation({ state: "failed", id: "op-2" }), costPerMonth: null },
  ),
]

const price = (monthly: number, available = true) => ({ monthly, hourly: monthly / 625, currency: "EUR", available })

export const options: CreateOptions = {
  profiles: [
    {
      id: "browser",
      label: "Browser and terminal",
      text: "A browser beside a terminal, with coding agents on the path.",
      available: true,
    },
    {
      id: "desktop",
      label: "foozol desktop",
      text: "The foozol app on a light desktop.",
      available: false,
      reason: "There is no image of it yet",
    },
  ],
  sizes: [
    {
      class: "small",
      type: "cx23",
      cores: 2,
      memoryGb: 4,
      diskGb: 40,
      prices: { fsn1: price(3.49), nbg1: price(3.49), ash: price(4.99) },
    },
    {
      class: "medium",
      type: "cx43",
      cores: 8,
      memoryGb: 16,
      diskGb: 160,
      prices: { fsn1: price(11.99), nbg1: price(11.99, false), ash: price(17.49) },
    },
    {
      class: "large",
      type: "cx53",
      cores: 16,
      memoryGb: 32,
      diskGb: 320,
      prices: { fsn1: price(22.49, false), nbg1: price(22.49, false), ash: price(32.99) },
    },
  ],
  regions: [
    { id: "fsn1", label: "Falkenstein, Germany" },
    { id: "nbg1", label: "Nuremberg, Germany" },
    { id: "ash", label: "Ashburn, USA" },
  ],
  providers: [{ id: "hetzner", label: "Hetzner Cloud" }],
}

/** The same with a second provider, whose types are others. */
export const twoProviders: CreateOptions = {
  ...options,
  sizes: options.sizes.map(one =>
    one.class === "medium"
      ? {
          ...one,
          elsewhere: { "us-central1-a": { type: "e2-highmem-2", cores: 2, memoryGb: 16, diskGb: 64 } },
          prices: { ...one.prices, "us-central1-a": { ...price(72.4), currency: "USD" } },
        }
      : one,
  ),
  regions: [
    ...options.regions.map(one => ({ ...one, provider: "hetzner" })),
    { id: "us-central1-a", label: "Iowa (us-central1-a)", provider: "gcp" },
  ],
  providers: [...options.providers, { id: "gcp", label: "Google Cloud" }],
}

/** Events of a creation up to the boot, told from a time on. */
export const eventsUntilBoot = (from: number): OperationEvent[] => [
  { at: from, type: "state", state: "running" },
  { at: from, type: "step", step: "check", state: "begun" },
  { at: from + 400, type: "log", text: "cx43 can be had in fsn1 for €11.99 a month" },
  { at: from + 1_900, type: "step", step: "check", state: "done" },
  { at: from + 1_900, type: "step", step: "resources", state: "begun" },
  { at: from + 2_500, type: "log", text: "firewall w-7f3k2m created" },
  { at: from + 6_200, type: "log", text: "machine 42 created at 203.0.113.7" },
  { at: from + 9_100, type: "step", step: "resources", state: "done" },
  { at: from + 9_100, type: "step", step: "boot", state: "begun" },
]

export const account = {
  ...signedIn,
  logins: [
    {
      id: "l1",
      createdAt: Date.now() - 20 * HOUR,
      lastSeenAt: Date.now(),
      userAgent:
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
      current: true,
    },
    {
      id: "l2",
      createdAt: Date.now() - 200 * HOUR,
      lastSeenAt: Date.now() - 30 * HOUR,
      userAgent:
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
      current: false,
    },
  ],
  tokens: [
    {
      id: "t1",
      name: "laptop script",
      scope: "write" as const,
      createdAt: Date.now() - 300 * HOUR,
      expiresAt: Date.now() + 400 * HOUR,
      lastUsedAt: Date.now() - 2 * HOUR,
    },
    {
      id: "t2",
      name: "nightly",
      scope: "read" as const,
      createdAt: Date.now() - 900 * HOUR,
      expiresAt: Date.now() - 24 * HOUR,
      lastUsedAt: null,
    },
  ],
  secrets: [{ name: "ANTHROPIC_API_KEY", updatedAt: Date.now() - 70 * HOUR }],
}

export const usage: UsageModel = {
  ...{ ...signedIn, month: "2026-11", before: "2026-10", after: null },
  workspaces: [
    {
      ...{ workspace: "w-7f3k2m", name: "quiet-otter", size: "cx43", region: "fsn1" },
      seconds: { active: 90_061, idle: 1800, stopped: 400_000, hibernated: 0, changing: 95, failed: 0 },
      ...{ costs: [{ amount: 4.3217, currency: "EUR" }], unpricedSeconds: 3600 },
    },
  ],
  total: [{ amount: 4.3217, currency: "EUR" }],
  budget: { amount: 4, action: "stop", spent: { amount: 4.3217, currency: "EUR" }, part: 1.08 },
}

export const notifications: NotificationsModel = {
  ...{ ...signedIn, sendsMail: true, email: { address: "ada@example.com", confirmed: false } },
  webhook: { url: "https://example.com/hook?from=foozol" },
  kinds: [
    { kind: "stopped", channels: ["webhook"] },
    { kind: "agent-waits", channels: ["webhook"] },
    { kind: "budget-near", channels: ["email", "webhook"] },
  ],
  failures: [
    {
      ...{ kind: "backup-failed", channel: "webhook", at: Date.now() - 30 * HOUR, givenUpAt: Date.now() - 6 * HOUR },
      reason: "It answered 503.",
    },
  ],
}

export const backups: BackupView[] = [
  {
    ...{ id: "201", workspace: "w-7f3k2m", workspaceName: "quiet-otter", isLiving: true, kind: "backup" },
    ...{ scheduled: true, name: "quiet-otter, daily", available: true, bytes: 4.2 * 1024 ** 3 },
    ...{ createdAt: Date.now() - 9 * HOUR, keepUntil: Date.now() + 159 * HOUR },
    ...{ provenAt: Date.now() - 7 * HOUR, proof: "passed" },
  },
  {
    ...{ id: "200", workspace: "w-7f3k2m", workspaceName: "quiet-otter", isLiving: true, kind: "backup" },
    ...{ scheduled: false, name: "before the upgrade of everything", available: true, bytes: 640 * 1024 ** 2 },
    ...{ createdAt: Date.now() - 60 * HOUR, keepUntil: null, provenAt: Date.now() - 50 * HOUR, proof: "failed" },
  },
  {
    ...{ id: "199", workspace: "w-7f3k2m", workspaceName: "quiet-otter", isLiving: true, kind: "safety" },
    ...{ scheduled: false, name: "quiet-otter, before it was changed", available: false, bytes: null },
    ...{ createdAt: Date.now() - 1 * HOUR, keepUntil: Date.now() + 167 * HOUR, provenAt: null, proof: null },
  },
]
const finalBackup: BackupView = {
  ...{ id: "150", workspace: "w-gone", workspaceName: "old-heron", isLiving: false, kind: "final", scheduled: false },
  ...{ name: "old-heron, deleted", available: true, bytes: 12.4 * 1024 ** 3, createdAt: Date.now() - 240 * HOUR },
  ...{ keepUntil: Date.now() + 480 * HOUR, provenAt: null, proof: null },
}

/** Conversations with coding agents, one in each state. */
export const agents = (): AgentsView => {
  const one = (more: Partial<Conversation>): Conversation => ({
    ...{
      tool: "claude",
      id: "4f62f5b2-2c77",
      folder: "~/app",
      title: "Fix <b> the test",
      last: "All 41 tests pass now. Shall I commit?",
    },
    ...{ at: Date.now() - 4 * MINUTE, state: "waiting", isInTerminal: true, hasPrompt: false },
    ...{ waitsSince: Date.now() - 4 * MINUTE, isOwed: false, ...more },
  })
  return {
    tools: ["claude", "codex"],
    conversations: [
      one({}),
      one({ id: null, title: "", last: "", state: "asks", at: Date.now(), hasPrompt: true }),
      one({
        tool: "gemini",
        id: "9f1a64a3-a82b",
        title:
          "Write release notes for the last two weeks, in the manner of the ones before, and leave out what users do not see",
        state: "working",
        last: "Reading CHANGELOG.md",
      }),
      one({
        tool: "codex",
        id: "01a203c0-374d",
        title: "Why is the build slow?",
        state: "done",
        isInTerminal: false,
        last: "Most of it is type checking.",
        at: Date.now() - 30 * HOUR,
      }),
    ],
  }
}

/** The page of one workspace, in a state. */
export const workspaceModel = (
  more: Partial<Workspace> = {},
  other: Partial<WorkspaceModel> & { activity?: ActivityView } = {},
): WorkspaceModel => {
  const { activity: use = null, ...rest } = other
  return {
    ...signedIn,
    view: view(more, { activity: use }),
    stop: [
      { mode: "power-off", perDay: { amount: 0.41, currency: "EUR" }, atMost: false, wokeIn: 38, usual: 35 },
      { mode: "hibernate", perDay: { amount: 0.0179, currency: "EUR" }, atMost: true, wokeIn: null, usual: 130 },
    ],
    backups,
    ports: {
      open: [
        { port: 3000, program: "node vite" },
        { port: 8000, program: "python3" },
      ],
      shares: [
        {
          ...{ id: "4f7a2c19d0e35b68", port: 3000, visits: 2 },
          ...{ createdAt: Date.now() - HOUR, endsAt: Date.now() + 23 * HOUR, visitedAt: Date.now() - HOUR / 4 },
        },
      ],
    },
    sizes: options.sizes.map(one => ({
      ...{ sizeClass: one.class, type: one.type, cores: one.cores, memoryGb: one.memoryGb, diskGb: one.diskGb },
      price: { amount: one.prices.fsn1?.monthly ?? 0, currency: "EUR" },
      isCurrent: one.class === "medium",
      reason:
        one.class === "small"
          ? "Its disk has 160 GB, and this one only 40 GB"
          : one.class === "large"
            ? "Sold out"
            : null,
    })),
    regions: options.regions.map(({ id, label }) => ({
      ...{ region: id, label, price: { amount: 11.99, currency: "EUR" }, isCurrent: id === "fsn1" },
      reason: id === "nbg1" ? "Its size is sold out there at the moment" : null,
    })),
    operations: [
      operation({ id: "op-9", kind: "backup", state: "failed", finishedAt: Date.now() - 10_000 }),
      operation({ id: "op-8", kind: "hibernate", state: "succeeded", requestedBy: "idleness", finishedAt: Date.now() }),
      operation({ id: "op-1", state: "succeeded", finishedAt: Date.now() }),
    ],
    secrets: {
      own: [
        { name: "ANTHROPIC_API_KEY", updatedAt: Date.now() - 30 * 60_000 },
        { name: "DEPLOY_TOKEN", updatedAt: Date.now() - 20 * HOUR },
      ],
      ofAccount: ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"],
    },
    ...{ autoStop: true, keepOnUntil: null, soldOut: null },
    ...rest,
  }
}

const places = [
  {
    sizeClass: "large" as const,
    region: "fsn1",
    regionLabel: "Falkenstein, Germany",
    price: { amount: 22.49, currency: "EUR" },
  },
  {
    sizeClass: "medium" as const,
    region: "ash",
    regionLabel: "Ashburn, USA",
    price: { amount: 17.49, currency: "EUR" },
  },
]

const TIMED_USUALLY = {
  seconds: 6,
  steps: { check: 1.1, resources: 1.2, boot: 2.2, desktop: 2.4 },
  parts: { queue: 0, "engine-start": 0.9, "resource:machine": 0.8, "first-report": 0.4, "check:certificate": 1.9 },
}

/** What the time of a creation was spent on whose click was at a time. */
function creationSpans(click: number): Span[] {
  const at = (name: Span["name"], from: number, until: number, more: Partial<Span> = {}): Span => ({
    ...{ id: `${name} ${more.of}`, parent: null, name, at: click + from, until: click + until },
    ...more,
  })
  const within = (parent: string) => ({ parent: `step ${parent}` })
  return [
    at("click", 0, 180),
    at("queue", 180, 420),
    at("step", 420, 1_560, { of: "check" }),
    at("engine-wait", 430, 520, within("check")),
    at("engine-start", 520, 1_560, within("check")),
    at("step", 1_560, 2_900, { of: "resources" }),
    at("resource", 1_570, 1_700, { of: "firewall", ...within("resources") }),
    at("resource", 1_580, 1_690, { of: "ipv4", ...within("resources") }),
    at("resource", 1_710, 2_610, { of: "machine", ...within("resources") }),
    at("resource", 2_620, 2_760, { of: "record-A", ...within("resources") }),
    at("engine-end", 2_760, 2_900, within("resources")),
    at("step", 2_900, 3_800, { of: "boot" }),
    at("step", 3_800, 5_870, { of: "desktop" }),
    at("first-report", 3_800, 4_100, within("desktop")),
    at("check", 4_100, 5_860, { of: "certificate", ...within("desktop") }),
    at("check", 4_100, 4_500, { of: "vnc", ...within("desktop"), failed: true }),
    at("redirect", 5_870, 6_020),
    at("first-frame", 6_020, 7_340),
  ]
}

/** Every page, by the path it is previewed at. */
export function samplePages(): Record<string, string> {
  const from = Date.now() - 15_000
  const moving = { ...signedIn, workspace: workspace({ state: "PROVISIONING" }), address: view().address }
  const failed = operation({ state: "failed", finishedAt: from + 12_000, failure })
  return {
    "/landing": landingPage({ signInUrl: "/login/github" }),
    "/landing-error": landingPage({
      signInUrl: "/login/github",
      error: { title: "You could not be signed in", message: "GitHub did not answer. Try again in a minute." },
      signedOut: true,
    }),
    "/dashboard": dashboardPage({
      ...signedIn,
      workspaces: views(),
      quota: { desktop: 1, total: 6, used: 6 },
      notice: { tone: "ok", text: "idle-fox is being stopped." },
    }),
    "/dashboard-empty": dashboardPage({ ...signedIn, workspaces: [], quota: { desktop: 1, total: 3, used: 0 } }),
    "/new": newWorkspacePage({ ...signedIn, options }),
    "/new-two-providers": newWorkspacePage({ ...signedIn, options: twoProviders, values: { provider: "gcp" } }),
    "/new-away": newWorkspacePage({ ...signedIn, options: { ...options, away: ["Google Cloud"] } }),
    "/new-elsewhere": newWorkspacePage({ ...signedIn, options, values: { provider: "gcp", region: "us-central1-a" } }),
    "/new-nothing": newWorkspacePage({
      ...{ ...signedIn, options: { ...options, sizes: [], regions: [], providers: [] } },
    }),
    "/new-linked": newWorkspacePage({
      ...{ ...signedIn, options, isLinked: true },
      values: {
        repository: "https://github.com/ada/analytical-engine",
        branch: "feature/notes",
        folder: "packages/web",
        devcontainer: ".devcontainer/python/devcontainer.json",
      },
    }),
    "/new-errors": newWorkspacePage({
      ...signedIn,
      options,
      values: { name: "x".repeat(70), region: "nbg1", sizeClass: "large", secretNames: ["MY-KEY"] },
      errors: {
        form: "The provider did not answer; nothing was created.",
        name: "A name has at most 64 characters.",
        sizeClass: "Large is sold out in Nuremberg.",
        repository: "Repositories on evil.example are not allowed here, only on: github.com, gitlab.com.",
        proxy: "A proxy's address begins with http:// or https://.",
        secrets: "MY-KEY is no name of a variable: use letters, digits and _.",
      },
    }),
    "/workspace-repository": workspacePage(
      workspaceModel({
        repository: readRepository({ url: "https://github.com/ada/analytical-engine", branch: "feature/notes" }),
        fetch: { state: "failed", reason: "There is no such repository on github.com, or it is private." },
      }),
    ),
    "/operation": operationPage({ ...moving, operation: operation(), events: eventsUntilBoot(from) }),
    "/operation-done": operationPage({
      ...moving,
      operation: operation({ state: "succeeded", finishedAt: from + 38_000 }),
      workspace: workspace(),
      events: eventsUntilBoot(from),
    }),
    "/operation-timed": operationPage({
      ...moving,
      operation: operation({ state: "succeeded", finishedAt: from + 5_450, estimate: TIMED_USUALLY }),
      workspace: workspace(),
      events: eventsUntilBoot(from),
      spans: creationSpans(from - 420),
    }),
    "/operation-timing": operationPage({
      ...moving,
      operation: operation({ estimate: TIMED_USUALLY }),
      events: eventsUntilBoot(from),
      spans: creationSpans(from - 420).filter(one => one.until < from + 3_000 && one.name !== "click"),
    }),
    "/operation-failed": operationPage({
      ...moving,
      operation: failed,
      workspace: workspace({ state: "FAILED", failure }),
      events: eventsUntilBoot(from),
    }),
    "/operation-cancelled": operationPage({
      ...moving,
      operation: operation({ state: "cancelled", kind: "start", finishedAt: from }),
      workspace: workspace({ state: "FAILED" }),
      events: [],
    }),
    "/operation-sold-out": operationPage({
      ...moving,
      operation: operation({
        ...{ kind: "wake", state: "failed", finishedAt: from + 1_000 },
        failure: { ...failure, id: "sold-out", message: "It is sold out. Nothing is lost.", next: "retry" },
      }),
      workspace: workspace({ state: "STOPPED", snapshot: "9" }),
      ...{ events: [], places },
    }),
    "/operation-slept": operationPage({
      ...moving,
      operation: operation({
        ...{ kind: "hibernate", state: "succeeded", requestedBy: "idleness", finishedAt: from + 90_000 },
        wish: { because: "nobody has used it since 14:05 UTC" },
      }),
      workspace: workspace({ state: "STOPPED", snapshot: "9" }),
      events: [],
    }),
    "/workspace": workspacePage(
      workspaceModel({}, { activity: activity({ output: 3, agent: 1, files: 12, start: 180, viewer: 0 }) }),
    ),
    "/workspace-agents": workspacePage({
      ...workspaceModel(
        {},
        { errors: { prompt: "Codex is still at work in it." }, prompt: { to: "codex", text: "Go on" } },
      ),
      view: view({}, { agents: agents() }),
    }),
    "/workspace-off": workspacePage(
      workspaceModel(
        { state: "STOPPED" },
        { keepOnUntil: Date.now() + 9 * HOUR, errors: { name: "A name must be one line.", backup: "No." } },
      ),
    ),
    "/workspace-asleep": workspacePage(workspaceModel({ state: "STOPPED", snapshot: "9" }, { backups: [] })),
    "/workspace-sold-out": workspacePage(
      workspaceModel(
        { state: "STOPPED", snapshot: "9" },
        { soldOut: places, notice: { tone: "error", text: "Medium is sold out in fsn1." } },
      ),
    ),
    "/workspace-moving": workspacePage(
      workspaceModel(
        { state: "STOPPING" },
        { view: view({ state: "STOPPING" }, { operation: operation({ kind: "stop" }) }) },
      ),
    ),
    "/workspace-failed": workspacePage({
      ...workspaceModel({ state: "FAILED", failure }, { backups: null, sizes: null, regions: null }),
      view: view({ state: "FAILED", failure }, { operation: operation({ state: "failed" }) }),
    }),
    "/restore": restorePage({
      ...signedIn,
      workspace: workspace(),
      backup: backups[1] as BackupView,
      error: "Not it.",
    }),
    "/backups": backupsPage({ ...signedIn, backups: [...backups, finalBackup] }),
    "/backups-away": backupsPage({ ...signedIn, backups, away: ["Google Cloud"] }),
    "/backups-none": backupsPage({ ...signedIn, backups: [], notice: { tone: "ok", text: "It is gone." } }),
    "/backups-remove": removeBackupPage({ ...signedIn, backup: finalBackup }),
    "/new-from": newWorkspacePage({
      ...{ ...signedIn, options, values: { sizeClass: "medium" } },
      from: {
        ...{ id: "150", name: "old-heron, deleted", workspaceName: "old-heron", profile: "browser" },
        createdAt: Date.now() - 240 * HOUR,
      },
      errors: { from: "There is no such backup." },
    }),
    "/delete": deletePage({ ...signedIn, workspace: workspace(), error: "That is not its name: quiet-otter." }),
    "/delete-kept": deletePage({ ...signedIn, workspace: workspace(), keptDays: 30 }),
    "/connect": connectPage({
      ...signedIn,
      workspace: workspace({ state: "STOPPED" }),
      action: "wake",
      goal: "desktop",
    }),
    "/connect-first": connectPage({ ...signedIn, workspace: null, action: "create", goal: "desktop" }),
    "/usage": usagePage({ ...usage, budgetError: "A budget is an amount." }),
    "/usage-empty": usagePage({ ...usage, after: "2026-12", workspaces: [], total: [], budget: null }),
    "/notifications": notificationsPage({ ...notifications, newSecret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }),
    "/notifications-none": notificationsPage({
      ...{ ...notifications, sendsMail: false, email: null, webhook: null, failures: [] },
      ...{ errors: { url: "It must be an https URL." }, notice: { tone: "ok", text: "It is on its way." } },
    }),
    "/account-delete": deleteAccountPage({
      ...{ ...signedIn, workspaces: ["quiet-otter", "idle-fox"], snapshots: 4, keptDays: 30 },
      error: "This is not your login name.",
    }),
    "/landing-account-ends": landingPage({ signInUrl: "/login/github", accountEnds: true }),
    "/account": accountPage({ ...account, newToken: "fz_9qT3mW7xK2vB8nR4sL6pD1yH5jC0gE" }),
    "/error": errorPage({
      status: 503,
      title: "The service is busy",
      message: "Nothing was lost. Try again in a few seconds.",
      id: "busy",
      requestId: "01J9ZC3W7N",
    }),
    "/docs": apiDocsPage({ document: apiDescription }),
  }
}
