import { z } from "zod"
import { InfraError } from "../errors.ts"
import { bears, placed, zonedId } from "../scaleway-names.ts"
import type { Machines } from "./contract.ts"
import { orNull } from "./or-null.ts"
import { BlockVolume, bootOf, MOVING, Server, toMachine } from "./scaleway-answers.ts"
import { createScalewayApart } from "./scaleway-apart.ts"
import { Anything, type ScalewayApi } from "./scaleway-api.ts"
import { notThere, scalewayDisks } from "./scaleway-disks.ts"
import { scalewayOffer } from "./scaleway-offer.ts"
import { blockTags, instanceTags } from "./scaleway-questions.ts"
import { scalewayResources } from "./scaleway-resources.ts"
import { scalewaySnapshots } from "./scaleway-snapshots.ts"

type Call = { signal?: AbortSignal | undefined }

const OneServer = z.object({ server: Server }).transform(one => one.server)

/** How often a machine that was to be started may look as if nothing had been asked before that is what it is. */
const PATIENT_LOOKS = 5

/** Scaleway's Instances, of one project. Ids are a zone and a UUID, as Pulumi has them; those of snapshots UUIDs. */
export function createScalewayMachines(api: ScalewayApi): Machines {
  const { project, zones } = api.project
  const path = (id: string) => `/instance/v1/zones/${placed(id).zone}/servers/${placed(id).id}`
  const serverOf = (id: string, call: Call): Promise<Server | null> =>
    orNull(api.request("GET", path(id), OneServer, call))

  /** The machine once no step is under way. @throws InfraError `provider-not-found` */
  const settled = (id: string, call: Call) =>
    api.until(async () => {
      const server = await serverOf(id, call)
      if (!server) throw notThere()
      return MOVING.has(server.state) ? undefined : server
    }, call)
  const act = (id: string, action: string, call: Call) =>
    api.request("POST", `${path(id)}/action`, Anything, { body: { action }, ...call })

  async function powerOn(id: string, call: Call): Promise<void> {
    if ((await settled(id, call)).state === "running") return
    await act(id, "poweron", call)
    let [looks, hasMoved] = [0, false]
    await api.until(async () => {
      const server = await serverOf(id, call)
      if (!server) throw notThere()
      looks++
      hasMoved ||= MOVING.has(server.state)
      // Whether there is room shows only now: a machine that is off holds none.
      if (!MOVING.has(server.state) && server.state !== "running" && (hasMoved || looks > PATIENT_LOOKS))
        throw new InfraError(
          "provider-no-capacity",
          "retry",
          `Scaleway did not start the machine${server.state_detail ? ` (${server.state_detail})` : ""}; most often it has no room for this machine type in this zone then: choose another size or zone, or try again later.`,
        )
      return server.state === "running" ? server : undefined
    }, call)
  }
  /** Scaleway asks the guest, and after a while of its own cuts the power; it does not say which it was. */
  async function powerOff(id: string, call: Call): Promise<void> {
    if ((await settled(id, call)).state === "stopped") return
    await act(id, "poweroff", call)
    await api.until(async () => {
      const server = await serverOf(id, call)
      return server === null || server.state === "stopped" ? { server } : undefined
    }, call)
  }

  const { volumeOf, removeBoot, ...volumes } = scalewayDisks(api, () => machines, serverOf)
  const machines: Machines = {
    async list(labels, { signal } = {}) {
      const found = await Promise.all(
        zones.map(async zone => {
          const servers = await api.list(
            `/instance/v1/zones/${zone}/servers?${instanceTags(project, labels)}`,
            "servers",
            Server,
            { signal },
          )
          const ours = servers.filter(({ tags }) => bears(tags, labels))
          // Of a disk a machine says only that it has it.
          const boots =
            ours.length === 0
              ? []
              : await api.list(`/block/v1/zones/${zone}/volumes?${blockTags(project, {})}`, "volumes", BlockVolume, {
                  signal,
                })
          return ours.map(server => toMachine(server, boots.find(({ id }) => id === bootOf(server)) ?? null))
        }),
      )
      return found.flat()
    },
    async get(id, { signal } = {}) {
      const server = await serverOf(id, { signal })
      const boot = server && bootOf(server)
      return server && toMachine(server, boot === null ? null : await volumeOf(zonedId(server.zone, boot), { signal }))
    },
    powerOn: (id, { signal } = {}) => powerOn(id, { signal }),
    powerOff: (id, { signal } = {}) => powerOff(id, { signal }),
    async shutDown(id, { signal } = {}) {
      await powerOff(id, { signal })
      return { forced: false }
    },
    async reset(id, { signal } = {}) {
      await settled(id, { signal })
      await act(id, "reboot", { signal })
      await settled(id, { signal })
    },
    async setDeleteProtection(id, on, { signal } = {}) {
      await api.request("PATCH", path(id), Anything, { body: { protected: on }, signal })
    },
    async remove(id, { signal } = {}) {
      const call = { signal }
      const server = await serverOf(id, call)
      if (!server) return
      if (server.protected)
        throw new InfraError("protected", "fail", "The machine is protected from deletion: lift the protection first.")
      await powerOff(id, call)
      // Scaleway keeps the disks of a machine that it deletes; the machine goes last, since its disk is found by it.
      await removeBoot(server, call)
      await orNull(api.request("DELETE", path(id), Anything, call))
    },

    ...volumes,
    ...scalewaySnapshots(api, serverOf),
    ...scalewayResources(api, () => machines),
    ...scalewayOffer(api),
    prepare: async () => {},
    createApart: (wanted, { signal } = {}) => createScalewayApart(api, machines, wanted, { signal }),
  }
  return machines
}
