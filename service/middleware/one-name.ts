import type { Config } from "../config.ts"
import type { Context } from "./request-state.ts"

/**
 * Leads whoever opens a page under another name (`127.0.0.1` for `localhost`, an address for a domain) to the one the
 * service is known by: its cookies and the way back from GitHub belong to that name. Nothing else ever reads `Host`.
 */
export function oneName({ url }: Config) {
  const { host } = new URL(url)
  return async (ctx: Context, next: () => Promise<void>): Promise<void> => {
    const isPage = ctx.method === "GET" && !ctx.path.startsWith("/api/")
    if (!isPage || ctx.get("host") === host) return next()
    // A path that begins with two slashes would be read as another host.
    ctx.redirect(`${url}/${ctx.path.replace(/^[/\\\\]+/, "")}${ctx.search}`)
  }
}
