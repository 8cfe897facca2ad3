import { Agent, request } from "node:http"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { seeded } from "../support/seeded.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { newWorkspace } from "../support/workspace-life.ts"
import { type Campaign, type Outcome, one, type Plan } from "./campaign.ts"
import { pick } from "./drawn-rounds.ts"

const PEOPLE = 4
const AT_ONCE = 32
/** After so many attempts everybody's own token is shown: a door that is shut for all proves nothing. */
const CONTROL_EVERY = 1_000

/** Somebody with a machine, and what admits them to it or once did. */
interface Person {
  /** Of their machine. */
  key: string
  token: string
  /** Tickets that have been redeemed. */
  used: string[]
  /** Tokens that have been taken back. */
  revoked: string[]
  /** A ticket of the beginning: good until somebody has shown it, or its minute is over. */
  fresh: string
}

interface Shown {
  key?: string
  token?: string
  ticket?: string
}

/** What somebody may show to get where they do not belong. Each gets the machine's owner, somebody else, and chance. */
const ATTEMPTS: Record<string, (owner: Person, other: Person, random: () => number) => Shown> = {
  "another's token": (owner, other) => ({ key: owner.key, token: other.token }),
  "another's ticket": (owner, other) => ({ key: owner.key, ticket: other.fresh }),
  "a ticket that was used": (owner, _, random) => ({ key: owner.key, ticket: pick(owner.used, random) }),
  "a token that was taken back": (owner, _, random) => ({ key: owner.key, token: pick(owner.revoked, random) }),
  "a token as a ticket": owner => ({ key: owner.key, ticket: owner.token }),
  "a ticket as a token": owner => ({ key: owner.key, token: owner.fresh }),
  "a token with a letter changed": (owner, _, random) => ({ key: owner.key, token: changed(owner.token, random) }),
  "a ticket with a letter changed": (owner, _, random) => ({ key: owner.key, ticket: changed(owner.fresh, random) }),
  "half a token": (owner, _, random) => ({
    key: owner.key,
    token: owner.token.slice(0, Math.floor(random() * owner.token.length)),
  }),
  "two tokens": (owner, other) => ({ key: owner.key, token: `${other.token},${owner.token}` }),
  nothing: owner => ({ key: owner.key }),
  "no machine's key": owner => ({ token: owner.token }),
  "another machine's key": (owner, other) => ({ key: other.key, token: owner.token }),
  "a key with a letter changed": (owner, _, random) => ({ key: changed(owner.key, random), token: owner.token }),
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** The same text with one letter that is another one. */
function changed(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length)
  const others = LETTERS.replace(text[at] ?? "", "")
  return text.slice(0, at) + pick([...others], random) + text.slice(at + 1)
}

async function run({ count, seed, isEnough, note }: Plan): Promise<Outcome> {
  const random = seeded(seed)
  const test = await startTestService()
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  try {
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, at) => person(test, agent, `user-${at}`)))
    const tried = new Map<string, number>()
    const broken: string[] = []
    let controls = 0
    let done = 0
    const control = async () => {
      for (const { key, token } of people) {
        const { status } = await ask(test.url, agent, { key, token })
        controls++
        if (status !== 204) broken.push(`somebody's own token was answered ${status}`)
      }
    }
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (done < count && !isEnough()) {
          const number = ++done
          const owner = pick(people, random)
          const other = pick(
            people.filter(one => one !== owner),
            random,
          )
          const what = pick(Object.keys(ATTEMPTS), random)
          const { status } = await ask(test.url, agent, ATTEMPTS[what]?.(owner, other, random) ?? {})
          tried.set(what, (tried.get(what) ?? 0) + 1)
          if (status === 204 || status >= 500) {
            broken.push(`${what} was answered ${status}`)
            note({ what, status })
          }
          if (number % CONTROL_EVERY === 0) await control()
        }
      }),
    )
    await control()
    note({ ...Object.fromEntries(tried), controls })
    return {
      measurements: [
        one("attempts", "", done),
        one("admitted", "", broken.filter(words => words.endsWith(" 204")).length),
        one("controls", "", controls),
      ],
      broken,
    }
  } finally {
    agent.destroy()
    await test.close()
  }
}

async function person(test: TestService, agent: Agent, login: string): Promise<Person> {
  const visitor = await test.signIn(login)
  const { id } = await newWorkspace(test, await test.token(visitor))
  const key = workspaceKey(test.service.services.keys, id)
  const ticket = async () => {
    const answer = await fetch(`${test.url}/connect?workspace=${id}`, {
      headers: { cookie: cookieOf(visitor) },
      redirect: "manual",
    })
    return new URL(answer.headers.get("location") ?? "").searchParams.get("ticket") as string
  }
  const used: string[] = []
  const enter = async () => {
    used.push(await ticket())
    return (await ask(test.url, agent, { key, ticket: used.at(-1) as string })).token as string
  }
  const revoked = await Promise.all(Array.from({ length: 3 }, enter))
  await test.service.services.tokens.revokeOfWorkspace(id)
  return { key, token: await enter(), used, revoked, fresh: await ticket() }
}

/** The question that a machine's NGINX asks. */
function ask(url: string, agent: Agent, { key, token, ticket }: Shown) {
  return new Promise<{ status: number; token: string | undefined }>((resolve, reject) => {
    const headers = {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(token === undefined ? {} : { "x-foozol-token": token }),
      ...(ticket === undefined ? {} : { "x-foozol-ticket": ticket }),
    }
    request(`${url}/vnc/authorize`, { agent, headers }, answer => {
      answer.resume()
      const given = answer.headers["x-foozol-token"]
      resolve({ status: answer.statusCode ?? 0, token: typeof given === "string" ? given : undefined })
    })
      .on("error", reject)
      .end()
  })
}

export const tokens: Campaign = {
  about: "tokens, tickets and keys of others, used ones, revoked ones and forged ones at machines' doors",
  count: 100_000,
  run,
}
