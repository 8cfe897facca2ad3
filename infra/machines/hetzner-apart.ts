import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { InfraError } from "../errors.ts"
import { LABELS, MANAGER } from "../workspace-spec.ts"
import type { ApartMachine, Machine, Machines } from "./contract.ts"
import { Server, toMachine } from "./hetzner-answers.ts"
import { Action, type HetznerApi } from "./hetzner-api.ts"

/** The firewall of all machines that stand apart. It has no rules: at Hetzner nothing comes in then, and all goes out. */
const FIREWALL = "foozol-apart"

/** Between two looks at a machine that is being made. */
const LOOK_MS = 500

const Identified = z.object({ id: z.number() })
const Made = z.object({ server: Server, action: Action, next_actions: z.array(Action).default([]) })

/** See `Machines.createApart`. */
export async function createApart(
  api: HetznerApi,
  machines: Pick<Machines, "get" | "remove">,
  wanted: ApartMachine,
  signal: AbortSignal | undefined,
): Promise<Machine> {
  const call = signal ? { signal } : {}
  const firewall = await closedFirewall(api, signal)
  const body = {
    ...{ name: wanted.name, labels: wanted.labels, server_type: wanted.size, location: wanted.region },
    ...{ image: wanted.image, user_data: wanted.userData, firewalls: [{ firewall }] },
    // Addresses that come and go with it: it must reach the service.
    public_net: { enable_ipv4: true, enable_ipv6: true },
  }
  try {
    const made = await api.request("POST", "/servers", Made, { body, signal })
    for (const action of [made.action, ...made.next_actions]) await api.waitForAction(action, { signal })
    return (await machines.get(String(made.server.id), call)) ?? toMachine(made.server)
  } catch (error) {
    if (!(error instanceof InfraError) || error.id !== "name-taken") throw error
    // An earlier run made it and never heard of it.
    const path = `/servers?name=${encodeURIComponent(wanted.name)}`
    const [found] = await api.list(path, "servers", Server, { signal })
    if (!found) throw error
    const machine = await whenMade(machines, toMachine(found), signal)
    if (machine?.state === "running") return machine
    // Its creation failed, and its name is in the way of the next one.
    if (machine) await machines.remove(machine.id, call)
    throw new InfraError("provider-failed", "retry", "The provider's API failed: try again in a few minutes.")
  }
}

async function whenMade(
  machines: Pick<Machines, "get">,
  found: Machine,
  signal: AbortSignal | undefined,
): Promise<Machine | null> {
  let machine: Machine | null = found
  while (machine?.busy) {
    await sleep(LOOK_MS, undefined, signal ? { signal } : {})
    machine = await machines.get(found.id, signal ? { signal } : {})
  }
  return machine
}

/** Its id; it is made when it is not there. */
async function closedFirewall(api: HetznerApi, signal: AbortSignal | undefined): Promise<number> {
  const find = () => api.list(`/firewalls?name=${FIREWALL}`, "firewalls", Identified, { signal })
  const [known] = await find()
  if (known) return known.id
  const body = { name: FIREWALL, labels: { [LABELS.managedBy]: MANAGER }, rules: [] }
  try {
    return (await api.request("POST", "/firewalls", z.object({ firewall: Identified }), { body, signal })).firewall.id
  } catch (error) {
    if (!(error instanceof InfraError) || error.id !== "name-taken") throw error
    const [other] = await find()
    if (!other) throw error
    return other.id
  }
}
