import { machineTypes } from "./catalog.ts"
import { makeDisk } from "./disks.ts"
import { GoogleRefusal, inUse, invalid, notFound, type OperationError } from "./errors.ts"
import { regionOfZone, takeQuota } from "./quotas.ts"
import { fingerprintOf, type GcpState, type Json, pathFrom, type Resource } from "./state.ts"

interface Attached extends Json {
  source: string
  deviceName: string
  boot: boolean
  autoDelete: boolean
}

const scopeOf = (state: GcpState, zone: string) => `projects/${state.settings.project}/zones/${zone}`
const disksOf = (instance: Resource) => instance.disks as Attached[]

function soldOut(zone: string): OperationError {
  return {
    code: "ZONE_RESOURCE_POOL_EXHAUSTED",
    message: `The zone '${zone}' does not have enough resources available to fulfill the request.  Try a different zone, or try again later.`,
  }
}

function typeOf(state: GcpState, zone: string, machineType: unknown) {
  const path = pathFrom(String(machineType), state.settings.project)
  const type = machineTypes(state.settings.project, zone).find(one => one.selfLink === path)
  if (!type)
    throw invalid(
      `Invalid value for field 'resource.machineType': '${machineType}'. The referenced type does not exist.`,
    )
  return { type, path }
}

/** Addresses as the program asks for them, kept ones and passing ones. */
function interfaces(state: GcpState, zone: string, asked: Json[]): Json[] {
  const { project } = state.settings
  return asked.map((nic, at) => {
    const region = `projects/${project}/regions/${regionOfZone(zone)}`
    const path = pathFrom(String(nic.subnetwork), project)
    const subnetwork = state.find(path)
    if (!subnetwork || !path.startsWith(region)) throw notFound(path)
    const kept = (ip: unknown) => {
      const [found] = state.all("addresses").filter(([, one]) => one.address === ip)
      if (!found)
        throw invalid(
          `Invalid value for field 'natIP': '${ip}'. The specified external IP address was not found in region.`,
        )
      if (found[1].status === "IN_USE") throw inUse(found[0], String((found[1].users as string[])[0]))
      return found[1].address
    }
    const access = ((nic.accessConfigs as Json[] | undefined) ?? []).map(one => ({
      ...{ kind: "compute#accessConfig", type: "ONE_TO_ONE_NAT", name: one.name ?? "external-nat" },
      networkTier: one.networkTier ?? "PREMIUM",
      natIP: one.natIP ? kept(one.natIP) : `198.51.100.${Number(BigInt(state.nextId()) % 250n) + 1}`,
    }))
    const six = ((nic.ipv6AccessConfigs as Json[] | undefined) ?? []).map(one => ({
      ...{ kind: "compute#accessConfig", type: "DIRECT_IPV6", name: one.name ?? "external-ipv6" },
      ...{ externalIpv6: kept(one.externalIpv6), externalIpv6PrefixLength: 96, networkTier: "PREMIUM" },
    }))
    return {
      ...{
        kind: "compute#networkInterface",
        name: `nic${at}`,
        subnetwork: state.link(path),
        network: subnetwork.network,
      },
      ...{ networkIP: "10.64.0.2", stackType: six.length > 0 ? "IPV4_IPV6" : "IPV4_ONLY", accessConfigs: access },
      ...(six.length > 0 ? { ipv6AccessConfigs: six } : {}),
    }
  })
}

/** Says of addresses who has them. */
function hold(state: GcpState, instance: Resource, isHeld: boolean): void {
  const nics = instance.networkInterfaces as { accessConfigs?: Json[]; ipv6AccessConfigs?: Json[] }[]
  const ips = nics.flatMap(nic => [
    ...(nic.accessConfigs ?? []).map(one => one.natIP),
    ...(nic.ipv6AccessConfigs ?? []).map(one => one.externalIpv6),
  ])
  for (const [, address] of state.all("addresses"))
    if (ips.includes(address.address))
      Object.assign(
        address,
        isHeld ? { status: "IN_USE", users: [instance.selfLink] } : { status: "RESERVED", users: [] },
      )
}

export function insertInstance(state: GcpState, zone: string, body: Json): Json {
  const scope = scopeOf(state, zone)
  const name = String(body.name)
  const path = `${scope}/instances/${name}`
  const { type, path: typePath } = typeOf(state, zone, body.machineType)
  const remove = () => {
    const made = state.find(path)
    if (made) discard(state, path, made)
  }
  return state.change(scope, {
    ...{ target: path, operationType: "insert" },
    begin: () => {
      takeQuota(state, regionOfZone(zone), { CPUS: type.guestCpus, INSTANCES: 1 })
      const networkInterfaces = interfaces(state, zone, (body.networkInterfaces as Json[] | undefined) ?? [])
      const instance = state.add(path, {
        ...{ kind: "compute#instance", name, status: "PROVISIONING", zone: state.link(scope), networkInterfaces },
        ...{
          machineType: state.link(typePath),
          labels: body.labels ?? {},
          labelFingerprint: fingerprintOf(body.labels),
        },
        ...{ tags: body.tags ?? {}, metadata: { kind: "compute#metadata", ...(body.metadata as Json | undefined) } },
        ...{ scheduling: body.scheduling ?? {}, deletionProtection: body.deletionProtection ?? false },
        ...{
          shieldedInstanceConfig: body.shieldedInstanceConfig ?? {},
          canIpForward: body.canIpForward ?? false,
          disks: [],
        },
      })
      try {
        for (const disk of body.disks as (Json & { initializeParams: Json })[]) {
          const { initializeParams: of } = disk
          const made = makeDisk(state, zone, { ...of, name: of.diskName ?? name, type: of.diskType }, "READY")
          put(instance, made, disk)
        }
      } catch (error) {
        discard(state, path, instance)
        throw error
      }
      hold(state, instance, true)
    },
    finish: () => {
      if (state.stockouts.has(zone)) {
        remove()
        return soldOut(zone)
      }
      const made = state.find(path)
      if (made) Object.assign(made, { status: "RUNNING", lastStartTimestamp: state.now() })
    },
  })
}

function put(instance: Resource, disk: Resource, wanted: Json): void {
  disksOf(instance).push({
    ...{ kind: "compute#attachedDisk", type: "PERSISTENT", mode: "READ_WRITE", index: disksOf(instance).length },
    ...{ source: String(disk.selfLink), diskSizeGb: disk.sizeGb, deviceName: String(wanted.deviceName ?? disk.name) },
    ...{ boot: wanted.boot === true, autoDelete: wanted.autoDelete === true },
  } as Attached)
  disk.users = [instance.selfLink]
}

function discard(state: GcpState, path: string, instance: Resource): void {
  hold(state, instance, false)
  for (const { source, autoDelete } of disksOf(instance)) {
    const at = pathFrom(source.replace(/^.*\/compute\/v1\//, ""), state.settings.project)
    if (autoDelete) state.resources.delete(at)
    else Object.assign(state.find(at) ?? {}, { users: [] })
  }
  state.resources.delete(path)
}

/** Changes of a machine that is there, by the last word of their paths. */
export const ACTIONS: Record<
  string,
  (state: GcpState, zone: string, name: string, query: URLSearchParams, body: Json) => Json
> = {
  start: (state, zone, name) => {
    const path = `${scopeOf(state, zone)}/instances/${name}`
    const instance = state.get(path)
    const wasOn = instance.status === "RUNNING"
    return state.change(scopeOf(state, zone), {
      ...{ target: path, operationType: "start" },
      begin: () => {
        if (wasOn) return
        if (!disksOf(instance).some(disk => disk.boot))
          throw invalid("Invalid resource state: the instance has no boot disk")
        takeQuota(state, regionOfZone(zone), { CPUS: typeOf(state, zone, instance.machineType).type.guestCpus })
        Object.assign(instance, { status: "STAGING" })
      },
      finish: () => {
        if (wasOn) return
        if (state.stockouts.has(zone)) {
          Object.assign(instance, { status: "TERMINATED" })
          return soldOut(zone)
        }
        Object.assign(instance, { status: "RUNNING", lastStartTimestamp: state.now() })
      },
    })
  },
  stop: (state, zone, name) => {
    const path = `${scopeOf(state, zone)}/instances/${name}`
    const instance = state.get(path)
    return state.change(scopeOf(state, zone), {
      ...{ target: path, operationType: "stop" },
      begin: () => instance.status !== "TERMINATED" && Object.assign(instance, { status: "STOPPING" }),
      finish: () => void Object.assign(instance, { status: "TERMINATED", lastStopTimestamp: state.now() }),
    })
  },
  reset: (state, zone, name) => {
    const path = `${scopeOf(state, zone)}/instances/${name}`
    const instance = state.get(path)
    if (instance.status !== "RUNNING")
      throw new GoogleRefusal(400, "resourceNotReady", `The resource '${path}' is not ready`)
    return state.change(scopeOf(state, zone), { target: path, operationType: "reset", begin: () => {} })
  },
  setDeletionProtection: (state, zone, name, query) => {
    const path = `${scopeOf(state, zone)}/instances/${name}`
    const instance = state.get(path)
    return state.change(scopeOf(state, zone), {
      ...{ target: path, operationType: "setDeletionProtection" },
      begin: () => Object.assign(instance, { deletionProtection: query.get("deletionProtection") === "true" }),
    })
  },
  attachDisk: (state, zone, name, _query, body) => {
    const path = `${scopeOf(state, zone)}/instances/${name}`
    const instance = state.get(path)
    const disk = state.get(pathFrom(String(body.source), state.settings.project))
    const [user] = disk.users as string[]
    if (user) throw inUse(String(body.source), user)
    if (body.boot === true && instance.status !== "TERMINATED")
      throw invalid("Invalid resource usage: a boot disk can be attached to an instance that is stopped alone")
    return state.change(scopeOf(state, zone), {
      ...{ target: path, operationType: "attachDisk" },
      begin: () => put(instance, disk, body),
    })
  },
  detachDisk: (state, zone, name, query) => {
    const path = `${scopeOf(state, zone)}/instances/${name}`
    const instance = state.get(path)
    const disk = disksOf(instance).find(one => one.deviceName === query.get("deviceName"))
    if (!disk)
      throw invalid(`Invalid value for field 'deviceName': '${query.get("deviceName")}'. No such attached disk.`)
    if (disk.boot && instance.status !== "TERMINATED")
      throw invalid("Invalid resource usage: the boot disk of an instance that is on cannot be detached")
    return state.change(scopeOf(state, zone), {
      ...{ target: path, operationType: "detachDisk" },
      begin: () => {
        instance.disks = disksOf(instance).filter(one => one !== disk)
        Object.assign(state.get(pathFrom(disk.source, state.settings.project)), { users: [] })
      },
    })
  },
}

export function deleteInstance(state: GcpState, zone: string, name: string): Json {
  const path = `${scopeOf(state, zone)}/instances/${name}`
  const instance = state.get(path)
  if (instance.deletionProtection)
    throw invalid(`Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. ${path}'.`)
  return state.change(scopeOf(state, zone), {
    ...{ target: path, operationType: "delete" },
    begin: () => Object.assign(instance, { status: "STOPPING" }),
    finish: () => discard(state, path, instance) as undefined,
  })
}

/** Google takes a spot machine back: it is switched off, and its disk stays. */
export function preempt(state: GcpState, path: string): void {
  const instance = state.get(path)
  if ((instance.scheduling as Json).provisioningModel !== "SPOT") throw invalid("Only spot machines are preempted")
  const [scope = ""] = path.split("/instances/")
  state.change(scope, {
    ...{ target: path, operationType: "compute.instances.preempted" },
    begin: () => Object.assign(instance, { status: "STOPPING" }),
    finish: () => void Object.assign(instance, { status: "TERMINATED", lastStopTimestamp: state.now() }),
  })
}
