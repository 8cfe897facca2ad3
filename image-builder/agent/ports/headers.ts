import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http"

/** The cookie that lets in at a port's host. `__Host-` keeps it to that very host: no other can set it there. */
export const PORT_COOKIE = "__Host-foozol-port"
const TOKEN = /^[A-Za-z0-9._~+/=-]{1,4096}$/
/** All names of ours, however they are spelt. */
const OURS = /^\s*__host-foozol/i
/** What is said to the next one only (RFC 9110, 7.6.1), and what NGINX says to the agent. */
const HOP = new Set([
  ...["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer"],
  ...["transfer-encoding", "upgrade", "x-foozol-port", "x-foozol-token", "forwarded"],
])
/**
 * What a program may not say: to NGINX what it should do, to the browser what it should think of the whole host or of
 * its neighbours, to which the desktop belongs.
 */
const UNSAID = /^(x-accel-.*|clear-site-data|strict-transport-security|alt-svc|public-key-pins.*|set-cookie)$/

/** The token in a request's cookies; null where there is none. */
export function tokenIn(cookies: string | undefined): string | null {
  for (const cookie of (cookies ?? "").split(";")) {
    const [name = "", ...value] = cookie.split("=")
    const token = value.join("=").trim()
    if (name.trim() === PORT_COOKIE && TOKEN.test(token)) return token
  }
  return null
}

const withoutOurs = (cookies: string) =>
  cookies
    .split(";")
    .filter(one => !OURS.test(one))
    .join(";")
    .trim()

/** The host of a machine's own name out of that of one of its ports. */
const machineOf = (host: string) => host.slice(host.indexOf(".") + 1)

/**
 * May this request go with its visitor's cookie? Pages of other sites, and of other workspaces below the same domain,
 * can send requests here too: browsers say where they come from. Whoever is sent on here by a link may come.
 * @param host this port's own
 */
export function isOurs(method: string, headers: IncomingHttpHeaders, host: string, isUpgrade: boolean): boolean {
  const { origin } = headers
  if (origin !== undefined) {
    // Another port of the same machine is the same person's.
    const sibling = /^https:\/\/([1-9]\d{3,4}\..+)$/.exec(origin)?.[1]
    return origin === `https://${host}` || (sibling !== undefined && machineOf(sibling) === machineOf(host))
  }
  if (isUpgrade) return false
  const site = headers["sec-fetch-site"]
  if (site === undefined || site === "same-origin" || site === "none") return true
  const isOpened = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document"
  return isOpened && (method === "GET" || method === "HEAD")
}

/**
 * What the program is told: all that the visitor says but our cookie, as if they sat at the machine. Development
 * servers refuse hosts that they do not know, and pages of other origins; these two they know.
 */
export function toProgram(headers: IncomingHttpHeaders, host: string, port: number): OutgoingHttpHeaders {
  const told: OutgoingHttpHeaders = {}
  const named = new Set((headers.connection ?? "").split(",").map(name => name.trim().toLowerCase()))
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || HOP.has(name) || named.has(name) || /^x-(forwarded-|real-ip$)/.test(name)) continue
    told[name] = value
  }
  const cookies = withoutOurs(headers.cookie ?? "")
  if (cookies === "") delete told.cookie
  else told.cookie = cookies
  // A body whose length nobody knows yet, whatever the method.
  if (headers["transfer-encoding"] !== undefined) told["transfer-encoding"] = "chunked"
  told.host = `localhost:${port}`
  if (headers.origin === `https://${host}`) told.origin = `http://localhost:${port}`
  return told
}

/** What the visitor is told of what the program says. */
export function toVisitor(headers: IncomingHttpHeaders, host: string, port: number): OutgoingHttpHeaders {
  const told: OutgoingHttpHeaders = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP.has(name) && !UNSAID.test(name)) told[name] = value
  }
  const cookies = (headers["set-cookie"] ?? []).filter(one => !OURS.test(one)).map(ownCookie)
  if (cookies.length > 0) told["set-cookie"] = cookies
  // It believes that it is visited at the machine itself.
  const self = new RegExp(`^http://(localhost|127\\.0\\.0\\.1|\\[::1\\]):${port}(?=[/?#]|$)`)
  if (headers.location !== undefined) told.location = headers.location.replace(self, `https://${host}`)
  return told
}

/** A cookie for this host alone: with a domain it would be told to the desktop's host and to other workspaces'. */
const ownCookie = (cookie: string) =>
  cookie
    .split(";")
    .filter((part, index) => index === 0 || !/^\s*domain\s*(=|$)/i.test(part))
    .join(";")
