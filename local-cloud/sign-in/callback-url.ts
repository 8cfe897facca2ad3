/** Whether a URL leads to this machine: the only place the stand-in sends anybody to. */
export function isLoopback(url: URL): boolean {
  return url.hostname === "127.0.0.1" || url.hostname === "localhost" || url.hostname.endsWith(".localhost")
}

/**
 * The `redirect_uri` an app asks for when it fits the registered callback URL, else null.
 *
 * GitHub's rules ("Redirect URLs" and "Loopback redirect urls" in docs.github.com, "Authorizing OAuth apps"): host and
 * port must match, sub-domains are fine, the path must be the registered one or lie below it, and for a loopback
 * callback any port will do. Ours is always a loopback one, and here 127.0.0.1 and localhost stand for each other.
 */
export function fittingCallback(given: string, registered: URL): URL | null {
  const url = URL.parse(given)
  if (!url || !isLoopback(url) || !/^https?:$/.test(url.protocol)) return null
  if (url.username || url.password || url.hash) return null
  const below = registered.pathname.endsWith("/") ? registered.pathname : `${registered.pathname}/`
  return url.pathname === registered.pathname || url.pathname.startsWith(below) ? url : null
}

/** The URL with these parameters added; those without a value are left out. */
export function withParameters(url: URL, parameters: Record<string, string | null>): string {
  const target = new URL(url)
  for (const [name, value] of Object.entries(parameters)) if (value !== null) target.searchParams.set(name, value)
  return target.href
}
