import type { TestCloud } from "./local-cloud.ts"
import { TEST_ZONE } from "./workspace.ts"

/** What somebody does to a workspace's resources at the provider's console. */
export type Hand = ReturnType<typeof byHand>

interface Rule {
  direction: string
  protocol: string
  port: string
  source_ips: string[]
  description: string | null
}
interface Server {
  id: number
  status: string
  labels: Record<string, string>
  name: string
  protection: { delete: boolean }
}

export function byHand(cloud: TestCloud, workspace: string) {
  const selector = `label_selector=${encodeURIComponent(`foozol-workspace==${workspace}`)}`
  const machine = async () => {
    const { servers } = await cloud.api<{ servers: Server[] }>("GET", `/servers?${selector}`)
    return servers[0] as Server
  }
  const firewall = async () => {
    const { firewalls } = await cloud.api<{ firewalls: { id: number; rules: Rule[] }[] }>(
      "GET",
      `/firewalls?${selector}`,
    )
    return firewalls[0] as { id: number; rules: Rule[] }
  }
  const ips = async () =>
    (await cloud.api<{ primary_ips: { id: number; type: string; ip: string }[] }>("GET", `/primary_ips?${selector}`))
      .primary_ips
  const ipOf = async (type: string) => (await ips()).find(one => one.type === type)
  const set = (type: string, what = "") => `/zones/${TEST_ZONE}/rrsets/${workspace}/${type}${what}`
  /** Machines change in actions; nobody does two things at once. */
  const act = async (action: string, body: object = {}) => {
    const { id } = await machine()
    const answer = await cloud.api<{ action: { id: number } }>("POST", `/servers/${id}/actions/${action}`, body)
    await over(answer.action.id)
  }
  async function over(id: number): Promise<void> {
    for (;;) {
      const { action } = await cloud.api<{ action: { status: string } }>("GET", `/actions/${id}`)
      if (action.status !== "running") return
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  return {
    machine,
    rules: async () => (await firewall()).rules.map(rule => rule.port),
    addresses: async () => ({ ipv4: (await ipOf("ipv4"))?.ip, ipv6: (await ipOf("ipv6"))?.ip }),
    /** Everything that other workspaces have. */
    async others() {
      const all = await Promise.all(
        ["servers", "firewalls", "primary_ips"].map(async kind => {
          const found = (await cloud.api<Record<string, { labels: Record<string, string> }[]>>("GET", `/${kind}`))[kind]
          return found?.filter(one => one.labels["foozol-workspace"] !== workspace)
        }),
      )
      const zone = await cloud.api<{ rrsets: { name: string }[] }>("GET", `/zones/${TEST_ZONE}/rrsets`)
      return [...all, zone.rrsets.filter(one => one.name !== workspace)]
    },
    async addRule(port: string) {
      const { id, rules } = await firewall()
      const rule = { direction: "in", protocol: "tcp", port, source_ips: ["0.0.0.0/0", "::/0"], description: "ssh" }
      await cloud.api("POST", `/firewalls/${id}/actions/set_rules`, { rules: [...rules, rule] })
    },
    async removeRules() {
      await cloud.api("POST", `/firewalls/${(await firewall()).id}/actions/set_rules`, { rules: [] })
    },
    async removeFirewall() {
      const { id } = await firewall()
      const server = (await machine()).id
      await cloud.api("POST", `/firewalls/${id}/actions/remove_from_resources`, {
        remove_from: [{ type: "server", server: { id: server } }],
      })
      await cloud.api("DELETE", `/firewalls/${id}`)
    },
    point: (type: string, ...values: string[]) =>
      cloud.api("POST", set(type, "/actions/set_records"), { records: values.map(value => ({ value })) }),
    /** Where a name leads; null: there is no such record. */
    async pointsTo(type: string): Promise<string[] | null> {
      const { rrsets } = await cloud.api<{ rrsets: { name: string; type: string; records: { value: string }[] }[] }>(
        "GET",
        `/zones/${TEST_ZONE}/rrsets`,
      )
      const found = rrsets.find(one => one.name === workspace && one.type === type)
      return found?.records.map(({ value }) => value) ?? null
    },
    ttl: (type: string, ttl: number) => cloud.api("POST", set(type, "/actions/change_ttl"), { ttl }),
    removeRecord: (type: string) => cloud.api("DELETE", set(type)),
    protect: (on: boolean) => act("change_protection", { delete: on, rebuild: on }),
    async label(added: Record<string, string>, removed: string[] = []) {
      const { id, labels } = await machine()
      const kept = Object.fromEntries(Object.entries(labels).filter(([key]) => !removed.includes(key)))
      await cloud.api("PUT", `/servers/${id}`, { labels: { ...kept, ...added } })
    },
    async renameAddress(type: string, name: string) {
      await cloud.api("PUT", `/primary_ips/${(await ipOf(type))?.id}`, { name })
    },
    powerOff: () => act("poweroff"),
    powerOn: () => act("poweron"),
    changeType: (type: string) => act("change_type", { server_type: type, upgrade_disk: false }),
    backups: (on: boolean) => act(on ? "enable_backup" : "disable_backup"),
    async removeMachine() {
      const { id } = await machine()
      await act("change_protection", { delete: false, rebuild: false })
      const { action } = await cloud.api<{ action: { id: number } }>("DELETE", `/servers/${id}`)
      await over(action.id)
    },
    /** A machine that nobody of ours has made. @returns its id */
    async makeMachine(name: string, labels: Record<string, string>) {
      const body = { name, labels, server_type: "cx23", image: String(cloud.imageId), location: "fsn1" }
      const answer = await cloud.api<{ server: { id: number }; action: { id: number } }>("POST", "/servers", body)
      await over(answer.action.id)
      return answer.server.id
    },
  }
}
