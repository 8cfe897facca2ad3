import helmet from "koa-helmet"
import type { Config } from "../config.ts"
import { zonesOf } from "../workspaces/providers.ts"

/** Headers of every page: nothing but our own files is loaded, and nobody frames us. */
export function securityHeaders(config: Config) {
  const { url, github, desktopPort } = config
  const secure = url.startsWith("https:")
  // A form's answer may lead to GitHub or to a machine; browsers hold redirects to this as well.
  const machines = zonesOf(config).map(zone => `https://*.${zone}${desktopPort === 443 ? "" : `:${desktopPort}`}`)
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:", "https://avatars.githubusercontent.com", new URL(github.url).origin],
        // How far regions are is measured by the form for a new workspace.
        connectSrc: ["'self'", ...new Set(Object.values(config.probes).map(probe => new URL(probe).origin))],
        fontSrc: ["'self'"],
        formAction: ["'self'", new URL(github.url).origin, ...machines],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: secure ? { maxAge: 31_536_000 } : false,
    // Entry tickets travel in addresses: none of ours is ever told to another site.
    referrerPolicy: { policy: "same-origin" },
    xFrameOptions: { action: "deny" },
  })
}
