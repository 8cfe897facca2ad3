import { type FirewallRule, ruleKey } from "../accepted.ts"
import type { Wanted } from "../wanted.ts"
import { type Difference, idPart, leftTo, repairable } from "./difference.ts"
import { labelsOf } from "./labels.ts"
import type { RealFirewall } from "./real.ts"
import { ruleText } from "./words.ts"

const resource = "firewall"

/** @param machineId of the workspace's machine at the provider; null: it has none */
export function firewallDifferences(
  wanted: Wanted["firewall"],
  real: RealFirewall,
  machineId: string | null,
): Difference[] {
  const others = real.applyTos.flatMap(({ server }) => (server && String(server) !== machineId ? [server] : []))
  return [
    ...rules(wanted.rules, real.rules),
    ...(real.name === wanted.name
      ? []
      : [repairable({ resource, id: "name" }, `The firewall was renamed by hand to "${real.name}".`)]),
    ...labelsOf(resource, wanted.labels, real.labels),
    ...others.map(server =>
      leftTo(
        "operator",
        `Take the firewall off machine ${server} at the provider: nothing of another machine belongs to this workspace.`,
        repairable(
          { resource, id: `machines.${server}`, kind: "added" },
          `The firewall was put on machine ${server} too, by hand.`,
        ),
      ),
    ),
  ]
}

function rules(wanted: FirewallRule[], real: FirewallRule[]): Difference[] {
  const shall = new Map(wanted.map(rule => [ruleKey(rule), rule]))
  const is = new Map(real.map(rule => [ruleKey(rule), rule]))
  const id = (key: string) => `rules.${idPart(key)}`
  const added = [...is]
    .filter(([key]) => !shall.has(key))
    .map(([key, rule]) =>
      repairable({ resource, id: id(key), kind: "added" }, `A firewall rule was added by hand: ${ruleText(rule)}.`, {
        ...{ what: "rule", rule, there: true },
      }),
    )
  const gone = [...shall]
    .filter(([key]) => !is.has(key))
    .map(([key, rule]) =>
      repairable(
        { resource, id: id(key), kind: "missing" },
        `A firewall rule was taken away by hand: ${ruleText(rule)}.`,
        { what: "rule", rule, there: false },
      ),
    )
  const renamed = [...is].flatMap(([key, rule]) => {
    const before = shall.get(key)
    if (before === undefined || before.description === rule.description) return []
    const words = `The firewall rule ${ruleText(before)} is described by hand as "${rule.description}".`
    return [repairable({ resource, id: id(key) }, words, { what: "rule", rule, there: true })]
  })
  return [...added, ...gone, ...renamed]
}
