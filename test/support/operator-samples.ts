import type { AuditEntry } from "../../service/audit/entry.ts"
import type { CertificateRow } from "../../service/certificates/view.ts"
import type { DriftView } from "../../service/drift/drift.ts"
import type { Owned } from "../../service/operators/fleet.ts"
import type { Overview } from "../../service/operators/overview.ts"
import type { Person } from "../../service/operators/people.ts"
import { ACTIONS, type Action, type Plan } from "../../service/operators/plan.ts"
import {
  auditPage,
  certificatesPage,
  destroyPage,
  fleetPage,
  operationsPage,
  operatorWorkspacePage,
  peoplePage,
  personPage,
  stackPage,
  upkeepPage,
} from "../../service/pages/index.ts"
import type { RollOut } from "../../service/roll-outs/roll-outs.ts"
import type { SweepReport } from "../../service/sweeps/sweep.ts"
import { failure, operation, views, workspace } from "./page-samples.ts"

const [MINUTE, HOUR] = [60_000, 3_600_000]

const person = (more: Partial<Person> = {}): Person => ({
  ...{ id: "gh-1001", login: "ada", name: "Ada Example", createdAt: Date.now() - 900 * HOUR },
  ...{ lastSignInAt: Date.now() - 3 * HOUR, workspaces: 2, ending: false, suspended: null },
  ...more,
})

const certificate = (more: Partial<CertificateRow> = {}): CertificateRow => ({
  ...{ workspace: "calm-otter-4f7k2d", owner: "gh-1001", login: "ada", state: "issued", issuer: "R11" },
  ...{ expiresAt: Date.now() + 900 * HOUR, left: 0.6, waits: null, problem: null },
  ...{ reportedAt: Date.now() - MINUTE, isOn: true, ...more },
})

const sweep: SweepReport = {
  at: Date.now() - 20_000,
  held: 311,
  resources: [
    {
      workspace: "lost-otter-1a2b3c",
      type: "hcloud:index/server:Server",
      id: "4711",
      verdict: "would-go",
      until: null,
    },
    {
      ...{ workspace: "young-lynx-9z8y7x", type: "hcloud:index/firewall:Firewall", id: "12", verdict: "waits" },
      until: Date.now() + HOUR,
    },
    { workspace: "not-ours", type: "hcloud:index/server:Server", id: "13", verdict: "foreign", until: null },
  ],
}

const overview: Overview = {
  states: [
    { state: "PROVISIONING", count: 1 },
    { state: "RUNNING", count: 41 },
    { state: "STOPPED", count: 18 },
    { state: "FAILED", count: 2 },
  ],
  operations: { queued: 3, running: 8, failed24h: 2 },
  weather: { requestsLeft: 0.12, isStormy: true },
  projects: [
    { project: "main", provider: "hetzner", requestsLeft: 0.92, isStormy: false },
    { project: "second", provider: "hetzner", requestsLeft: 0.42, isStormy: false },
    { project: "my-desks-in-another-house", provider: "gcp", requestsLeft: 0.12, isStormy: true },
  ],
  sweep,
  backups: { unproven: 4, none: 1 },
  costs: [{ currency: "EUR", amount: 312.4, forecast: 598.11 }],
}

const fault = {
  id: "provider-refused",
  message: "The provider refused to make the machine.",
  detail: 'POST /servers: 422 {"error":{"code":"uniqueness_error","message":"server name is already used"}}',
}
const failed = operation({
  ...{ id: "op-77", kind: "wake", state: "failed", failure, requestedBy: "gh-9", request: "6f0c2b1e" },
  ...{ finishedAt: Date.now() - 20 * MINUTE, marks: { fault: JSON.stringify(fault) } },
})

const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ id: "1-1", at: Date.now() - 5 * MINUTE, who: "gh-9", login: "root", as: "operator", by: "token deploys" },
  ...{ from: "192.0.2.7", action: "operatorDestroyWorkspace", user: "gh-1001", workspace: "calm-otter-4f7k2d" },
  ...{ operation: "op-9", input: { id: "calm-otter-4f7k2d" }, ok: true, status: 202, error: null, request: "r" },
  ...more,
})

const rollOut: RollOut = {
  ...{ settings: { wave: 10, stopAt: 20, inUse: false }, begunAt: Date.now() - HOUR, by: "root", total: 30 },
  ...{ state: "running", why: null },
  waves: [
    { begunAt: Date.now() - HOUR, workspaces: 3, running: 0, succeeded: 2, failed: 1, skipped: 0 },
    { begunAt: Date.now() - 20 * MINUTE, workspaces: 3, running: 2, succeeded: 1, failed: 0, skipped: 0 },
  ],
}

/** Pages of operators, by the path each is previewed at. */
export function operatorPages(): Record<string, string> {
  const user = { login: "root", name: "Root", avatarUrl: null, operator: true as const }
  const shell = { user, csrf: "csrf-token-of-a-sample" }
  const found: Owned[] = views().map(view => ({ workspace: view.workspace, login: "ada" }))
  const logins = new Map([
    ["1", "ada"],
    ["gh-9", "root"],
    ["gh-1001", "ada"],
  ])
  const plans = (kind: Plan["kind"]) =>
    Object.fromEntries(ACTIONS.map(action => [action, { kind, why: null }])) as Record<Action, Plan>
  const machine = {
    ...{ id: "42", name: "w", state: "running" as const, size: "cx43", diskGb: 160, region: "fsn1" },
    ...{ ipv4: "203.0.113.7", ipv6: null, labels: { "foozol-epoch": "7" }, busy: false, deleteProtection: true },
    createdAt: new Date(),
  }
  const dossier = {
    ...{ workspace: workspace({ state: "FAILED", failure }), owner: person(), operations: [failed, operation()] },
    ...{ machines: [machine], locks: [{ pid: 4711, hostname: "worker-1", takenAt: Date.now() }], leased: true },
  }
  const rule = { direction: "in" as const, protocol: "tcp", port: "22", sourceIps: ["0.0.0.0/0"], destinationIps: [] }
  const added = {
    ...{ id: "firewall.rules.in-tcp-22", resource: "firewall" as const, kind: "added" as const, todo: null },
    ...{ words: "A firewall rule was added by hand: TCP 22 from 0.0.0.0/0, ::/0 (ssh).", mends: "repair" as const },
    accept: { what: "rule" as const, rule: { ...rule, description: "ssh" }, there: true },
  }
  const gone = {
    ...{ id: "machine.there", resource: "machine" as const, kind: "missing" as const, accept: null },
    ...{ words: "The machine is gone.", mends: "restore" as const, todo: "Restore its newest backup." },
  }
  const label = {
    ...{ id: "machine.labels.team", words: "The label team of the machine was added by hand: blue.", by: "root" },
    ...{ change: { what: "label" as const, resource: "machine" as const, key: "team", value: "blue" } },
    ...{ reason: "costs are counted by it", at: Date.now() - 30 * HOUR },
  }
  const drift: DriftView = {
    ...{ workspace: "calm-otter-4f7k2d", name: "calm-otter", owner: "gh-1001", state: "RUNNING" },
    ...{ at: Date.now() - HOUR, triedAt: Date.now() - MINUTE, differences: [added, gone], accepted: [label] },
    failure: { id: "provider-failed", message: "The provider fails at the moment." },
  }
  const suspended = { at: Date.now() - HOUR, by: "gh-9", why: "mines coins", keepRunning: false }
  return {
    "/operator": fleetPage({
      ...{ ...shell, overview, found, query: {}, total: 130, page: 2, perPage: 50 },
      drift: {
        lookedAt: Date.now() - HOUR,
        drifted: [{ workspace: "w-1", name: "calm-otter", text: "A firewall rule was added by hand." }],
      },
    }),
    "/operator-none": fleetPage({
      ...{
        ...shell,
        drift: null,
        found: [],
        query: { search: "nobody", state: "FAILED" },
        total: 0,
        page: 1,
        perPage: 50,
      },
      overview: { ...overview, states: [], sweep: null, costs: [], projects: overview.projects.slice(0, 1) },
    }),
    "/operator-workspace": operatorWorkspacePage({
      ...{ ...shell, dossier, plans: plans("retry" as never), outdated: true, logins, drift, isAtRest: true },
      notice: { tone: "error", text: "A workspace that is STOPPED cannot be stopped." },
    }),
    "/operator-workspace-bare": operatorWorkspacePage({
      ...{ ...shell, plans: plans(null), outdated: false, logins, drift: null, isAtRest: false },
      dossier: {
        workspace: workspace({ snapshot: "9" }),
        owner: null,
        operations: [],
        machines: null,
        locks: null,
        leased: false,
      },
    }),
    "/operator-destroy": destroyPage({
      ...shell,
      workspace: workspace(),
      login: "ada",
      keptDays: 30,
      error: "Not it.",
    }),
    "/operator-stack": stackPage({
      ...{ ...shell, workspace: workspace(), busy: null, error: "This is not the workspace's id." },
      holders: [
        { pid: 4711, hostname: "worker-1", takenAt: Date.now() - 9 * MINUTE, isDead: true },
        { pid: 812, hostname: "worker-2.of-another-house.example", takenAt: Date.now() - HOUR, isDead: false },
      ],
      recovery: {
        lines: ["The real resources would be read into the state.", "The next run takes in machine (104711)."],
      },
    }),
    "/operator-stack-busy": stackPage({
      ...{ ...shell, workspace: workspace(), holders: [], busy: "Its start is running: wait until it is over." },
      recovery: null,
    }),
    "/operator-stack-away": stackPage({
      ...{ ...shell, workspace: workspace(), holders: null, busy: null },
      ...{ recovery: { problem: "The provider fails at the moment." }, notice: { tone: "ok", text: "It is free." } },
    }),
    "/operator-operations": operationsPage({
      ...shell,
      going: [operation(), operation({ state: "queued" })],
      failed: [failed],
      logins,
    }),
    "/operator-operations-none": operationsPage({ ...shell, going: [], failed: [], logins }),
    "/operator-users": peoplePage({
      ...{ ...shell, total: 1200, search: "a" },
      people: [person(), person({ id: "gh-2", login: "bob", suspended }), person({ id: "gh-3", ending: true })],
    }),
    "/operator-user": personPage({
      ...{ ...shell, person: person(), workspaces: found.slice(0, 2), isOperator: false, suspendedBy: null },
      error: "This is not their login name.",
    }),
    "/operator-user-suspended": personPage({
      ...{ ...shell, person: person({ suspended }), workspaces: [], isOperator: false, suspendedBy: "root" },
    }),
    "/operator-upkeep": upkeepPage({
      ...{ ...shell, rollOut, sweep, isDry: true },
      images: [
        {
          id: "160",
          provider: "hetzner",
          profile: "browser",
          createdAt: Date.now() - 5 * HOUR,
          ready: true,
          standing: null,
          used: false,
        },
        {
          id: "150",
          provider: "hetzner",
          profile: "browser",
          createdAt: Date.now() - 90 * HOUR,
          ready: true,
          standing: "promoted",
          used: true,
        },
        {
          id: "140",
          provider: "hetzner",
          profile: "browser",
          createdAt: 0,
          ready: false,
          standing: "demoted",
          used: false,
        },
      ],
      spares: [
        {
          ...{ kind: "hetzner/fsn1/large/browser", provider: "hetzner", region: "fsn1", sizeClass: "large" },
          ...{ least: 1, most: 6 },
          ...{ profile: "browser", count: 3, ready: 2, coming: 1, leaving: 1, isWaiting: true },
          ...{ costs: [{ currency: "EUR", monthly: 39.96 }], oldest: Date.now() - HOUR, taken: 12, missed: 3 },
        },
      ],
      orders: [{ target: "host:worker-2", by: "root", why: "new disk", at: Date.now() - MINUTE }],
      workers: [
        { id: "worker-1:4711", host: "worker-1", pid: 4711, since: Date.now() - HOUR, active: 3, draining: false },
        { id: "worker-2:812", host: "worker-2", pid: 812, since: Date.now() - HOUR, active: 1, draining: true },
      ],
    }),
    "/operator-upkeep-away": upkeepPage({
      ...{ ...shell, rollOut: null, sweep: { ...sweep, away: ["my-desks"] }, isDry: true },
      ...{ images: [], away: ["Google Cloud"], spares: [], orders: [], workers: [] },
    }),
    "/operator-upkeep-look": upkeepPage({
      ...{ ...shell, rollOut: null, sweep: null, isDry: false, images: [], spares: [], orders: [], workers: [] },
      foreseen: {
        ...{ settings: { wave: 25, stopAt: 5, inUse: true }, total: 12, first: ["calm-otter-1", "calm-otter-2"] },
        ...{ waiting: 3, left: 1 },
      },
    }),
    "/operator-upkeep-none": upkeepPage({
      ...{ ...shell, rollOut: null, sweep: null, isDry: false, images: null, spares: [], orders: [], workers: [] },
    }),
    "/operator-certificates": certificatesPage({
      ...shell,
      authorities: [
        {
          ...{ name: "acme.example", directory: "https://acme.example/dir", most: 50 },
          ...{ used: 50, asked: 1, left: 0, closed: null },
        },
        {
          ...{ name: "other.example", directory: "https://other.example/dir", most: 0 },
          ...{ used: 0, asked: 0, left: 1, closed: "down" },
        },
      ],
      rows: [
        certificate({ state: "expired", expiresAt: Date.now() - HOUR, left: 0 }),
        certificate({ problem: { kind: "connection", reason: "Timeout during connect", failures: 4 }, left: 0.1 }),
        certificate({
          state: "self-signed",
          issuer: "workspace",
          waits: { since: Date.now() - HOUR, about: Date.now() + 5 * HOUR },
        }),
        certificate({ isOn: false }),
      ],
    }),
    "/operator-certificates-none": certificatesPage({ ...shell, authorities: [], rows: [] }),
    "/operator-audit": auditPage({
      ...{ ...shell, more: true, asked: { user: "root", workspace: "" }, logins },
      entries: [
        entry(),
        entry({
          id: "2",
          as: "user",
          by: "login",
          action: "POST /account/tokens",
          user: null,
          workspace: null,
          input: {},
        }),
        entry({
          id: "3",
          as: "command-line",
          from: null,
          by: "ops-1",
          action: "stack recover",
          user: null,
          ok: false,
          error: "stack-locked",
        }),
      ],
    }),
    "/operator-audit-none": auditPage({
      ...shell,
      more: false,
      entries: [],
      asked: { user: "", workspace: "" },
      logins,
    }),
  }
}
