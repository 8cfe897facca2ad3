import type { ServerResponse } from "node:http"

/** Why there is no page of the program's. */
export type NoPage = "no-token" | "another's" | "away" | "foreign" | "nobody" | "failed"

const STATUS: Record<NoPage, number> = {
  "no-token": 401,
  "another's": 403,
  away: 503,
  foreign: 403,
  nobody: 502,
  failed: 502,
}

const WORDS: Record<NoPage, (port: number) => [string, string]> = {
  "no-token": port => [
    "You are not let in here",
    `Port ${port} of this workspace is shown to its owner, and to whom they have sent a link. Links end after their time, when they are taken back, and when the workspace stops: ask for a new one.`,
  ],
  "another's": port => ["You are not let in here", `What let you in before is not for port ${port}.`],
  away: () => ["This cannot be shown just now", "The service that says who may come in does not answer. Try again."],
  foreign: () => [
    "This was asked for by a page of another site",
    "Open the address itself if that is what you wanted.",
  ],
  nobody: port => [
    `Nothing listens on port ${port}`,
    `Start your program, at localhost:${port}: this page shows it as soon as it answers.`,
  ],
  failed: port => [`Port ${port} does not answer`, "The program there closed the connection. Does it speak HTTP?"],
}

/**
 * Says why there is no page.
 * @param signIn the service's address that leads back here; null where there is none
 */
export function sayWhy(response: ServerResponse, why: NoPage, port: number, signIn: string | null): void {
  if (response.headersSent) return void response.destroy()
  const [title, text] = WORDS[why](port)
  const isOwners = signIn !== null && (why === "no-token" || why === "another's")
  const link = isOwners ? `<p><a href="${escaped(signIn)}">This is my workspace</a></p>` : ""
  const again = why === "nobody" ? '<meta http-equiv="refresh" content="3">' : ""
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8">${again}
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="dark light">
<title>${title}</title><style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}</style>
</head><body><h1>${title}</h1><p>${text}</p>${link}</body></html>`
  response.writeHead(STATUS[why], {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    // What is left of an upload is not waited for.
    connection: "close",
  })
  response.end(page)
}

const escaped = (text: string) => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
