import { GoogleRefusal, inUse, invalid, notFound } from "./errors.ts"
import { regionOfZone, takeQuota } from "./quotas.ts"
import { fingerprintOf, type GcpState, type Json, pathFrom, type Resource } from "./state.ts"

/** Size of a disk that is made from nothing, GB. */
const BLANK_GB = 10

/** What a disk is made from. @throws GoogleRefusal */
function sourceOf(state: GcpState, body: Json): { gb: number; from: Json } {
  const { project } = state.settings
  const link = (body.sourceImage ?? body.sourceSnapshot) as string | undefined
  if (!link) return { gb: BLANK_GB, from: {} }
  const path = pathFrom(link, project)
  const source = state.find(path)
  if (!source) throw notFound(path)
  if (source.status !== "READY") throw new GoogleRefusal(400, "resourceNotReady", `The resource '${path}' is not ready`)
  const kind = body.sourceImage ? "sourceImage" : "sourceSnapshot"
  return { gb: Number(source.diskSizeGb), from: { [kind]: state.link(path), [`${kind}Id`]: source.id } }
}

/** Makes a disk at once; whoever calls says when it is ready. */
export function makeDisk(state: GcpState, zone: string, body: Json, status: string): Resource {
  const { gb, from } = sourceOf(state, body)
  const wanted = Number(body.sizeGb ?? body.diskSizeGb ?? gb)
  if (wanted < gb)
    throw invalid(
      `Invalid value for field 'resource.sizeGb': '${wanted}'. Requested disk size cannot be smaller than the source's (${gb} GB)`,
    )
  takeQuota(state, regionOfZone(zone), { SSD_TOTAL_GB: wanted })
  const scope = `projects/${state.settings.project}/zones/${zone}`
  const type = pathFrom(String(body.type ?? `zones/${zone}/diskTypes/pd-standard`), state.settings.project)
  return state.add(`${scope}/disks/${body.name}`, {
    ...{ kind: "compute#disk", name: String(body.name), status, sizeGb: String(wanted), zone: state.link(scope) },
    ...{ type: state.link(type), users: [], labels: body.labels ?? {}, labelFingerprint: fingerprintOf(body.labels) },
    ...(body.resourcePolicies ? { resourcePolicies: body.resourcePolicies } : {}),
    ...from,
  })
}

export function insertDisk(state: GcpState, zone: string, body: Json): Json {
  const scope = `projects/${state.settings.project}/zones/${zone}`
  const path = `${scope}/disks/${body.name}`
  return state.change(scope, {
    ...{ target: path, operationType: "insert" },
    begin: () => makeDisk(state, zone, body, "CREATING"),
    finish: () => void Object.assign(state.find(path) ?? {}, { status: "READY" }),
  })
}

export function deleteDisk(state: GcpState, zone: string, name: string): Json {
  const scope = `projects/${state.settings.project}/zones/${zone}`
  const path = `${scope}/disks/${name}`
  const [user] = state.get(path).users as string[]
  if (user) throw inUse(path, user)
  return state.change(scope, {
    ...{ target: path, operationType: "delete" },
    begin: () => Object.assign(state.get(path), { status: "DELETING" }),
    finish: () => void state.resources.delete(path),
  })
}

/** A snapshot holds the disk as it is at one moment; the copy of it goes on behind that. */
export function snapshotDisk(state: GcpState, zone: string, disk: string, body: Json): Json {
  const { project, operationMs } = state.settings
  const scope = `projects/${project}/zones/${zone}`
  const source = state.get(`${scope}/disks/${disk}`)
  const path = `projects/${project}/global/snapshots/${body.name}`
  return state.change(scope, {
    ...{ target: `${scope}/disks/${disk}`, operationType: "createSnapshot" },
    begin: () => {
      const made = state.add(path, {
        ...{ kind: "compute#snapshot", name: String(body.name), description: body.description ?? "" },
        ...{ status: "CREATING", sourceDisk: source.selfLink, sourceDiskId: source.id, diskSizeGb: source.sizeGb },
        ...{ labels: body.labels ?? {}, labelFingerprint: fingerprintOf(body.labels), architecture: "X86_64" },
      })
      setTimeout(
        () => made.status === "CREATING" && Object.assign(made, { status: "UPLOADING" }),
        operationMs / 2,
      ).unref()
    },
    finish: () => void Object.assign(state.find(path) ?? {}, { status: "READY", storageBytes: "1500000000" }),
  })
}

export function setLabels(state: GcpState, scope: string, path: string, body: Json): Json {
  const resource = state.get(path)
  if (body.labelFingerprint !== undefined && body.labelFingerprint !== resource.labelFingerprint)
    throw new GoogleRefusal(412, "conditionNotMet", "Labels fingerprint either invalid or resource labels have changed")
  return state.change(scope, {
    ...{ target: path, operationType: "setLabels" },
    begin: () => Object.assign(resource, { labels: body.labels ?? {}, labelFingerprint: fingerprintOf(body.labels) }),
  })
}
