import { randomBytes } from "node:crypto"
import { chmod, chown, open, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { type Authority, parseAuthority } from "./certificate/authority.ts"
import { agentEnvironment } from "./conversations/folders.ts"
import type { Log } from "./log.ts"
import type { Run } from "./run.ts"

/** What the service gives a workspace at run time. */
export interface Settings {
  env: Record<string, string>
  secrets: Record<string, string>
  /** The proxy the workspace goes out through, with its credentials, as a URL; null for none. */
  proxy: string | null
  /** Where this machine's certificate comes from; null: it signs its own. */
  certificate: Authority | null
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Where the forwarding proxy of this machine listens: programs know it, it alone knows the credentials. */
export const LOCAL_PROXY = "http://127.0.0.1:3128"

/** Checks what came over the wire. @throws when it is no settings, without repeating a value */
export function parseSettings(given: unknown): Settings {
  if (typeof given !== "object" || given === null) throw new Error("settings are no object")
  const { env = {}, secrets = {}, proxy = null, certificate } = given as Record<string, unknown>
  if (proxy !== null && typeof proxy !== "string") throw new Error("the proxy is no URL")
  const variablesOf = { env: variables("env", env), secrets: variables("secrets", secrets) }
  return { ...variablesOf, proxy: proxy || null, certificate: parseAuthority(certificate) }
}

function variables(what: string, given: unknown): Record<string, string> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new Error(`${what} is no object`)
  for (const [name, value] of Object.entries(given)) {
    if (!NAME.test(name)) throw new Error(`a name in ${what} is no name of a variable`)
    if (typeof value !== "string" || value.includes("\0")) throw new Error(`${what}: ${name} has no text`)
  }
  return given as Record<string, string>
}

/** The variables as a file that both systemd and a shell read alike. */
export function formatEnvironment(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${value.replace(/["\\`$]/g, "\\$&")}"\n`)
    .join("")
}

/**
 * The secrets as such a file. `FOOZOL_GIVEN` names all that is given, so that a shell can tell what it has inherited and
 * is taken back since (profile.d/foozol.sh); in one file with them, since both must change at once.
 */
export function secretsFile(secrets: Record<string, string>, env: Record<string, string>): string {
  const given = [...new Set([...Object.keys(secrets), ...Object.keys(env)])].join(" ")
  return formatEnvironment({ ...secrets, FOOZOL_GIVEN: given })
}

/** Variables that send programs through the forwarding proxy, in both spellings that are in use. */
export function proxyEnvironment(settings: Settings): Record<string, string> {
  if (settings.proxy === null) return {}
  const direct = settings.env.no_proxy ?? settings.env.NO_PROXY ?? "localhost,127.0.0.1,::1"
  const values = { http_proxy: LOCAL_PROXY, https_proxy: LOCAL_PROXY, no_proxy: direct }
  return {
    ...values,
    ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toUpperCase(), value])),
  }
}

/** The forwarding proxy's configuration (tinyproxy). @throws when it could not carry such a proxy */
export function proxyConfiguration(proxy: string): string {
  const url = URL.canParse(proxy) ? new URL(proxy) : null
  const kind = { "http:": "http", "socks4:": "socks4", "socks5:": "socks5" }[url?.protocol ?? ""]
  if (!url || !kind || !/^[A-Za-z0-9.-]+$/.test(url.hostname)) throw new Error("the proxy's URL cannot be used")
  const port = url.port || (kind === "http" ? "80" : "1080")
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  // The file has no quoting: what would end a field or a line cannot be said in it.
  if (/[\s:@"]/.test(user) || /[\s@"]/.test(password)) throw new Error("the proxy's credentials cannot be used")
  const login = user === "" ? "" : `${user}:${password}@`
  const upstream = `Upstream ${kind} ${login}${url.hostname}:${port}`
  const lines = ["Listen 127.0.0.1", "Port 3128", "Allow 127.0.0.1", "MaxClients 200", "LogLevel Error", "Timeout 600"]
  return `${[...lines, "DisableViaHeader Yes", "User nobody", "Group nogroup", upstream].join("\n")}\n`
}

/**
 * Writes a file so that nobody ever reads a half one or one with wider rights than meant.
 * @param gid the group that may read it, when the mode says so; unchanged when absent
 */
export async function writePrivately(path: string, text: string, mode: number, gid?: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`
  try {
    const file = await open(temporary, "wx", 0o600)
    await file.writeFile(text).finally(() => file.close())
    if (gid !== undefined) await chown(temporary, process.getuid?.() ?? 0, gid)
    await chmod(temporary, mode)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Puts settings into force for everything started from now on; says whether the proxy changed. */
export async function applySettings(
  settings: Settings,
  where: { directory: string; sessionId: string; home: string; gid?: number | undefined },
): Promise<{ proxyChanged: boolean }> {
  const proxyPath = join(where.directory, "proxy.conf")
  const configuration = settings.proxy === null ? null : proxyConfiguration(settings.proxy)
  const before = await readFile(proxyPath, "utf8").catch(() => null)
  const folders = agentEnvironment(where.home, settings.env)
  const env = { ...settings.env, ...folders, ...proxyEnvironment(settings), SESSION_ID: where.sessionId }
  await writePrivately(join(where.directory, "secrets.env"), secretsFile(settings.secrets, env), 0o640, where.gid)
  if (configuration === null) await rm(proxyPath, { force: true })
  else if (configuration !== before) await writePrivately(proxyPath, configuration, 0o600)
  await writePrivately(join(where.directory, "env"), formatEnvironment(env), 0o640, where.gid)
  return { proxyChanged: configuration !== before }
}

/** Has the forwarding proxy of this machine, and what stood before it was known, go by the one that is set now. */
export async function goThroughProxy(proxy: string | null, run: Run, log: Log): Promise<void> {
  const result = await run("systemctl", [proxy === null ? "stop" : "restart", "foozol-proxy.service"])
  if (result.code !== 0) log.warn(`the proxy's service: ${result.stderr.trim()}`)
  // A window that stood before would go round it.
  await run("systemctl", ["--no-block", "try-restart", "foozol-browser.service", "foozol-app.service"])
}
