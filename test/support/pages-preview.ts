import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { assets } from "../../service/pages/index.ts"

/** The policy the pages are made for. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: https://avatars.githubusercontent.com",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ")

type Answer = string | ((request: IncomingMessage, response: ServerResponse) => void | Promise<void>)

/**
 * Serves pages and their assets under the policy, on loopback; forms lead to `/sent`, and `routes` is asked for the rest.
 * @param measured origins that scripts may ask besides
 */
export async function startPreview(routes: (path: string, url: URL) => Answer | undefined, measured: string[] = []) {
  /** What the API tells of conversations with coding agents. */
  const conversations: object[] = []
  const posts: { path: string; fields: URLSearchParams }[] = []
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://preview")
    response.setHeader("content-security-policy", POLICY.replace("connect-src", ["connect-src", ...measured].join(" ")))
    const asset = assets().get(url.pathname)
    if (asset !== undefined) {
      response.setHeader("content-type", asset.type)
      return response.end(asset.body)
    }
    if (request.method === "POST") {
      posts.push({ path: url.pathname, fields: new URLSearchParams((await request.toArray()).join("")) })
      return response.writeHead(303, { location: "/sent" }).end()
    }
    if (url.pathname === "/api/v1/conversations") {
      response.setHeader("content-type", "application/json")
      return response.end(JSON.stringify({ conversations }))
    }
    const answer = url.pathname === "/sent" ? "<title>Sent</title>" : routes(url.pathname, url)
    if (typeof answer === "function") return answer(request, response)
    if (answer === undefined) return response.writeHead(404).end()
    response.setHeader("content-type", "text/html; charset=utf-8")
    response.end(answer)
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("The preview has no port")
  return {
    url: `http://127.0.0.1:${address.port}`,
    posts,
    conversations,
    stop: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
