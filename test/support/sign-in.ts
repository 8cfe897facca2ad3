import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { pino } from "pino"
import { createSignIn } from "../../local-cloud/sign-in/app.ts"
import { type AppCredentials, appCredentials } from "../../local-cloud/sign-in/app-credentials.ts"
import { temporaryDirectory } from "./temporary-directory.ts"
import type { Visit, Visitor } from "./visitor.ts"

export interface TestSignIn extends AppCredentials {
  url: string
  directory: string
  /** Lets the stand-in's clock go on, milliseconds. */
  later(by: number): void
  /** Everything the stand-in has logged. */
  logged(): string
  close(): Promise<void>
}

/** The stand-in for GitHub alone, with a clock of the test's own. */
export async function startSignIn(options: { callbackUrl?: string } = {}): Promise<TestSignIn> {
  const { path: directory, remove } = await temporaryDirectory("fc-")
  let time = Date.parse("2026-01-01T00:00:00Z")
  let lines = ""
  const app = appCredentials(directory)
  const callbackUrl = new URL(options.callbackUrl ?? "http://127.0.0.1/")
  const log = pino({}, { write: line => (lines += line) })
  const server = createServer(createSignIn({ directory, app, callbackUrl, log, now: () => time }).callback())
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  return {
    ...app,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    directory,
    later: by => {
      time += by
    },
    logged: () => lines,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await remove()
    },
  }
}

/**
 * Fills in the stand-in's page like a person and returns what comes of it.
 * @param page the page that asks
 * @param answer fields of the form: `login` and, to type them, `organizations`; or `decision: "cancel"`
 */
export function answerPage(visitor: Visitor, page: Visit, answer: Record<string, string>): Promise<Visit> {
  const [, request] = /name="request" value="([0-9a-f]+)"/.exec(page.text) ?? []
  if (!request) throw new Error(`This is not the page that asks who you are: ${page.status} ${page.url}\n${page.text}`)
  return visitor.post(new URL("/login/oauth/authorize", page.url).href, { request, ...answer })
}

/**
 * Signs somebody in without a browser and without an app that listens, and returns the code.
 * @param query parameters of the authorization request besides the client's id
 */
export async function obtainCode(signIn: TestSignIn, query: Record<string, string>, login = "alice"): Promise<string> {
  const address = `${signIn.url}/login/oauth/authorize`
  const page = await fetch(`${address}?${new URLSearchParams({ client_id: signIn.clientId, ...query })}`)
  const [, request = ""] = /name="request" value="([0-9a-f]+)"/.exec(await page.text()) ?? []
  const body = new URLSearchParams({ request, login })
  const answer = await fetch(address, { method: "POST", body, redirect: "manual" })
  return new URL(answer.headers.get("location") ?? "").searchParams.get("code") ?? ""
}
