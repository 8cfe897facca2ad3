import type { WantedMachine } from "../wanted.ts"
import { type Difference, leftTo, repairable } from "./difference.ts"
import { labelsOf } from "./labels.ts"
import type { RealMachine } from "./real.ts"

const resource = "machine"

export type Power = "on" | "off"

/** What somebody at the provider's console may have changed of a machine. */
export function machineDifferences(
  wanted: WantedMachine,
  real: RealMachine,
  { power, firewallId }: { power: Power | null; firewallId: string | null },
): Difference[] {
  return [
    ...powerOf(real, power),
    ...sizeOf(wanted, real),
    ...protectionOf(wanted, real),
    ...firewallsOf(wanted, real, firewallId),
    ...(real.name === wanted.name
      ? []
      : [repairable({ resource, id: "name" }, `The machine was renamed by hand to "${real.name}".`)]),
    ...besides(wanted, real),
    ...labelsOf(resource, wanted.labels, real.labels),
  ]
}

export function powerOf({ status }: Pick<RealMachine, "status">, power: Power | null): Difference[] {
  if (power === "on" && status === "off")
    return [
      repairable(
        { resource, id: "power", kind: "off" },
        "The machine is off though the workspace runs: it was switched off by hand, or from inside.",
      ),
    ]
  if (power === "off" && status === "running")
    return [
      repairable(
        { resource, id: "power", kind: "on" },
        "The machine is on though the workspace is stopped: it was switched on by hand.",
      ),
    ]
  return []
}

function sizeOf({ size }: WantedMachine, real: RealMachine): Difference[] {
  if (real.serverType === size) return []
  const found = repairable({ resource, id: "size" }, `The machine is of type ${real.serverType}, not ${size}.`)
  // The provider changes the type of machines that are off only, and the plugin would cut the power.
  if (real.status === "off") return [found]
  return [
    leftTo(
      "operator",
      "Stop the workspace (power-off), then repair it: the type of a machine that is on cannot be changed.",
      found,
    ),
  ]
}

function protectionOf({ protection }: WantedMachine, real: RealMachine): Difference[] {
  const is = real.deleteProtection && real.rebuildProtection
  if (is === protection && real.deleteProtection === real.rebuildProtection) return []
  const words = protection
    ? "Delete protection of the machine was lifted by hand."
    : "Delete protection of the machine was switched on by hand."
  return [repairable({ resource, id: "protection" }, words, { what: "protection", on: is })]
}

function firewallsOf({ otherFirewalls }: WantedMachine, real: RealMachine, own: string | null): Difference[] {
  const id = (one: number | string) => `firewalls.${one}`
  const shall = [...(own === null ? [] : [Number(own)]), ...otherFirewalls]
  const gone = shall
    .filter(one => !real.firewallIds.includes(one))
    .map(one =>
      repairable(
        { resource, id: id(one), kind: "missing" },
        String(one) === own
          ? "The firewall was taken off the machine by hand: everything on it can be reached from outside."
          : `Firewall ${one} was taken off the machine by hand.`,
      ),
    )
  const added = real.firewallIds
    .filter(one => own !== null && !shall.includes(one))
    .map(one =>
      repairable(
        { resource, id: id(one), kind: "added" },
        `Another firewall (${one}) was put on the machine by hand.`,
        {
          ...{ what: "firewall", id: one },
        },
      ),
    )
  return [...gone, ...added]
}

/** What a repair does not touch: it would end what somebody is using. */
function besides({ backups }: WantedMachine, real: RealMachine): Difference[] {
  const found: Difference[] = []
  if (real.backups !== backups) {
    const change = { what: "backups", on: real.backups } as const
    const [word, todo] = real.backups
      ? [
          "on, which costs a fifth of the machine's price",
          "Switch them off at the provider, which deletes them, or accept them.",
        ]
      : ["off", "Switch them on at the provider, or take back that they were accepted."]
    const words = `The provider's own daily backups were switched ${word}.`
    found.push(leftTo("operator", todo, repairable({ resource, id: "backups" }, words, change)))
  }
  const plugged = [
    [real.iso, "iso", `The medium "${real.iso}" was put into the machine by hand`, "Take it out at the provider."],
    [real.rescue, "rescue", "The rescue system was switched on by hand", "Switch it off at the provider."],
  ] as const
  for (const [is, id, words, todo] of plugged)
    if (is) found.push(leftTo("operator", todo, repairable({ resource, id, kind: "added" }, `${words}.`)))
  for (const { networkId } of real.networks)
    found.push(
      leftTo(
        "operator",
        `Detach it from network ${networkId} at the provider: machines of workspaces share no network.`,
        repairable(
          { resource, id: `networks.${networkId}`, kind: "added" },
          `The machine was attached to network ${networkId} by hand.`,
        ),
      ),
    )
  return found
}
