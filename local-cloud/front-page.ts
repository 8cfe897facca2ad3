import type { Middleware } from "koa"

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Local cloud</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif }
  body { max-width: 38rem; margin: 12vh auto; padding: 0 1.25rem }
  code { padding: .1em .35em; border-radius: .3em; background: color-mix(in srgb, currentColor 10%, transparent) }
</style>
<h1>The local cloud is running</h1>
<p>It speaks the Hetzner Cloud API at <code>/v1</code> and boots real machines on this computer.</p>
<p><code>npx foozol-cloud local status</code> prints the endpoint and the token to export;
<code>npx foozol-cloud --help</code> says what can be done with them.</p>
`

/** What a person sees who opens the API's address in a browser. */
export const frontPage: Middleware = (koa, next) => {
  if (koa.path !== "/" || koa.method !== "GET") return next()
  koa.set("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
  koa.type = "html"
  koa.body = PAGE
}
