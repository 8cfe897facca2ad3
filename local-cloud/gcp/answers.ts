import { machineTypes, REGIONS, SKUS } from "./catalog.ts"
import { deleteDisk, insertDisk, setLabels, snapshotDisk } from "./disks.ts"
import { dnsAnswer } from "./dns.ts"
import { GoogleRefusal, notFound } from "./errors.ts"
import { ACTIONS, deleteInstance, insertInstance } from "./instances.ts"
import { aggregated, list, SCOPES } from "./lists.ts"
import { deletePart, insertPart, KINDS } from "./network.ts"
import { quotasOf } from "./quotas.ts"
import type { GcpState, Json } from "./state.ts"

export interface Question {
  method: string
  path: string
  query: URLSearchParams
  body: Json
}

/** What Google answers. @throws GoogleRefusal */
export function answerOf(state: GcpState, zones: readonly string[], question: Question): Json {
  const { method, path, query, body } = question
  const { project } = state.settings
  if (path === "/v1/services/6F81-5844-456A/skus") return { skus: SKUS }
  const dns = `/dns/v1/projects/${project}/managedZones`
  if (path === dns || path.startsWith(`${dns}/`))
    return dnsAnswer(state, method, path.slice(dns.length).split("/").filter(Boolean), query, body)
  const base = `/compute/v1/projects/${project}/`
  if (!path.startsWith(base)) throw notFound(path)
  const parts = path.slice(base.length).split("/")

  if (parts[0] === "aggregated" && parts.length === 2 && method === "GET") {
    const kind = parts[1] as string
    const scope = SCOPES[kind]
    if (scope === undefined || scope === "global") throw notFound(path)
    const places = scope === "zones" ? zones : REGIONS
    return aggregated(
      state,
      kind,
      places.map(place => `${scope}/${place}`),
      query,
    )
  }
  if (parts[0] === "zones" && parts.length === 2) {
    if (!zones.includes(parts[1] as string)) throw notFound(path)
    return { kind: "compute#zone", name: parts[1], status: "UP", region: (parts[1] as string).replace(/-[a-z]$/, "") }
  }
  if (parts[0] === "regions" && parts.length === 2) {
    if (!REGIONS.includes(parts[1] as string)) throw notFound(path)
    return { kind: "compute#region", name: parts[1], status: "UP", quotas: quotasOf(state, parts[1] as string) }
  }
  const isGlobal = parts[0] === "global"
  const [scopePath, kind = "", name, action] = isGlobal
    ? ["global", ...parts.slice(1)]
    : [`${parts[0]}/${parts[1]}`, ...parts.slice(2)]
  const known = parts[0] === "zones" ? zones : REGIONS
  if (!isGlobal && !known.includes(parts[1] as string)) throw notFound(`${base}${scopePath}`)
  const scope = `projects/${project}/${scopePath}`
  const place = isGlobal ? "" : (parts[1] as string)

  if (kind === "machineTypes") {
    const types = machineTypes(project, place)
    if (name === undefined) return { kind: "compute#machineTypeList", items: types }
    const type = types.find(one => one.name === name)
    if (!type) throw notFound(path)
    return type
  }
  if (kind !== "operations" && SCOPES[kind] !== (isGlobal ? "global" : parts[0])) throw notFound(path)
  if (name === undefined) {
    if (method === "GET") return list(state, scope, kind, query)
    if (method === "POST") return insert(state, scope, place, kind, body)
  } else if (action === undefined) {
    if (method === "GET") return state.get(`${scope}/${kind}/${name}`)
    if (method === "DELETE") return remove(state, scope, place, kind, name)
  } else if (method === "POST") {
    if (action === "setLabels") return setLabels(state, scope, `${scope}/${kind}/${name}`, body)
    if (kind === "disks" && action === "createSnapshot") return snapshotDisk(state, place, name, body)
    const act = kind === "instances" ? ACTIONS[action] : undefined
    if (act) return act(state, place, name, query, body)
  }
  throw new GoogleRefusal(404, "notFound", `${method} ${path} is nothing that is offered here`)
}

function insert(state: GcpState, scope: string, place: string, kind: string, body: Json): Json {
  if (kind === "instances") return insertInstance(state, place, body)
  if (kind === "disks") return insertDisk(state, place, body)
  if (KINDS.includes(kind)) return insertPart(state, scope, kind, body)
  throw notFound(`${scope}/${kind}`)
}

function remove(state: GcpState, scope: string, place: string, kind: string, name: string): Json {
  if (kind === "instances") return deleteInstance(state, place, name)
  if (kind === "disks") return deleteDisk(state, place, name)
  if (KINDS.includes(kind)) return deletePart(state, scope, kind, name)
  const path = `${scope}/${kind}/${name}`
  state.get(path)
  return state.change(scope, {
    ...{ target: path, operationType: "delete" },
    begin: () => {},
    finish: () => void state.resources.delete(path),
  })
}
