import { changeBlock, makeCopy, makeVolume, referencesOf, removeBlock, setUser } from "./block.ts"
import { TYPES, volumeTypes, ZONES } from "./catalog.ts"
import { dnsAnswer } from "./dns.ts"
import { invalid, notFound } from "./errors.ts"
import { makeGroup, makeIp, removeGroup, removeIp, setRules, shownGroup, shownIp } from "./network.ts"
import { act, attach, changeServer, detach, makeServer, removeServer, shown } from "./servers.ts"
import { asked, type Json, type Kind, type ScalewayState } from "./state.ts"

export interface Question {
  method: string
  path: string
  query: URLSearchParams
  body: Json
  /** Where the body is no JSON. */
  text: string
}

export interface Answered {
  status: number
  body: Json
  /** Of a list of Instances' API, whose answer says it in a header. */
  total?: number
}

/** What Scaleway answers. @throws ScalewayRefusal */
export function answerOf(state: ScalewayState, question: Question): Answered {
  const { path, query } = question
  const dns = "/domain/v2beta1/dns-zones"
  if (path === dns || path.startsWith(`${dns}/`)) {
    const answer = dnsAnswer(state, question.method, path.slice(dns.length).split("/").filter(Boolean), question.body)
    if (!Array.isArray(answer)) return { status: 200, body: answer }
    return { status: 200, body: pageOf(answer, path === dns ? "dns_zones" : "records", query, "page_size") }
  }
  const [, service, zone = "", rest = ""] = /^\/(instance|block)\/v1\/zones\/([^/]+)\/(.+)$/.exec(path) ?? []
  if (!service || !ZONES.includes(zone)) throw notFound("zone", zone || path)
  return service === "instance"
    ? instanceAnswer(state, zone, rest.split("/"), question)
    : { status: question.method === "DELETE" ? 204 : 200, body: blockAnswer(state, zone, rest.split("/"), question) }
}

function instanceAnswer(state: ScalewayState, zone: string, parts: string[], question: Question): Answered {
  const { method, query, body } = question
  const [kind = "", id, action, key] = parts
  if (kind === "products" && id === "servers" && method === "GET") {
    const all = Object.entries(TYPES).map(([name, type]): [string, unknown] =>
      action === "availability"
        ? [name, { availability: state.shortages.has(`${zone}/${name}`) ? "shortage" : "available" }]
        : [name, type],
    )
    const page = Object.fromEntries(cut(all, query, "per_page"))
    return { status: 200, body: { servers: page }, total: all.length }
  }
  const shapes: Record<string, (one: ReturnType<ScalewayState["get"]>) => Json> = {
    servers: one => shown(state, one),
    ips: shownIp,
    security_groups: one => shownGroup(state, one),
    images: one => one,
  }
  const shape = shapes[kind]
  if (!shape) throw notFound("path", kind)
  const own = kind as Kind
  if (id === undefined) {
    if (method === "POST") return { status: 201, body: make(state, zone, kind, body) }
    const all = asked(state.all(own, zone), query).map(shape)
    return { status: 200, body: { [kind]: cut(all, query, "per_page") }, total: all.length }
  }
  if (action === undefined) {
    const one = kind.slice(0, -1)
    if (method === "GET") return { status: 200, body: { [one]: shape(state.get(own, zone, id)) } }
    if (method === "DELETE") return { status: 204, body: remove(state, zone, kind, id) }
    if (method === "PATCH" && kind === "servers") return { status: 200, body: changeServer(state, zone, id, body) }
    if (method === "PATCH" && kind === "images") {
      const image = Object.assign(state.get("images", zone, id), body.tags === undefined ? {} : { tags: body.tags })
      return { status: 200, body: { image } }
    }
  }
  if (kind === "security_groups" && action === "rules" && method === "PUT")
    return { status: 200, body: setRules(state, zone, id, body) }
  if (kind === "servers" && method === "POST") {
    if (action === "action") return { status: 202, body: act(state, zone, id, body) }
    if (action === "attach-volume") return { status: 200, body: attach(state, zone, id, body) }
    if (action === "detach-volume") return { status: 200, body: detach(state, zone, id, body) }
  }
  if (kind === "servers" && action === "user_data" && key === "cloud-init" && method === "PATCH") {
    state.get("servers", zone, id)
    state.userData.set(id, question.text)
    return { status: 204, body: {} }
  }
  throw notFound("path", `${method} ${parts.join("/")}`)
}

function make(state: ScalewayState, zone: string, kind: string, body: Json): Json {
  if (kind === "servers") return makeServer(state, zone, body)
  if (kind === "ips") return makeIp(state, zone, body)
  if (kind === "security_groups") return makeGroup(state, zone, body)
  const copy = state.get("snapshots", zone, String(body.root_volume))
  if (copy.status !== "available") throw invalid("root_volume", "is not available")
  const { project } = state.settings
  const image = state.add("images", zone, {
    ...{ name: body.name, arch: body.arch, organization: project, project, tags: body.tags ?? [], state: "available" },
    root_volume: { volume_type: "sbs_snapshot", id: copy.id, size: 0, name: "" },
    ...{ extra_volumes: {}, public: body.public ?? false, default_bootscript: null, from_server: "" },
    ...{ creation_date: state.now(), modification_date: state.now() },
  })
  setUser(state, copy, { product_resource_type: "instance_image", product_resource_id: image.id })
  return { image }
}

function remove(state: ScalewayState, zone: string, kind: string, id: string): Json {
  if (kind === "servers") return removeServer(state, zone, id)
  if (kind === "ips") return removeIp(state, zone, id)
  if (kind === "security_groups") return removeGroup(state, zone, id)
  const image = state.get("images", zone, id)
  const copy = state.find("snapshots", zone, (image.root_volume as { id: string }).id)
  if (copy && referencesOf(copy).some(one => one.product_resource_id === id)) setUser(state, copy, null)
  state.remove("images", id)
  return {}
}

function blockAnswer(state: ScalewayState, zone: string, [kind, id]: string[], question: Question): Json {
  const { method, query, body } = question
  if (kind === "volume-types") return pageOf(volumeTypes(zone), "volume_types", query, "page_size")
  if (kind !== "volumes" && kind !== "snapshots") throw notFound("path", String(kind))
  if (id === undefined) {
    if (method === "GET") return pageOf(asked(state.all(kind, zone), query), kind, query, "page_size")
    return kind === "volumes" ? makeVolume(state, zone, body) : makeCopy(state, zone, body)
  }
  if (method === "GET") return state.get(kind, zone, id)
  if (method === "PATCH") return changeBlock(state, kind, zone, id, body)
  if (method === "DELETE") return removeBlock(state, kind, zone, id)
  throw notFound("path", `${method} ${kind}`)
}

function cut<T>(all: T[], query: URLSearchParams, name: string): T[] {
  const [page, size] = [Number(query.get("page") ?? 1), Number(query.get(name) ?? 50)]
  return all.slice((page - 1) * size, page * size)
}

const pageOf = (all: unknown[], key: string, query: URLSearchParams, name: string): Json => ({
  [key]: cut(all, query, name),
  total_count: all.length,
})
