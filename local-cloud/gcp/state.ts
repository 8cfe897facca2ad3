import { alreadyExists, invalid, notFound, type OperationError } from "./errors.ts"

export type Json = Record<string, unknown>
/** A resource as the API shows it; `selfLink` is its path behind `/compute/v1/`. */
export type Resource = Json & { name: string }

export interface GcpSettings {
  project: string
  /** Who may ask: `Authorization: Bearer …`. */
  token: string
  /** How long a change takes, milliseconds. */
  operationMs: number
  /** Limits by metric, of each region. */
  quotas: Record<string, number>
  clock: () => number
}

/** What a change does: at once, and when its operation ends. */
export interface Change {
  target: string
  operationType: string
  begin: () => void
  /** What went wrong, if anything; then it has taken back what it began. */
  finish?: () => OperationError | undefined
}

export interface GcpState {
  settings: GcpSettings
  /** By path, such as `projects/p/zones/z/instances/n`. */
  resources: Map<string, Resource>
  /** Zones without room. */
  stockouts: Set<string>
  get(path: string): Resource
  find(path: string): Resource | undefined
  /** Below a path of a collection, or of any place: `projects/p`, `instances`. */
  all(kind: string): [path: string, resource: Resource][]
  add(path: string, resource: Resource): Resource
  /** Begins a change and answers its operation. */
  change(scope: string, change: Change): Json
  nextId(): string
  now(): string
  /** A link as answers bear it. */
  link(path: string): string
}

const NAME = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const BASE = "https://www.googleapis.com/compute/v1/"

/** The path behind a link or a partial one, such as `zones/z/diskTypes/t`; `at` is where it was said. */
export function pathFrom(link: string, project: string): string {
  const path = link.replace(/^https?:\/\/[^/]+\/compute\/v1\//, "")
  return path.startsWith("projects/") ? path : `projects/${project}/${path}`
}

export function createGcpState(settings: GcpSettings): GcpState {
  const resources = new Map<string, Resource>()
  let last = 1_000_000_000_000_000_000n
  const state: GcpState = {
    settings,
    resources,
    stockouts: new Set(),
    find: path => resources.get(path),
    get(path) {
      const found = resources.get(path)
      if (!found) throw notFound(path)
      return found
    },
    all: kind => [...resources].filter(([path]) => path.split("/").at(-2) === kind),
    add(path, resource) {
      if (!NAME.test(resource.name))
        throw invalid(
          `Invalid value for field 'resource.name': '${resource.name}'. Must be a match of regex '${NAME.source}'`,
        )
      if (resources.has(path)) throw alreadyExists(path)
      const made = {
        ...resource,
        ...{ id: state.nextId(), creationTimestamp: state.now(), selfLink: state.link(path) },
      }
      resources.set(path, made)
      return made
    },
    change(scope, { target, operationType, begin, finish }) {
      begin()
      const id = state.nextId()
      const name = `operation-${id}`
      const path = `${scope}/operations/${name}`
      const [, where] = /\/(zones|regions)\/([^/]+)$/.exec(scope) ?? []
      const operation: Resource = {
        ...{ kind: "compute#operation", id, name, operationType, status: "PENDING", progress: 0 },
        ...{ insertTime: state.now(), startTime: state.now(), user: "tests@example.com" },
        ...{ targetLink: state.link(target), selfLink: state.link(path) },
        ...(where === "zones" ? { zone: state.link(scope) } : where === "regions" ? { region: state.link(scope) } : {}),
      }
      resources.set(path, operation)
      setTimeout(() => {
        // Timers of different lengths that are late come in any order.
        if (operation.status === "PENDING") Object.assign(operation, { status: "RUNNING", progress: 40 })
      }, settings.operationMs / 2).unref()
      setTimeout(() => {
        const error = finish?.()
        Object.assign(operation, { status: "DONE", progress: 100, endTime: state.now() })
        if (error)
          Object.assign(operation, {
            error: { errors: [error] },
            httpErrorStatusCode: 503,
            httpErrorMessage: "SERVICE UNAVAILABLE",
          })
      }, settings.operationMs).unref()
      return operation
    },
    nextId: () => String(++last),
    now: () => new Date(settings.clock()).toISOString(),
    link: path => `${BASE}${path}`,
  }
  return state
}

/** A mark that changes with the labels: who sets labels must have seen the newest. */
export const fingerprintOf = (labels: unknown): string =>
  Buffer.from(JSON.stringify(labels ?? {}))
    .toString("base64")
    .slice(-11)
    .padEnd(12, "=")
