import { type Check, CheckFailure, expect } from "../check.ts"
import type { Answer } from "../door.ts"
import { openViewer } from "../rfb/viewer.ts"
import type { Run } from "../run.ts"
import { answers } from "./boot.ts"

const needs = [answers.name]
const PATHS = ["/", "/agent/status", "/vnc", "/enter"]

/** Trades a new ticket for its token, as a browser does that comes from the dashboard. */
export async function enter(run: Run): Promise<{ token: string; ticket: string; answer: Answer }> {
  const { ticket, token } = run.service.ticket()
  const answer = await run.ask(`/enter?ticket=${ticket}`)
  expect(answer.status === 303, `/enter answered ${answer.status} to a good ticket`)
  return { token, ticket, answer }
}

/** Fails unless every way in refuses this token with this status, and shows nothing of the desktop. */
async function expectRefused(run: Run, what: string, status: number, token?: string): Promise<void> {
  for (const path of PATHS) {
    const origin = { origin: `https://${run.door.name}` }
    const answer = await run.ask(path, { ...(token === undefined ? {} : { token }), headers: origin })
    expect(answer.status === status, `${path} answered ${answer.status} instead of ${status} to ${what}`)
    expect(!/noVNC|\/agent\/events/.test(answer.body), `${path} showed the viewer to ${what}`)
  }
}

/** The status with which an upgrade was refused. @throws when it was not */
async function refusedUpgrade(run: Run, what: string, options: { token: string; origin?: string }): Promise<string> {
  const words = await openViewer(run.door, { ...options, limit: run.patience }).then(
    viewer => {
      viewer.close()
      return null
    },
    (error: Error) => error.message,
  )
  if (words === null) throw new CheckFailure(`A stream was opened ${what}`)
  return words
}

export const admission: Check[] = [
  {
    name: "admission: nobody without a token, with a wrong one or another machine's",
    level: "quick",
    needs,
    async run(run) {
      await expectRefused(run, "a visitor without a token", 401)
      await expectRefused(run, "a wrong token", 401, "wrong".repeat(8))
      await expectRefused(run, "another machine's token", 403, run.service.token("another's"))
      const words = await refusedUpgrade(run, "with a wrong token", { token: "wrong".repeat(8) })
      expect(words.includes("401"), words)
      return "401, 401 and 403"
    },
  },
  {
    name: "admission: a token admits until it has expired",
    level: "quick",
    needs,
    async run(run) {
      const token = run.service.token()
      const page = await run.ask("/", { token })
      expect(page.status === 200 && page.body.includes("<html"), `A good token was answered with ${page.status}`)
      const policy = String(page.headers["content-security-policy"] ?? "")
      expect(
        policy.includes("default-src 'none'") || policy.includes("default-src 'self'"),
        `The page's policy is "${policy}"`,
      )
      expect(page.headers["strict-transport-security"] !== undefined, "The page lacks Strict-Transport-Security")
      run.service.end(token, "expired")
      await expectRefused(run, "an expired token", 401, token)
      return "200 before, 401 after"
    },
  },
  {
    name: "admission: a ticket buys one token, once",
    level: "quick",
    needs,
    async run(run) {
      const { ticket, token, answer } = await enter(run)
      const cookie = answer.headers["set-cookie"]?.join() ?? ""
      for (const part of [`__Host-foozol=${token};`, "Path=/", "Secure", "HttpOnly", "SameSite="]) {
        expect(cookie.includes(part), `The cookie lacks ${part.replace(token, "its token")}`)
      }
      expect(answer.headers.location === "/", `/enter leads to ${answer.headers.location}`)
      expect((await run.ask("/", { token })).status === 200, "The token that was bought does not admit")
      const again = await run.ask(`/enter?ticket=${ticket}`)
      expect(again.status === 401, `The second use of the ticket was answered with ${again.status}`)
      expect(again.headers["set-cookie"] === undefined, "The second use of the ticket set a cookie")
      return "303 with a cookie, then 401"
    },
  },
  {
    name: "admission: no stream for a page of another site",
    level: "quick",
    needs,
    async run(run) {
      const token = run.service.token()
      for (const origin of ["https://elsewhere.example", `https://${run.door.name}.elsewhere.example`, "null"]) {
        const words = await refusedUpgrade(run, `for the origin ${origin}`, { token, origin })
        expect(words.includes("403"), `${origin}: ${words}`)
      }
      const change = await run.ask("/agent/resize", {
        token,
        method: "POST",
        headers: { origin: "https://elsewhere.example" },
      })
      expect(change.status === 403, `A change from another site was answered with ${change.status}`)
      return "403"
    },
  },
  {
    name: "admission: nobody while the service is away, and a page that says so",
    level: "quick",
    needs,
    async run(run) {
      const token = run.service.token()
      run.service.away(true)
      try {
        for (const path of PATHS) {
          const answer = await run.ask(path, { token, headers: { origin: `https://${run.door.name}` } })
          expect(answer.status === 503, `${path} answered ${answer.status} while the service was away`)
          expect(/service is away/i.test(answer.body), `${path} does not say that the service is away`)
        }
      } finally {
        run.service.away(false)
      }
      await run.until(
        "the way in after the service came back",
        async () => (await run.ask("/", { token })).status === 200,
      )
      return "503, and 200 again with the service"
    },
  },
]
