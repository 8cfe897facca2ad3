import type { Context } from "../context.ts"
import { notFound } from "../errors.ts"
import { byDomain } from "../state/keys.ts"
import type { ZoneRecord } from "../state/records.ts"
import type { Store } from "../state/store.ts"
import { currentAction } from "./present-action.ts"
import { type Call, created, type Reply } from "./request.ts"

/** A zone of the caller by id or name, as the path gives it. */
export function loadZone(store: Store, call: Call, param = "zone"): ZoneRecord {
  // The router has decoded it.
  const given = call.params[param] ?? ""
  const zone = store.find("zone", byDomain(given))[0] ?? store.get("zone", Number(given))
  if (zone?.project !== call.project) throw notFound("zone", given)
  return zone
}

/** Begins an action of a zone and answers with it. */
export function zoneAction({ store, actions }: Context, call: Call, zone: ZoneRecord, command: string): Reply {
  const action = actions.begin({
    project: call.project,
    command,
    resources: [{ id: zone.id, type: "zone" }],
    fail: call.failActions,
  })
  return created(() => ({ action: currentAction(store, action) }))
}
