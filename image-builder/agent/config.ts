import { readFile } from "node:fs/promises"
import { unitsOf } from "./checks.ts"

/** Everything the agent takes from its machine, in one place. */
export interface AgentConfig {
  workspace: string
  profile: string
  /** Where the service answers the machine; null for a machine that stands alone. */
  service: string | null
  /** The service's page that signs in, wakes this workspace and leads to its desktop; null where there is none. */
  entry: string | null
  sessionId: string
  workspaceKey: string
  socket: string
  /** Where requests for web servers of the user come in; another socket, so that neither can be taken for the other. */
  portsSocket: string
  /** Group of NGINX, which may connect to both sockets. */
  socketGid: number | undefined
  runtimeDirectory: string
  /** Group of the workspace's user, who may read its environment. */
  userGid: number | undefined
  /** The workspace's user, whose web servers count as used when somebody is at them. */
  userUid: number | undefined
  /** Home of that user, where coding agents keep their transcripts. */
  home: string
  /** Cores in use from which programs of terminals are at work, whether they print anything or not (FOOZOL_WORK_CPU). */
  busyCpu: number
  vnc: { host: string; port: number }
  https: { host: string; port: number } | null
  /** The program that changes the display's size, and the socket of its X server. */
  display: { setSize: string; socket: string }
  tmuxSocket: string
  /** Where the program listens that has the files of the home. */
  filesSocket: string
  units: string[]
  workDirectories: string[]
  bootId: string
  /** Is this machine there to try a backup out, and for nothing else? */
  isTrial: boolean
  /** Where the sample of files is written down before a backup. */
  manifest: string
  /** The program that fetches a repository, as the user. */
  fetchRepository: string
  /** The program that backs the home up, and where it keeps what it has read. */
  homeBackup: { program: string; folder: string }
  /** The program that makes the repository's dev container, and where the user's sockets are. */
  devContainer: string
  userRuntimeDirectory: string
  /** The program of a window with a coding agent, and the folders in which those are looked for. */
  agents: { window: string; path: string[] }
  /** For what name a certificate is kept, where it lies, what asks for it, and where that answers the authority. */
  certificate: { name: string; folder: string; program: string; socket: string } | null
  versions: Record<string, string>
}

interface Places {
  /** Where the machine's identity lies, and what it forgets when it is turned off. */
  etc: string
  runtimeDirectory: string
}

/** Reads what the boot wrote. @throws when it is not there (yet) or makes no sense, without naming a secret */
export async function readConfig(environment: NodeJS.ProcessEnv = process.env): Promise<AgentConfig> {
  const places = placesOf(environment)
  const { etc } = places
  const identity = JSON.parse(await readFile(`${etc}/workspace.json`, "utf8")) as Record<string, unknown>
  const workspaceKey = (await readFile(`${etc}/secrets/workspace-key`, "utf8")).trim()
  if (workspaceKey === "") throw new Error(`${etc}/secrets/workspace-key is empty`)
  return configOf(identity, workspaceKey, places, environment)
}

/**
 * What an agent knows of a machine that is nobody's yet.
 * @param service somebody who answers in the service's place
 */
export async function nobodysConfig(service: string): Promise<AgentConfig> {
  const places = placesOf(process.env)
  const config = await configOf({ workspace: "nobody", profile: "browser", service }, "nobody", places, process.env)
  const { runtimeDirectory: at } = places
  return { ...config, socket: `${at}/rehearsal.sock`, portsSocket: `${at}/rehearsal-ports.sock` }
}

const placesOf = (environment: NodeJS.ProcessEnv): Places => ({
  etc: environment.FOOZOL_ETC ?? "/etc/foozol",
  runtimeDirectory: environment.FOOZOL_RUN ?? "/run/foozol",
})

async function configOf(
  identity: Record<string, unknown>,
  workspaceKey: string,
  { etc, runtimeDirectory }: Places,
  environment: NodeJS.ProcessEnv,
): Promise<AgentConfig> {
  const text = (name: string) => {
    const value = identity[name]
    if (typeof value !== "string" || value === "") throw new Error(`${etc}/workspace.json has no ${name}`)
    return value
  }
  const address = (name: string) => {
    const value = identity[name]
    if (value === undefined || value === null) return null
    if (typeof value === "string" && URL.canParse(value) && /^https?:/.test(value)) return value.replace(/\/+$/, "")
    throw new Error(`${etc}/workspace.json: ${name} is no URL`)
  }
  const [workspace, service, site] = [text("workspace"), address("service"), address("site")]
  const users = await readFile("/etc/passwd", "utf8").catch(() => "")
  const groups = await readFile("/etc/group", "utf8").catch(() => "")
  const profile = text("profile")
  return {
    workspace,
    profile,
    service,
    entry: site === null ? null : `${site}/connect?workspace=${encodeURIComponent(workspace)}`,
    sessionId: typeof identity.sessionId === "string" ? identity.sessionId : workspace,
    workspaceKey,
    socket: `${runtimeDirectory}/agent.sock`,
    portsSocket: `${runtimeDirectory}/ports.sock`,
    socketGid: groupId(groups, "www-data"),
    runtimeDirectory,
    userGid: groupId(groups, "user"),
    userUid: groupId(users, "user"),
    home: "/home/user",
    busyCpu: workCpu(environment.FOOZOL_WORK_CPU),
    vnc: { host: "127.0.0.1", port: 5900 },
    https: { host: "127.0.0.1", port: 443 },
    display: { setSize: "/usr/lib/foozol/set-display-size", socket: "/tmp/.X11-unix/X99" },
    tmuxSocket: "/tmp/tmux-1000/default",
    filesSocket: `${runtimeDirectory}/files.sock`,
    units: unitsOf(profile),
    workDirectories: ["/home/user"],
    bootId: (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim(),
    isTrial: (await readFile(`${runtimeDirectory}/trial`, "utf8").catch(() => null)) !== null,
    manifest: "/var/lib/foozol/manifest.json",
    fetchRepository: "/usr/lib/foozol/fetch-repository",
    homeBackup: { program: "restic", folder: "/var/cache/foozol-home-backup" },
    devContainer: "/usr/lib/foozol/devcontainer",
    userRuntimeDirectory: "/run/user/1000",
    agents: {
      window: "/usr/lib/foozol/agent-window",
      path: ["/usr/local/bin", "/usr/bin", "/home/user/.local/bin"],
    },
    // A machine without a name of its own has none that an authority could look for.
    certificate: identity.fqdn
      ? {
          ...{ name: text("fqdn"), folder: `${etc}/tls` },
          ...{ program: "/usr/lib/foozol/acme.cjs", socket: `${runtimeDirectory}/acme.sock` },
        }
      : null,
    versions: await readVersions(etc),
  }
}

/** A tenth of a core unless the setting names another share: a `top` that nobody looks at stays below. */
function workCpu(given: string | undefined): number {
  const share = Number(given || 0.1)
  if (share > 0) return share
  throw new Error("FOOZOL_WORK_CPU must be a number above 0, such as 0.1 for a tenth of a core")
}

/** The number of a group out of the text of /etc/group, or of a user out of /etc/passwd. */
export function groupId(groups: string, name: string): number | undefined {
  const line = groups.split("\n").find(one => one.startsWith(`${name}:`))
  return line === undefined ? undefined : Number(line.split(":")[2])
}

async function readVersions(etc: string): Promise<Record<string, string>> {
  const kernel = (await readFile("/proc/sys/kernel/osrelease", "utf8")).trim()
  const image = (await readFile(`${etc}/image`, "utf8").catch(() => "")).trim()
  return { agent: "3", node: process.versions.node, kernel, ...(image ? { image } : {}) }
}
