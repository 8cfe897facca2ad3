import { setTimeout as sleep } from "node:timers/promises"
import type { Redis } from "ioredis"
import type { Logger } from "pino"
import type { CertificateAuthority, MachineCertificate } from "../machines/certificate.ts"
import type { MachineChannel } from "../machines/channel.ts"
import type { WorkspaceStore } from "../workspaces/store.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import { free, used } from "./budget.ts"
import { type AuthorityFacts, decide, type Standing } from "./decide.ts"
import { writeIssued } from "./ledger.ts"
import { inOrder, turnAt } from "./queue.ts"
import type { NamedAuthority } from "./settings.ts"
import { createCertificateStore } from "./store.ts"

/** Between two looks at what authorities still grant, for the many reports that change nothing. */
const FACTS_MS = 5_000
/** By how much the time that somebody is told must be wrong before they are told another. */
const ABOUT_MS = 30 * 60_000
/** Decisions that another one came in between of are made anew so often, after a while at random up to so long. */
const TRIES = 100
const AGAIN_MS = 50
const ON = new Set(["PROVISIONING", "RUNNING", "IDLE", "STARTING"])

/** How it stands with an authority. */
export interface AuthorityState {
  name: string
  directory: string
  /** New names a week; 0: no such number. */
  most: number
  used: number
  /** Of those, how many have not come yet. */
  asked: number
  /** Share that is left, 0 to 1. */
  left: number
  closed: AuthorityFacts["closed"]
}

export interface Certificates {
  /** The authority that a workspace's machine shall ask now; null: none, or not yet. */
  forMachine(workspace: Pick<Workspace, "id" | "owner">): Promise<CertificateAuthority | null>
  /** A machine has told of its certificate. */
  heard(workspace: string, report: MachineCertificate): Promise<void>
  /** Gives turns to those that wait, and puts down what has come. */
  look(): Promise<void>
  authorities(): Promise<AuthorityState[]>
  /** How many wait. */
  waiting(): Promise<number>
}

/** Says which machine asks which authority when, within what these grant. */
export function createCertificates(means: {
  redis: Redis
  store: Pick<WorkspaceStore, "get">
  channel: Pick<MachineChannel, "order">
  authorities: NamedAuthority[]
  /** Folder of the ledger of what was given. */
  directory: string
  log: Logger
  now: () => number
}): Certificates {
  const { redis, store, channel, authorities, directory, log, now } = means
  const kept = createCertificateStore(redis, authorities, directory)
  const named = (id: string | undefined) => authorities.find(one => one.id === id)

  /** Decides for one, and notes it. @param isNext it is the first of those that wait */
  async function settle(
    workspace: Pick<Workspace, "id" | "owner">,
    report: MachineCertificate | null,
    isNext = false,
  ): Promise<Standing> {
    const { id, owner } = workspace
    for (let tries = 0; tries < TRIES; tries++) {
      const at = now()
      const basis = await kept.basis(id, at)
      const before = isNext ? 0 : basis.waiting
      const { standing, isNew, givesBack } = decide({ ...basis, report, before, now: at })
      const isListed = basis.isListed === (standing.waitsSince !== null)
      if (isListed && JSON.stringify(standing) === JSON.stringify(basis.standing)) return standing
      const issuedBy = standing.issued.find(one => !basis.standing.issued.includes(one)) ?? null
      const change = {
        ...{ workspace: id, owner, standing, givesBack, issuedBy },
        uses: isNew ? (standing.given?.authority ?? null) : null,
        refusals: Object.entries(standing.refused).filter(([one]) => basis.standing.refused[one] === undefined),
        wait:
          standing.waitsSince === null
            ? null
            : { since: standing.waitsSince, about: turnAt(before, basis.authorities, at) },
      }
      if (!(await kept.change(basis, change, at))) {
        await sleep(Math.random() * AGAIN_MS)
        continue
      }
      tell(id, basis.standing, change)
      return standing
    }
    throw new Error("too much changes at once to decide who asks for a certificate")
  }

  function tell(workspace: string, before: Standing, { standing, refusals, issuedBy }: Told): void {
    for (const [authority, { kind, reason }] of refusals) {
      log.warn({ workspace, authority: named(authority)?.name, kind, reason }, "no certificate of this authority")
    }
    if (issuedBy) log.info({ workspace, authority: named(issuedBy)?.name }, "a new name has its certificate")
    if (before.given?.authority !== standing.given?.authority) {
      log.info({ workspace, authority: named(standing.given?.authority)?.name }, "whom it asks for a certificate")
    }
    if (before.waitsSince === null && standing.waitsSince !== null) {
      log.warn({ workspace }, "no authority grants another new name now: it waits for its certificate")
    }
  }

  let facts: { at: number; all: Promise<AuthorityFacts[]> } | null = null
  function lately(): Promise<AuthorityFacts[]> {
    if (facts === null || now() - facts.at > FACTS_MS) facts = { at: now(), all: kept.facts(now()) }
    return facts.all
  }

  return {
    async forMachine(workspace) {
      if (authorities.length === 0) return null
      const report = (await store.get(workspace.id))?.certificate ?? null
      const standing = await settle(workspace, report)
      return named(standing.given?.authority)?.authority ?? null
    },
    async heard(id, report) {
      if (authorities.length === 0) return
      const workspace = await store.get(id)
      if (!workspace) return
      const standing = workspace.authority
      // Nearly always nothing follows from it. Who waits is gone through elsewhere.
      if (standing !== null) {
        if (standing.given === null) return
        const decision = decide({ standing, report, authorities: await lately(), before: 0, now: now() })
        if (JSON.stringify(decision.standing) === JSON.stringify(standing)) return
      }
      const after = await settle(workspace, report)
      if (after.given?.authority !== standing?.given?.authority) await channel.order(id, { type: "settings", data: {} })
    },
    async look() {
      if (authorities.length === 0) return
      await kept.readLedger()
      await writeIssued(redis, directory)
      await kept.tidy(now())
      await giveBack()
      await giveTurns()
    },
    async authorities() {
      const [all, at] = [await kept.facts(now()), now()]
      return Promise.all(
        all.map(async ({ id, allowance, usedUntil, closed, directory }) => {
          const gone = used(usedUntil, allowance, at)
          const left = allowance.most === 0 ? 1 : Math.max(0, 1 - gone / allowance.most)
          const asked = (await kept.asked(id)).length
          const more = { most: allowance.most, used: Math.ceil(gone - 1e-6), asked, left, closed }
          return { name: named(id)?.name ?? directory, directory, ...more }
        }),
      )
    },
    waiting: async () => (await kept.waiting()).size,
  }

  async function giveBack(): Promise<void> {
    for (const { id } of authorities) {
      for (const workspace of await kept.asked(id)) {
        if ((await store.get(workspace)) === null) await kept.giveBack(id, workspace, now())
      }
    }
  }

  async function giveTurns(): Promise<void> {
    const waiting = await kept.waiting()
    const found: { workspace: Workspace; since: number }[] = []
    for (const [id, since] of waiting) {
      const workspace = await store.get(id)
      if (workspace && ON.has(workspace.state)) found.push({ workspace, since })
      else await kept.noLonger(id)
    }
    const byId = new Map(found.map(one => [one.workspace.id, one.workspace]))
    const order = inOrder(
      found.map(({ workspace, since }) => ({ workspace: workspace.id, since, inUse: workspace.state !== "IDLE" })),
    )
    let place = 0
    let facts = await kept.facts(now())
    for (const { workspace: id, since } of order) {
      const workspace = byId.get(id) as Workspace
      if (place === 0 && facts.some(one => one.closed !== "limit" && free(one.usedUntil, one.allowance, now()) > 0)) {
        const { given } = await settle(workspace, workspace.certificate, true)
        facts = await kept.facts(now())
        if (given !== null) {
          await channel.order(id, { type: "settings", data: {} })
          continue
        }
      }
      const about = turnAt(place, facts, now())
      place += 1
      const told = workspace.certificateWait
      if (told === null || Math.abs(told.about - about) > ABOUT_MS) await kept.tellWait(id, { since, about })
    }
  }
}

type Told = { standing: Standing; refusals: [string, { kind: string; reason: string }][]; issuedBy: string | null }
