import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { InfraError } from "../errors.ts"
import { LABELS } from "../workspace-spec.ts"
import type { LabelledResource, Machines } from "./contract.ts"
import { Image, Pricing, Server, ServerType, toMachine, toSidePrices, toSize, toSnapshot } from "./hetzner-answers.ts"
import { createApart } from "./hetzner-apart.ts"
import { Action, type HetznerApi } from "./hetzner-api.ts"
import { orNull, selector } from "./hetzner-questions.ts"
import { hetznerVolumes } from "./hetzner-volumes.ts"

/** How long a guest may take to shut down before its power is cut, milliseconds. */
const SHUTDOWN_GRACE_MS = 60_000

const OneAction = z.object({ action: Action })

/** Hetzner's machines through its own API; the local cloud's likewise. */
export function createHetznerMachines(api: HetznerApi): Machines {
  const act = async (id: string, action: string, body: unknown, signal: AbortSignal | undefined) => {
    const answer = await api.request("POST", `/servers/${id}/actions/${action}`, OneAction, { body, signal })
    await api.waitForAction(answer.action, { signal })
  }
  const machines: Machines = {
    async list(labels, { signal } = {}) {
      const servers = await api.list(`/servers?label_selector=${selector(labels)}`, "servers", Server, { signal })
      return servers.map(toMachine)
    },
    async get(id, { signal } = {}) {
      const answer = await orNull(api.request("GET", `/servers/${id}`, z.object({ server: Server }), { signal }))
      return answer && toMachine(answer.server)
    },
    powerOn: (id, { signal } = {}) => act(id, "poweron", {}, signal),
    powerOff: (id, { signal } = {}) => act(id, "poweroff", {}, signal),
    reset: (id, { signal } = {}) => act(id, "reset", {}, signal),

    rebuild: (id, image, { signal } = {}) => act(id, "rebuild", { image }, signal),

    async shutDown(id, { signal, graceMs = SHUTDOWN_GRACE_MS } = {}) {
      // `shutdown` only presses the power button; the action ends at once whatever the guest makes of it.
      await act(id, "shutdown", {}, signal)
      for (let waited = 0; waited < graceMs; waited += 1_000) {
        const machine = await machines.get(id, signal ? { signal } : {})
        if (machine === null || machine.state === "off") return { forced: false }
        await sleep(1_000, undefined, signal ? { signal } : {})
      }
      await act(id, "poweroff", {}, signal)
      return { forced: true }
    },

    setDeleteProtection: (id, on, { signal } = {}) =>
      // Hetzner wants both at once.
      act(id, "change_protection", { delete: on, rebuild: on }, signal),

    async remove(id, { signal } = {}) {
      const answer = await orNull(api.request("DELETE", `/servers/${id}`, OneAction, { signal }))
      if (answer) await api.waitForAction(answer.action, { signal })
    },

    resources: (workspace, { signal } = {}) => listResources(api, workspace, signal),
    async removeResources(resources, { signal } = {}) {
      const call = signal ? { signal } : {}
      const remove = (path: string) => orNull(api.request("DELETE", path, z.object({}), { signal }))
      const of = (type: string) => resources.filter(one => one.type === type)
      for (const { id } of of(TYPES.record)) {
        const [zone = "", ...set] = id.split("/")
        await remove(`/zones/${zone}/rrsets/${set.join("/")}`)
      }
      for (const { id } of of(TYPES.machine)) {
        if ((await machines.get(id, call))?.deleteProtection) await machines.setDeleteProtection(id, false, call)
        await machines.remove(id, call)
      }
      // A firewall or an address in use is refused; now they are not.
      for (const { id } of of(TYPES.firewall)) await remove(`/firewalls/${id}`)
      for (const { id } of of(TYPES.address)) await remove(`/primary_ips/${id}`)
    },

    createApart: (wanted, { signal } = {}) => createApart(api, machines, wanted, signal),

    async createSnapshot(machineId, { description, labels }, { signal, begun } = {}) {
      const body = { type: "snapshot", description, labels }
      const answer = await api.request(
        "POST",
        `/servers/${machineId}/actions/create_image`,
        z.object({ action: Action, image: Image }),
        { body, signal },
      )
      begun?.()
      await api.waitForAction(answer.action, { signal })
      const { image } = await api.request("GET", `/images/${answer.image.id}`, z.object({ image: Image }), { signal })
      if (image.status !== "available") {
        throw new InfraError(
          "snapshot-unproven",
          "retry",
          `The provider reports the new snapshot as "${image.status}", not as available; try again.`,
        )
      }
      return toSnapshot(image)
    },
    async listSnapshots(labels, { signal } = {}) {
      const images = await api.list(`/images?type=snapshot&label_selector=${selector(labels)}`, "images", Image, {
        signal,
      })
      return images.map(toSnapshot)
    },
    async labelSnapshot(id, labels, { signal } = {}) {
      await api.request("PUT", `/images/${id}`, z.object({}), { body: { labels }, signal })
    },
    async removeSnapshot(id, { signal } = {}) {
      await orNull(api.request("DELETE", `/images/${id}`, z.object({}), { signal }))
    },

    ...hetznerVolumes(api),

    async sizes({ signal } = {}) {
      const [types, { pricing }] = await Promise.all([
        api.list("/server_types", "server_types", ServerType, { signal }),
        api.request("GET", "/pricing", z.object({ pricing: z.object({ currency: z.string() }) }), { signal }),
      ])
      return types.map(type => toSize(type, pricing.currency, new Date()))
    },

    async sidePrices({ signal } = {}) {
      const { pricing } = await api.request("GET", "/pricing", z.object({ pricing: Pricing }), { signal })
      return toSidePrices(pricing)
    },

    async check(wanted, { signal } = {}) {
      const [types, image, zone] = await Promise.all([
        api.list(`/server_types?name=${encodeURIComponent(wanted.size)}`, "server_types", ServerType, { signal }),
        orNull(api.request("GET", `/images/${wanted.image}`, z.object({ image: Image }), { signal })),
        orNull(
          api.request(
            "GET",
            `/zones/${encodeURIComponent(wanted.zone)}`,
            z.object({ zone: z.object({ id: z.number() }) }),
            { signal },
          ),
        ),
      ])
      const type = types[0]
      if (!type)
        throw new InfraError(
          "unknown-size",
          "fail",
          `The provider has no machine type "${wanted.size}"; \`foozol-cloud sizes\` lists the ones it has.`,
        )
      const size = toSize(type, "", new Date())
      const region = size.regions[wanted.region]
      if (!region) {
        throw new InfraError(
          "unknown-region",
          "fail",
          `Machine type "${wanted.size}" is not sold at "${wanted.region}", only at ${Object.keys(size.regions).join(", ")}.`,
        )
      }
      if (!size.orderable)
        throw new InfraError(
          "unknown-size",
          "fail",
          `Machine type "${wanted.size}" can no longer be ordered; choose another.`,
        )
      if (!region.available) {
        const others = Object.keys(size.regions).filter(name => size.regions[name]?.available)
        throw new InfraError(
          "provider-no-capacity",
          "retry",
          `Machine type "${wanted.size}" is sold out at "${wanted.region}"${others.length > 0 ? `; it can be had at ${others.join(", ")}` : ""}.`,
        )
      }
      if (image?.image.status !== "available") {
        throw new InfraError(
          "unknown-image",
          "fail",
          `The provider has no usable image with id ${wanted.image}; build or promote a golden image first.`,
        )
      }
      if (image.image.architecture !== type.architecture) {
        throw new InfraError(
          "unknown-image",
          "fail",
          `Image ${wanted.image} is for ${image.image.architecture}, machine type "${wanted.size}" is ${type.architecture}; choose one that fits.`,
        )
      }
      if (!zone)
        throw new InfraError(
          "unknown-zone",
          "fail",
          `The provider does not have the DNS zone "${wanted.zone}" in this project; create it there first.`,
        )
    },
  }
  return machines
}

/** Pulumi's types of what programs/hetzner.ts makes. */
const TYPES = {
  machine: "hcloud:index/server:Server",
  firewall: "hcloud:index/firewall:Firewall",
  address: "hcloud:index/primaryIp:PrimaryIp",
  record: "hcloud:index/zoneRrset:ZoneRrset",
}

const Identified = z.object({ id: z.number() })
const Typed = z.object({ id: z.number(), type: z.string() })
const Named = z.object({ id: z.number(), name: z.string() })
const Rrset = z.object({ id: z.string(), type: z.string() })

/** Everything of a workspace, named as programs/hetzner.ts names it. */
async function listResources(
  api: HetznerApi,
  workspace: string,
  signal: AbortSignal | undefined,
): Promise<LabelledResource[]> {
  const labelled = `label_selector=${selector({ [LABELS.workspace]: workspace })}`
  const [servers, firewalls, addresses, zones] = await Promise.all([
    api.list(`/servers?${labelled}`, "servers", Identified, { signal }),
    api.list(`/firewalls?${labelled}`, "firewalls", Identified, { signal }),
    api.list(`/primary_ips?${labelled}`, "primary_ips", Typed, { signal }),
    api.list("/zones", "zones", Named, { signal }),
  ])
  const rrsets = await Promise.all(
    zones.map(async zone => {
      const sets = await api.list(`/zones/${zone.id}/rrsets?${labelled}`, "rrsets", Rrset, { signal })
      // By the zone's name, as the program names it: taken in by number it would be another zone's and be replaced.
      return sets.map(set => ({ name: `record-${set.type}`, type: TYPES.record, id: `${zone.name}/${set.id}` }))
    }),
  )
  return [
    ...rrsets.flat(),
    ...servers.map(({ id }) => ({ name: "machine", type: TYPES.machine, id: String(id) })),
    ...firewalls.map(({ id }) => ({ name: "firewall", type: TYPES.firewall, id: String(id) })),
    ...addresses.map(({ id, type }) => ({ name: type, type: TYPES.address, id: String(id) })),
  ]
}
