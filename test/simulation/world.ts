import { setTimeout as sleep } from "node:timers/promises"
import { createHetznerMachines } from "../../infra/machines/hetzner.ts"
import { createHetznerApi } from "../../infra/machines/hetzner-api.ts"
import { Secret } from "../../infra/secret.ts"
import { FINE } from "../support/reporting-machines.ts"
import { seeded } from "../support/seeded.ts"
import { startTestService, type TestService, type TestWorld } from "../support/service.ts"
import { createDirectEngine } from "./direct-engine.ts"
import { createOracle, type Moment } from "./oracle.ts"
import { inventPeople, type Person } from "./people.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export interface Scale {
  workspaces: number
  days: number
  stepMinutes: number
  seed: number
  /** Part of the provider's requests that go wrong. */
  faults: number
  say?: (line: string) => void
}

const PROMISES = { backupDays: 3, finalDays: 2, proofDays: 2 }

/**
 * Lets people use their workspaces for days of a fake clock, over a provider at which requests fail, and a service that
 * is started anew now and then; the oracle looks after each step. Real: Redis, the service with its operations and its
 * looks at backups, the local cloud's API. Pretended: the machines, and the engine (see direct-engine.ts).
 * @returns every broken promise in words, and what happened how often
 */
export async function simulate(scale: Scale) {
  const random = seeded(scale.seed)
  let ahead = 0
  const test = await startTestService(
    {
      ...{ FOOZOL_BACKUPS: "true", FOOZOL_BACKUP_DAYS: String(PROMISES.backupDays), FOOZOL_BACKUPS_AT_ONCE: "16" },
      ...{ FOOZOL_FINAL_SNAPSHOT_DAYS: String(PROMISES.finalDays), FOOZOL_PROOF_DAYS: String(PROMISES.proofDays) },
      ...{ FOOZOL_PROOFS_AT_ONCE: "16", FOOZOL_PROOF_SECONDS: "30", FOOZOL_READY_SECONDS: "10" },
      ...{ FOOZOL_OPERATIONS_PER_PROVIDER: "16", FOOZOL_AUTO_STOP: "false" },
    },
    { ahead: () => ahead, heartbeatMs: 3_600_000, parts: partsOf },
  )
  const now = () => Date.now() + ahead
  const start = now()
  const people = inventPeople(scale.workspaces, start, scale.days, random)
  const desks = new Map<Person, string>()
  const oracle = createOracle(PROMISES)
  const counted = { restarts: 0, acts: 0 }
  test.machines.setAgent(2)
  // Some backups do not restore.
  test.machines.setProof(() =>
    random() < 0.92 ? FINE : { ...FINE, checks: [{ name: "disk", ok: false, detail: "e2fsck ended with 4" }] },
  )
  await addFaults(test, scale.faults)
  try {
    for (let step = 0; now() < start + scale.days * DAY; step++) {
      ahead = start + (step + 1) * scale.stepMinutes * MINUTE - Date.now()
      const removedByPeople = new Set<number>()
      await Promise.all(people.map(person => live(person, removedByPeople)))
      if (random() < 0.04) {
        counted.restarts++
        await sleep(20)
        await test.restart(0)
      }
      await atRest()
      const looked = test.service.services.lookAfterBackups(new AbortController().signal)
      await looked.catch(error => scale.say?.(`a look failed: ${(error as Error).message}`))
      await atRest()
      oracle.look(await moment(removedByPeople))
      if (step % 24 === 0) scale.say?.(`day ${((now() - start) / DAY).toFixed(1)}: ${JSON.stringify(oracle.counted)}`)
    }
    // The provider has recovered; what was left over has its time to go.
    await test.cloud.clearFaults()
    for (let last = 0; last < 4; last++) {
      ahead += 2 * HOUR
      await Promise.all(people.map(person => live(person, new Set())))
      await atRest()
      await test.service.services.lookAfterBackups(new AbortController().signal)
      await atRest()
    }
    oracle.end(await moment(new Set()))
    const { workspaces } = await moment(new Set())
    return { broken: oracle.broken, counted: { ...oracle.counted, ...counted, workspaces: workspaces.size } }
  } finally {
    await test.close()
  }

  function partsOf({ cloud }: TestWorld) {
    // Waiting between two tries takes no part in a simulation.
    const api = createHetznerApi({ endpoint: cloud.apiUrl, token: new Secret(cloud.token), pauseMs: 2 })
    const machines = createHetznerMachines(api)
    return { machines, pool: createDirectEngine(machines) }
  }

  /** What a person does at this time. Whatever is refused or fails, they try again at the next step. */
  async function live(person: Person, removed: Set<number>): Promise<void> {
    const { workspaces, store, backups } = test.service.services
    const { user } = person
    try {
      const id = desks.get(person)
      if (id === undefined) {
        if (now() < person.comesAt) return
        const wish = {
          profile: "browser",
          sizeClass: "small",
          region: "fsn1",
          provider: "hetzner",
          secrets: {},
        } as const
        const { workspace } = await workspaces.create(user, wish, `${user} ${person.comesAt}`)
        desks.set(person, workspace.id)
        return
      }
      const desk = await store.get(id)
      if (!desk || desk.state === "TERMINATED" || desk.state === "TERMINATING") return
      counted.acts++
      const isOn = desk.state === "RUNNING"
      const wanted = person.wantsOn(now())
      if (person.leavesAt !== null && now() >= person.leavesAt) await workspaces.destroy(user, id)
      else if (desk.state === "FAILED") await workspaces.retry(user, id)
      else if (isOn && !wanted) await workspaces.stop(user, id, person.stops)
      else if (desk.state === "STOPPED" && wanted) await workspaces.start(user, id)
      else if (isOn && random() < person.backsUp) await workspaces.backup(user, id, "mine")
      else if (random() < 0.002) {
        const mine = (await backups.of(user, { id })).find(one => one.description === "mine" && one.available)
        if (!mine) return
        removed.add(Number(mine.id))
        await backups.remove(user, mine.id)
      }
    } catch {
      // The provider did not answer: people come back later.
    }
  }

  /** Waits until no operation goes on. */
  async function atRest(): Promise<void> {
    while ((await test.service.services.store.going()).length > 0) await sleep(10)
  }

  async function moment(removedByPeople: Set<number>): Promise<Moment> {
    const { store } = test.service.services
    const { store: records } = test.cloud.cloud.context
    const known = new Map<string, { isOn: boolean; isAsleep: boolean; isFailed: boolean }>()
    for (const id of await store.ids()) {
      const one = await store.get(id)
      if (!one || one.state === "TERMINATED") continue
      const isFailed = one.state === "FAILED" || one.state === "TERMINATING"
      known.set(id, { isOn: one.state === "RUNNING", isAsleep: one.snapshot !== null, isFailed })
    }
    const images = records.all("image").filter(one => one.labels["foozol-workspace"] !== undefined)
    return { at: now(), images, servers: records.all("server"), workspaces: known, removedByPeople }
  }
}

/** Everything that can go wrong with a request, each with its share. */
async function addFaults(test: TestService, share: number): Promise<void> {
  // The first rule that strikes decides, so each has its part of what the ones before have left.
  let left = 1
  const add = async (part: number, fault: Parameters<typeof test.cloud.addFault>[0]["fault"], method?: "POST") => {
    const probability = (share * part) / left
    left -= share * part
    await test.cloud.addFault({ probability, fault, match: { path: "^/v1/", ...(method ? { method } : {}) } })
  }
  await add(0.4, { kind: "status", status: 503 })
  await add(0.2, { kind: "drop_before" })
  await add(0.2, { kind: "drop_after" })
  await add(0.1, { kind: "status", status: 429, code: "rate_limit_exceeded" })
  await add(0.1, { kind: "fail_action" })
}
