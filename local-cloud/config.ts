import { z } from "zod"
import { Limits } from "./limits.ts"
import { OwnAddresses } from "./own-addresses.ts"
import { isLoopback } from "./sign-in/callback-url.ts"

/** A port: 0 lets the system choose. */
const port = z.coerce.number().int().min(0).max(65_535)

const SignIn = z.strictObject({
  port: port.default(0),
  /**
   * The callback URL the app is registered with. Any port and any name of this machine fit, as GitHub has it for
   * loopback callbacks; the path must be this one or lie below it. Its port is for errors, which go here.
   */
  callbackUrl: z
    .string()
    .refine(text => isLoopbackUrl(text), "must be a URL of this machine: http://127.0.0.1/… or http://localhost/…")
    .default("http://127.0.0.1/"),
})

/** All settings of the local cloud. */
export const LocalCloudConfig = z.strictObject({
  /** Folder of records, ledger, machines and images; made with mode 0700. */
  directory: z.string().min(1),
  /** API tokens and the project each belongs to. */
  tokens: z.record(z.string().min(8), z.string()),
  /** Token of the admin port, which can inject faults and read everything. */
  adminToken: z.string().min(8),
  port: port.default(0),
  adminPort: port.default(0),
  /** Requests an hour and project; one comes back each second of the hour. Hetzner: 3,600. */
  requestsPerHour: z.int().positive().default(3_600),
  limits: Limits.prefault({}),
  /** Lower bound of how long an action takes, milliseconds. */
  actionDelayMs: z.int().nonnegative().default(0),
  /** Machine types are divided by these to fit this host: 16 GB of memory become 2, 8 cores 2, 160 GB of disk 20. */
  scale: z
    .strictObject({
      memory: z.number().positive().default(8),
      cores: z.number().positive().default(4),
      disk: z.number().positive().default(8),
    })
    .prefault({}),
  /** The stand-in for GitHub's sign-in; null: none. */
  signIn: SignIn.nullable().default(null),
  /** Addresses of their own for machines; null: addresses of the loopback network, which this host alone can reach. */
  network: OwnAddresses.nullable().default(null),
  /** What this host promises; null: as much as is asked for. */
  capacity: z
    .strictObject({
      /** Most virtual cores of machines that are on for each core of this host. */
      coresPerCore: z.number().positive().nullable().default(null),
      /** Machines together may be given so many times the memory there is for them. */
      memoryOvercommit: z.number().min(1).default(1),
      /** GB for disks, volumes and snapshots together, whether or not anything is written to them. */
      diskGb: z.number().positive().nullable().default(null),
    })
    .prefault({}),
  /** After a reboot of the host: how many machines are started at once, and the pause after each, milliseconds. */
  restarts: z
    .strictObject({ atOnce: z.int().positive().default(2), pauseMs: z.int().nonnegative().default(5_000) })
    .prefault({}),
  /** Ports that a server without any firewall has open to this host. Hetzner opens all; forwards must be named. */
  portsWithoutFirewall: z.array(z.int().min(1).max(65_535)).default([22, 80, 443]),
})
export type LocalCloudConfig = z.output<typeof LocalCloudConfig>
export type LocalCloudSettings = z.input<typeof LocalCloudConfig>

function isLoopbackUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && isLoopback(url)
}
