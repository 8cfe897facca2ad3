import { readFileSync } from "node:fs"
import { isIP } from "node:net"
import { z } from "zod"
import { LocalCloudConfig } from "./config.ts"
import { StartError } from "./errors.ts"

/** `ADDRESS:PORT`, an IPv6 address in brackets. */
const Listen = z.string().transform((text, context) => {
  const [, address = "", port = ""] = /^\[?([0-9a-fA-F:.]+?)\]?:(\d{1,5})$/.exec(text) ?? []
  if (isIP(address) > 0 && Number(port) >= 1 && Number(port) <= 65_535) return { address, port: Number(port) }
  context.addIssue({ code: "custom", message: "must be ADDRESS:PORT, such as 0.0.0.0:443" })
  return z.NEVER
})

const { network, scale, capacity, limits, restarts, portsWithoutFirewall, requestsPerHour } = LocalCloudConfig.shape

/** What an operator of a local cloud sets in a file: `local-cloud/main.ts --settings FILE`. */
export const HostSettings = z.strictObject({
  ...{ network, scale, capacity, limits, restarts, portsWithoutFirewall, requestsPerHour },
  /**
   * Where others than this host find the router by name and the DNS server; loopback where nothing is said. Metrics are
   * served where it is said alone, to anybody who asks.
   */
  listen: z
    .strictObject({ router: Listen.optional(), dns: Listen.optional(), metrics: Listen.optional() })
    .prefault({}),
  /** Host names besides those of machines that the router leads somewhere else, such as the service's proxy. */
  routes: z.record(z.string(), Listen).default({}),
})
export type HostSettings = z.output<typeof HostSettings>

/** The settings of a file. Throws StartError that says which is wrong. */
export function readHostSettings(file: string): HostSettings {
  let given: unknown
  try {
    given = JSON.parse(readFileSync(file, "utf8"))
  } catch (error) {
    throw new StartError(`The settings ${file} cannot be read: ${(error as Error).message}.`)
  }
  const parsed = HostSettings.safeParse(given)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`)
  throw new StartError(`The settings ${file} are wrong: ${wrong.join("; ")}.`)
}
