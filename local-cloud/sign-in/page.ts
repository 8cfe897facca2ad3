import { createHash } from "node:crypto"
import type { Context } from "koa"
import { STYLE } from "./page-style.ts"

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }

/** Text made safe for an element or a quoted attribute. */
export const escapeHtml = (text: string) => text.replaceAll(/[&<>"']/g, character => ESCAPES[character] ?? "")

const NOTICE =
  "This is not GitHub but a stand-in for it on this machine, for trying things out. It asks for no password: never type one here."

/**
 * Where forms may lead. Chromium holds the redirects after a form's submission to this as well, so the whole way must
 * be named: back to an app on this machine and wherever that goes on to here.
 */
const FORM_TARGETS = ["127.0.0.1", "localhost", "*.localhost"].flatMap(host => [
  `http://${host}:*`,
  `https://${host}:*`,
])

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "img-src 'self' data:",
  `form-action 'self' ${FORM_TARGETS.join(" ")}`,
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ")

export interface Page {
  status: number
  title: string
  /** HTML, everything foreign in it escaped. */
  content: string
}

/** Answers with a page of the stand-in. */
export function sendPage(koa: Context, { status, title, content }: Page): void {
  koa.status = status
  koa.set({
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  })
  koa.type = "html"
  koa.body = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · stand-in for GitHub</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<body>
<main>
<p class="notice" role="note">${NOTICE}</p>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>
`
}
