import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { InfraError } from "../errors.ts"
import type { Machines } from "./contract.ts"
import { Image, Pricing, Server, ServerType, toMachine, toSidePrices, toSize, toSnapshot } from "./hetzner-answers.ts"
import { createApart } from "./hetzner-apart.ts"
import { Action, type HetznerApi } from "./hetzner-api.ts"
import { selector } from "./hetzner-questions.ts"
import { hetznerResources } from "./hetzner-resources.ts"
import { hetznerVolumes } from "./hetzner-volumes.ts"
import { orNull } from "./or-null.ts"

/** How long a guest may take to shut down before its power is cut, milliseconds. */
const SHUTDOWN_GRACE_MS = 60_000

const OneAction = z.object({ action: Action })

/**
 * Hetzner's machines through its own API; the local cloud's likewise.
 * @param zones the project that has the DNS zones, where it is another one
 */
export function createHetznerMachines(api: HetznerApi, zones: HetznerApi = api): Machines {
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

    ...hetznerResources(api, zones, () => machines),

    prepare: async () => {},
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
          zones.request(
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
          `The provider does not have the DNS zone "${wanted.zone}" in the project of HCLOUD_TOKEN; create it there first.`,
        )
    },
  }
  return machines
}
