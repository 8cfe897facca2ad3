import type { SignedRequest } from "../../infra/object-storage/sign.ts"
import { forbidden, ServiceError } from "../errors.ts"
import type { Workspace } from "../workspaces/workspace.ts"
import type { HomeBackups } from "./home-backups.ts"
import type { SignWish } from "./news.ts"
import type { HomeRecord, HomeRun } from "./records.ts"

/** A machine may remove what is old for so long after it was asked to, and no longer. */
const PRUNE_MS = 6 * 3_600_000

type Machine = Pick<Workspace, "id" | "owner">

/** Where an object lies: as restic has it in a bucket itself, so that an operator can open it without any of this. */
const pathOf = (name: string) => name.replace(/^data\/(..)/, "data/$1/$1")

/**
 * What a machine is given to do its work: signed requests for single objects of one repository, and that one's password,
 * while the service wants that work. It never overwrites, reads another home only while that is being restored, and
 * removes only locks, or what is old when it was asked to.
 */
export function createStorageRequests(homes: HomeBackups, now: () => number) {
  /** @throws ServiceError `home-over` */
  async function runOf({ id, owner }: Machine, given: string): Promise<{ record: HomeRecord; run: HomeRun }> {
    const record = await homes.records.get(owner, id)
    if (record?.run?.id === given) return { record, run: record.run }
    throw new ServiceError("home-over", 409, "This work on the home has ended, or was never wanted.")
  }
  const repositoryOf = ({ id }: Machine, { from }: HomeRun) => homes.prefixOf(from ?? id)

  async function requireRemovable(machine: Machine, run: HomeRun, name: string): Promise<void> {
    if (name.startsWith("locks/")) return
    // A repository that was never finished is begun anew.
    if (name.startsWith("keys/") && (await isUnfinished(machine, run))) return
    if (name !== "config" && run.keepDays !== null && now() < run.askedAt + PRUNE_MS) return
    throw forbidden("This may not be removed now.")
  }
  const isUnfinished = async (machine: Machine, run: HomeRun) =>
    (await homes.inStorage(storage => storage.list(`${repositoryOf(machine, run)}config`))).length === 0

  return {
    async password(machine: Machine, id: string): Promise<string> {
      const { record, run } = await runOf(machine, id)
      const source = run.from === null ? record : await homes.records.get(machine.owner, run.from)
      if (source === null) throw new ServiceError("no-home-backup", 404, "This home backup is gone.")
      return homes.passwordOf(machine.owner, source)
    },
    async sign(machine: Machine, wish: SignWish): Promise<SignedRequest> {
      const { run } = await runOf(machine, wish.id)
      const { method, name } = wish
      if (run.do === "restore" && method !== "GET" && method !== "HEAD") throw forbidden("It is only read.")
      if (method === "DELETE") await requireRemovable(machine, run, name)
      const key = `${repositoryOf(machine, run)}${pathOf(name)}`
      if (wish.method !== "PUT") return homes.required().sign({ method, key })
      // Everything but the first object is named by its content, which the storage holds what it gets against.
      if (name !== "config" && !name.endsWith(`/${wish.sha256}`))
        throw forbidden("Its name is not that of its content.")
      return homes.required().sign({ method, key, sha256: wish.sha256, headers: { "if-none-match": "*" } })
    },
    async list(machine: Machine, { id, folder }: { id: string; folder: string }) {
      const { run } = await runOf(machine, id)
      const prefix = `${repositoryOf(machine, run)}${folder}/`
      const found = await homes.inStorage(storage => storage.list(prefix))
      return found.map(({ key, bytes }) => ({ name: key.slice(key.lastIndexOf("/") + 1), size: bytes }))
    },
  }
}
