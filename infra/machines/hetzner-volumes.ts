import { z } from "zod"
import type { Machines, Volume } from "./contract.ts"
import { Action, type HetznerApi } from "./hetzner-api.ts"
import { selector } from "./hetzner-questions.ts"
import { orNull } from "./or-null.ts"

/** The smallest volume Hetzner sells, GB. */
const LEAST_GB = 10

const HetznerVolume = z.object({
  id: z.number(),
  server: z.number().nullable(),
  labels: z.record(z.string(), z.string()),
})
const toVolume = ({ id, server, labels }: z.output<typeof HetznerVolume>): Volume => ({
  id: String(id),
  machine: server === null ? null : String(server),
  labels,
})

/** Volumes at Hetzner. */
export function hetznerVolumes(
  api: HetznerApi,
): Pick<Machines, "makeVolume" | "listVolumes" | "attachVolume" | "removeVolume"> {
  const get = async (id: string, signal: AbortSignal | undefined) => {
    const answer = await orNull(api.request("GET", `/volumes/${id}`, z.object({ volume: HetznerVolume }), { signal }))
    return answer && toVolume(answer.volume)
  }
  const act = async (id: string, action: string, body: unknown, signal: AbortSignal | undefined) => {
    const path = `/volumes/${id}/actions/${action}`
    const answer = await api.request("POST", path, z.object({ action: Action }), { body, signal })
    await api.waitForAction(answer.action, { signal })
  }
  return {
    async makeVolume(machineId, { name, gb, labels }, { signal } = {}) {
      const body = {
        name,
        size: Math.max(LEAST_GB, Math.ceil(gb)),
        server: Number(machineId),
        automount: false,
        labels,
      }
      const schema = z.object({ volume: HetznerVolume, action: Action, next_actions: z.array(Action) })
      const made = await api.request("POST", "/volumes", schema, { body, signal })
      for (const action of [made.action, ...made.next_actions]) await api.waitForAction(action, { signal })
      return toVolume(made.volume)
    },
    async listVolumes(labels, { signal } = {}) {
      const found = await api.list(`/volumes?label_selector=${selector(labels)}`, "volumes", HetznerVolume, { signal })
      return found.map(toVolume)
    },
    async attachVolume(id, machineId, { signal } = {}) {
      const now = await get(id, signal)
      if (now?.machine === machineId) return
      if (now?.machine) await act(id, "detach", {}, signal)
      await act(id, "attach", { server: Number(machineId), automount: false }, signal)
    },
    async removeVolume(id, { signal } = {}) {
      if ((await get(id, signal))?.machine) await act(id, "detach", {}, signal)
      await orNull(api.request("DELETE", `/volumes/${id}`, z.object({}), { signal }))
    },
  }
}
