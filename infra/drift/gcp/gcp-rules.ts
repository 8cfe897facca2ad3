import type { GcpFacts } from "../../machines/gcp-facts.ts"
import { resourceNames, type WorkspaceSpec } from "../../workspace-spec.ts"
import { type Difference, idPart, leftTo, repairable } from "../difference.ts"

const resource = "firewall"

/** Google's rules are for one family of addresses each; both together are a workspace's firewall. */
const HALVES = { ipv4: "0.0.0.0/0", ipv6: "::/0" } as const

type Rule = GcpFacts["rules"][number]

/** The workspace's own rules, and others of the network that let something into its machine. */
export function ruleDifferences(spec: WorkspaceSpec, { rules }: GcpFacts): Difference[] {
  const names = resourceNames(spec)
  const own = (family: string) => `${names.firewall}-${family}`
  const halves = Object.entries(HALVES).flatMap(([family, source]) => {
    const real = rules.find(one => one.name === own(family))
    return half({ family, source, target: names.server }, real)
  })
  const isOurs = (rule: Rule) => Object.keys(HALVES).some(family => rule.name === own(family))
  const reaches = ({ targetTags, direction, disabled, allowed }: Rule) =>
    direction !== "EGRESS" &&
    !disabled &&
    (allowed ?? []).length > 0 &&
    ((targetTags ?? []).length === 0 || targetTags?.includes(names.server))
  const others = rules.filter(rule => !isOurs(rule) && reaches(rule))
  return [
    ...halves,
    ...others.map(rule =>
      leftTo(
        "operator",
        `Delete the rule ${rule.name} of the network at Google, or give it other targets.`,
        repairable(
          { resource, id: `others.${idPart(rule.name ?? "")}`, kind: "added" },
          `A firewall rule was added by hand that reaches ${rule.targetTags?.length ? "the machine" : "all machines"}: ${throughOf(rule)} (${rule.name}).`,
        ),
      ),
    ),
  ]
}

function half({ family, source, target }: { family: string; source: string; target: string }, real: Rule | undefined) {
  const what = family === "ipv4" ? "IPv4" : "IPv6"
  if (real === undefined)
    return [
      repairable(
        { resource, id: `${family}.there`, kind: "missing" },
        `The firewall rule for ${what} was deleted by hand: nobody reaches the machine by ${what}.`,
      ),
    ]
  const changed = (id: string, words: string) => repairable({ resource, id: `${family}.${id}` }, words)
  const found: Difference[] = []
  const through = throughOf(real)
  const shall = `TCP 443 from ${source}`
  if (through !== shall)
    found.push(changed("rules", `The firewall rule for ${what} lets through ${through} instead of ${shall}.`))
  if (real.disabled) found.push(changed("disabled", `The firewall rule for ${what} was switched off by hand.`))
  if (real.targetTags?.join() !== target)
    found.push(
      changed(
        "targets",
        `The firewall rule for ${what} is for ${real.targetTags?.join(", ") || "all machines of the network"} instead of this workspace's machine.`,
      ),
    )
  return found
}

/** What a rule lets through, as `TCP 443 from 0.0.0.0/0`. */
function throughOf({ allowed, denied, sourceRanges, sourceTags, direction }: Rule): string {
  if (direction === "EGRESS" || (denied ?? []).length > 0) return "something else"
  const what = (allowed ?? []).map(({ IPProtocol, ports }) =>
    [IPProtocol === "all" ? "everything" : (IPProtocol ?? "").toUpperCase(), (ports ?? []).join(", ")].join(" ").trim(),
  )
  return `${what.join(" and ") || "nothing"} from ${[...(sourceRanges ?? []), ...(sourceTags ?? [])].join(", ") || "anywhere"}`
}
