import { setTimeout as sleep } from "node:timers/promises"
import { checkCores } from "../capacity.ts"
import { SERVER_TYPES } from "../catalog.ts"
import type { Context } from "../context.ts"
import { unavailable } from "../errors.ts"
import { openPorts } from "../firewall-ports.ts"
import type { MachineConfig } from "../machines/contract.ts"
import { goesOnFrom, hasMemory } from "../memory-label.ts"
import { countStart } from "../metrics.ts"
import { GB, scaledSize, scaledVolume } from "../sizes.ts"
import { byServer } from "../state/keys.ts"
import type { FirewallRecord, ServerRecord, ServerStatus, Work } from "../state/records.ts"
import { firewallsOf } from "./firewalls.ts"

/** How long a guest may take to end before it is reset; as long as a shutdown's grace in the service. */
const REBOOT_GRACE_MS = 60_000
const LOOK_MS = 250

type Job = (context: Context, server: ServerRecord, args: Record<string, unknown>) => Promise<ServerStatus | null>

/**
 * What actions do to machines. Every job is idempotent, since a restart repeats the one it was in, and answers the
 * status the server has afterwards (null: whatever the machine is by then).
 */
const JOBS: Record<string, Job> = {
  async create({ machines, config, store }, server) {
    const machine = machineConfig({ store, config }, server)
    await machines.admit(machine)
    if (server.image === null) throw unavailable("the server has no image")
    const wakes = goesOnFrom(server, store.get("image", server.image))
    await machines.createDisk(server.id, server.image, machine.diskBytes, { wakes })
    return "off"
  },
  async start(context, server) {
    await startMachine(context, server)
    return "running"
  },
  async startAgain(context, server) {
    await context.restarts.take(() => startMachine(context, server))
    return "running"
  },
  async powerOff({ machines }, server) {
    await machines.powerOff(server.id)
    return "off"
  },
  async pressPowerButton({ machines }, server) {
    await machines.pressPowerButton(server.id)
    // A pretended machine is off at once; a real one when its guest is.
    return (await machines.isRunning(server.id)) ? "running" : "off"
  },
  async reboot(context, server) {
    const { machines } = context
    // The guest ends in good order, as with the Ctrl-Alt-Del that the real API presses; one that hears nothing is reset.
    await machines.pressPowerButton(server.id)
    for (let waited = 0; waited < REBOOT_GRACE_MS; waited += LOOK_MS) {
      if (!(await machines.isRunning(server.id))) {
        await startMachine(context, server)
        return "running"
      }
      await sleep(LOOK_MS)
    }
    await machines.reset(server.id)
    return "running"
  },
  async reset({ machines }, server) {
    await machines.reset(server.id)
    return (await machines.isRunning(server.id)) ? "running" : "off"
  },
  async rebuild(context, server, args) {
    const { machines, store } = context
    const changed = {
      ...server,
      image: Number(args.image),
      ...(typeof args.userData === "string" ? { userData: args.userData } : {}),
    }
    store.put("server", changed)
    await machines.powerOff(server.id)
    await machines.createDisk(server.id, Number(args.image), machineConfig(context, changed).diskBytes)
    await startMachine(context, changed)
    return "running"
  },
  async changeType(context, server, args) {
    const type = SERVER_TYPES.find(one => one.name === args.type)
    if (!type) throw unavailable("the server type is gone")
    const changed = { ...server, type: type.name, diskGb: args.upgradeDisk ? type.disk : server.diskGb }
    if (args.upgradeDisk) await context.machines.resizeDisk(server.id, machineConfig(context, changed).diskBytes)
    context.store.put("server", changed)
    // As at Hetzner: a server that has got its new type is started.
    await startMachine(context, changed)
    return "running"
  },
  async createImage({ machines, store }, server, args) {
    const id = Number(args.image)
    const withMemory = hasMemory(store.get("image", id))
    const { bytes } = await machines.createImage(server.id, id, { withMemory })
    const image = store.get("image", id)
    if (image) store.put("image", { ...image, status: "available", imageSize: bytes / GB })
    return null
  },
  async removeImages({ machines }, _server, args) {
    for (const id of args.images as number[]) await machines.removeImage(id)
    return null
  },
  async delete(context, server) {
    const { machines, store, ledger, now } = context
    await machines.remove(server.id)
    for (const id of [server.ipv4, server.ipv6]) {
      const ip = id === null ? undefined : store.get("primary_ip", id)
      if (ip?.autoDelete) store.remove("primary_ip", ip.id)
      else if (ip) store.put("primary_ip", { ...ip, assignee: null })
    }
    for (const volume of store.find("volume", byServer(server.id))) store.put("volume", { ...volume, server: null })
    for (const image of store.find("image", byServer(server.id))) {
      // A backup lives no longer than its server; a snapshot does.
      store.remove("image", image.id)
      await machines.removeImage(image.id)
    }
    store.remove("server", server.id)
    ledger.append({
      at: now(),
      event: "deleted",
      id: server.id,
      name: server.name,
      project: server.project,
      labels: server.labels,
    })
    return null
  },
}

/** Work that is a wish to have the server on. */
const WANTS_ON = ["start", "startAgain", "reboot", "reset", "rebuild", "changeType"]

/** What actions do that are no single server's. */
const WITHOUT_SERVER: Record<string, (context: Context, args: Record<string, unknown>) => Promise<void>> = {
  updateMachines: (context, args) => updateMachines(context, args.servers as number[]),
  async makeVolume({ machines, config, store }, args) {
    const volume = store.get("volume", Number(args.volume))
    if (volume) await machines.makeVolume(scaledVolume(config, volume), volume.format)
  },
  removeVolume: ({ machines }, args) => machines.removeVolume(Number(args.volume)),
}

/**
 * Does the work of an action and sets the server's status and lock after it, whether it went well or not.
 * @param failure fails the work before it is begun
 */
export async function performWork(context: Context, work: Work, failure: Error | null): Promise<void> {
  const alone = WITHOUT_SERVER[work.run]
  if (alone) {
    if (failure) throw failure
    return alone(context, work.args)
  }
  const server = context.store.get("server", work.server)
  // Gone already: what deletes it has done more than this would.
  if (!server) return
  const job = JOBS[work.run]
  if (!job) throw new Error(`unknown work "${work.run}"`)
  const unlock = (status: ServerStatus) => {
    const current = context.store.get("server", work.server)
    // A server that has still to be started stays locked until that action has ended, well or not.
    const starting = context.store
      .find("action", byServer(work.server))
      .some(action => action.after !== null && action.work?.run !== work.run)
    if (!current) return
    const askedOff = work.run === "pressPowerButton" || (current.askedOff && !WANTS_ON.includes(work.run))
    const { askedOff: _, ...rest } = current
    context.store.put("server", { ...rest, locked: starting, status, ...(askedOff && { askedOff }) })
  }
  try {
    if (failure) throw failure
    // A guest may have gone off meanwhile, which nobody noted while an action was on.
    unlock((await job(context, server, work.args)) ?? (await actualStatus(context, server)))
  } catch (error) {
    if (work.run === "createImage") failImage(context, Number(work.args.image))
    unlock(await actualStatus(context, server))
    throw error
  } finally {
    context.starting.delete(work.server)
  }
}

/** Starts a server's machine where its cores can be promised. */
async function startUncounted(context: Context, server: ServerRecord): Promise<void> {
  const machine = machineConfig(context, server)
  if (!(await context.machines.isRunning(server.id))) checkCores(context, server, machine.cores)
  // From here on nobody else gets them; the server's status has them when the work has ended.
  context.starting.add(server.id)
  await context.machines.start(machine)
}

/** The same, counted. */
const startMachine = (context: Context, server: ServerRecord): Promise<void> =>
  countStart(context.metrics, () => startUncounted(context, server))

/** Nobody waits for an image whose action has failed. */
function failImage({ store }: Context, id: number): void {
  const image = store.get("image", id)
  if (image?.status === "creating") store.put("image", { ...image, status: "unavailable", imageSize: null })
}

async function actualStatus({ machines }: Context, server: ServerRecord): Promise<ServerStatus> {
  return (await machines.isRunning(server.id).catch(() => false)) ? "running" : "off"
}

async function updateMachines(context: Context, ids: number[]): Promise<void> {
  for (const id of ids) {
    const server = context.store.get("server", id)
    if (server) await context.machines.update(machineConfig(context, server))
  }
}

/** What the driver has to make of a server: sizes scaled to this host, ports as the firewalls say now. */
export function machineConfig(
  { store, config }: Pick<Context, "store" | "config">,
  server: ServerRecord,
): MachineConfig {
  const firewalls = firewallsOf(store, server)
  const rules = firewalls.length === 0 ? null : firewalls.flatMap(id => store.get("firewall", id)?.rules ?? [])
  const addressOf = (id: number | null) => (id === null ? undefined : store.get("primary_ip", id)?.ip) ?? null
  const [ipv4, ipv6] = [addressOf(server.ipv4), addressOf(server.ipv6)]
  return {
    id: server.id,
    name: server.name,
    ...scaledSize(config, server.type, server.diskGb),
    ipv4,
    ipv6,
    rules: rules && rules.map(ruleOf),
    ports: openPorts(rules, config.portsWithoutFirewall),
    volumes: store.find("volume", byServer(server.id)).map(volume => scaledVolume(config, volume)),
    metadata: {
      instanceId: server.id,
      hostname: server.name,
      publicIpv4: ipv4,
      publicIpv6: config.network?.ipv6 && ipv6 ? ipv6.replace("::/64", "::1/64") : null,
      region: "eu-central",
      availabilityZone: `${server.location}-local`,
      publicKeys: server.sshKeys.flatMap(id => store.get("ssh_key", id)?.publicKey ?? []),
      userData: server.userData,
    },
  }
}

const ruleOf = ({ direction, protocol, port, source_ips, destination_ips }: FirewallRecord["rules"][number]) => ({
  ...{ direction, protocol, port },
  peers: direction === "in" ? source_ips : destination_ips,
})
