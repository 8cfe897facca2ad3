import { ConfigError } from "./error.ts"

/** Is this URL's host this machine alone? */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.[\d.]+$/.test(hostname)
  )
}

/** Is this URL's host this machine, or an address of a private network, such as the one between a host and its machines? */
function isPrivate(url: string): boolean {
  const { hostname } = new URL(url)
  return (
    isLoopback(url) ||
    /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/.test(hostname) ||
    /^\[f[cd]/.test(hostname)
  )
}

/** A host and a port to listen at. */
export interface Place {
  host: string
  port: number
}

/** @throws ConfigError for combinations that would open the door to strangers */
export function refuseDangerous({
  url,
  github,
  machineUrl,
  listen,
  metrics,
}: {
  url: string
  github: { url: string }
  machineUrl: string
  listen: Place
  metrics: Place | null
}): void {
  if (new URL(url).pathname !== "/") throw new ConfigError(`FOOZOL_URL must have no path, but is ${url}`)
  for (const [name, place] of Object.entries({ FOOZOL_LISTEN: listen, FOOZOL_METRICS_LISTEN: metrics })) {
    if (place && place.port > 65_535) throw new ConfigError(`${name} must have a port up to 65535, not ${place.port}`)
  }
  const inTheClear: [string, string, boolean, string][] = [
    ["FOOZOL_URL", url, isLoopback(url), "logins"],
    ["FOOZOL_GITHUB_URL", github.url, isLoopback(github.url), "the app's secret and people's tokens"],
    ["FOOZOL_MACHINE_URL", machineUrl, isPrivate(machineUrl), "the keys of workspaces"],
  ]
  for (const [name, address, stays, what] of inTheClear) {
    if (!stays && !address.startsWith("https:")) {
      throw new ConfigError(`${name} is public, so it must be https: ${what} would go over the net in the clear`)
    }
  }
  if (!isLoopback(url) && isLoopback(github.url)) {
    throw new ConfigError(
      "FOOZOL_GITHUB_URL is a sign-in stand-in on this machine, where anybody may be anybody; it is refused together with the public FOOZOL_URL. Remove FOOZOL_GITHUB_URL and name a real GitHub OAuth app.",
    )
  }
}

/** @param text such as `127.0.0.1:8080`, `[::1]:8080` */
export function hostAndPort(text: string): Place {
  const colon = text.lastIndexOf(":")
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) }
}
