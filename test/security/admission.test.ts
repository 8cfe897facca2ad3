import assert from "node:assert/strict"
import { hashOf } from "../../service/keys.ts"
import type { Order } from "../../service/machines/channel.ts"
import { workspaceKey } from "../../service/machines/workspace-key.ts"
import { cookieOf, startTestService, type TestService } from "../support/service.ts"
import { answerPage } from "../support/sign-in.ts"
import { csrfOf, type Visitor } from "../support/visitor.ts"
import { waitUntil } from "../support/wait-until.ts"

/** A user with a machine that runs. */
interface Person {
  visitor: Visitor
  token: string
  workspace: string
  /** The key of their machine. */
  key: string
}

const WISH = { sizeClass: "small", region: "fsn1" }

describe("security: admission to a machine", () => {
  let test: TestService
  let ada: Person
  let eve: Person

  async function person(login: string): Promise<Person> {
    const visitor = await test.signIn(login)
    const token = await test.token(visitor)
    const { body } = await test.api(token, "POST", "/workspaces", WISH)
    assert.equal((await test.finished(token, body.operation.id)).state, "succeeded")
    const workspace = body.workspace.id as string
    await waitUntil("the machine listens", () =>
      test.machines.received.some(one => one.workspace === workspace && one.type === "settings"),
    )
    return { visitor, token, workspace, key: workspaceKey(test.service.services.keys, workspace) }
  }
  /** The question that a machine's NGINX asks. */
  async function ask(key: string | null, shown: { token?: string; ticket?: string } = {}) {
    const answer = await fetch(`${test.url}/vnc/authorize`, {
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(shown.token === undefined ? {} : { "x-foozol-token": shown.token }),
        ...(shown.ticket === undefined ? {} : { "x-foozol-ticket": shown.ticket }),
      },
    })
    assert.equal(await answer.text(), "", "no answer has a body")
    return { status: answer.status, token: answer.headers.get("x-foozol-token") }
  }
  const status = async (...given: Parameters<typeof ask>) => (await ask(...given)).status
  /** The entry ticket that "Open desktop" leads on with. */
  async function ticket(who: Visitor, workspace: string): Promise<string> {
    const answer = await fetch(`${test.url}/connect?workspace=${workspace}`, {
      headers: { cookie: cookieOf(who) },
      redirect: "manual",
    })
    assert.equal(answer.status, 303)
    const way = new URL(answer.headers.get("location") ?? "")
    assert.equal(way.origin, `https://${workspace}.desk.example`)
    return way.searchParams.get("ticket") as string
  }
  async function enter({ visitor, workspace, key }: Person): Promise<string> {
    const entered = await ask(key, { ticket: await ticket(visitor, workspace) })
    assert.equal(entered.status, 204)
    return entered.token as string
  }
  const orders = ({ workspace }: Person, type: string) =>
    test.machines.received.filter(one => one.workspace === workspace && one.type === type)
  /** At the channel itself: a pretended machine is off at once, and may be so before it has heard why. */
  async function listen(workspace: string): Promise<[said: Order[], deafen: () => void]> {
    const said: Order[] = []
    return [said, await test.service.services.channel.listen(workspace, order => said.push(order))]
  }
  const told = (whose: Person, token: string) =>
    waitUntil("the machine is told", () => orders(whose, "revoke").some(one => one.data.tokenHash === hashOf(token)))

  before(async () => {
    test = await startTestService({ FOOZOL_OPERATORS: "Root" })
    ;[ada, eve] = await Promise.all([person("ada"), person("eve")])
  })
  after(() => test?.close())
  beforeEach(() => test.forgetLimits())

  describe("entry tickets", () => {
    it("one ticket shown 1,000 times at once admits once", async () => {
      const one = await ticket(ada.visitor, ada.workspace)
      const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask(ada.key, { ticket: one })))
      assert.equal(answers.filter(answer => answer.status === 204).length, 1)
      assert.equal(answers.filter(answer => answer.status === 401).length, 999)
      assert.equal(answers.filter(answer => answer.token !== null).length, 1)
    })

    it("at another user's machine a ticket is refused with 403, and is burnt", async () => {
      const mine = await ticket(ada.visitor, ada.workspace)
      assert.deepEqual(await ask(eve.key, { ticket: mine }), { status: 403, token: null })
      assert.deepEqual(await ask(ada.key, { ticket: mine }), { status: 401, token: null })
    })

    it("a ticket lasts 60 s and no longer", async () => {
      const { redis } = test.service.services
      const one = await ticket(ada.visitor, ada.workspace)
      const left = await redis.pttl(`fz:ticket:${hashOf(one)}`)
      assert.ok(left > 0 && left <= 60_000, String(left))
      await redis.pexpireat(`fz:ticket:${hashOf(one)}`, Date.now() - 1)
      assert.equal(await status(ada.key, { ticket: one }), 401)
    })

    it("nobody gets a ticket for another's machine", async () => {
      const answer = await fetch(`${test.url}/connect?workspace=${ada.workspace}`, {
        headers: { cookie: cookieOf(eve.visitor), accept: "text/html" },
        redirect: "manual",
      })
      assert.equal(answer.status, 404)
      assert.equal(answer.headers.get("location"), null)
    })

    it("a ticket is worth nothing after its login has ended", async () => {
      const other = await test.signIn("ada")
      const one = await ticket(other, ada.workspace)
      const csrf = csrfOf(await other.get(`${test.url}/account`))
      await other.post(`${test.url}/sign-out`, { csrf }, { origin: test.url })
      assert.equal(await status(ada.key, { ticket: one }), 401)
    })

    it("more than 120 a minute are not given to one user", async () => {
      const login = await test.signIn("ada")
      const answers = await Promise.all(
        Array.from({ length: 130 }, () =>
          fetch(`${test.url}/connect?workspace=${ada.workspace}`, {
            headers: { cookie: cookieOf(login), accept: "text/html" },
            redirect: "manual",
          }),
        ),
      )
      const refused = answers.filter(one => one.status === 429)
      assert.ok(refused.length >= 10)
      assert.ok(Number(refused[0]?.headers.get("retry-after")) > 0)
    })
  })

  describe("VNC tokens", () => {
    it("what is B's opens nothing of A's: every combination of key, token, ticket and cookie", async () => {
      const [adas, eves] = [await enter(ada), await enter(eve)]
      const login = eve.visitor.cookies.get("127.0.0.1")?.get("foozol-login") as string
      const wrong: [string, number, string | null, { token?: string; ticket?: string }][] = [
        ["B's token at A's machine", 403, ada.key, { token: eves }],
        ["A's token at B's machine", 403, eve.key, { token: adas }],
        ["B's ticket at A's machine", 403, ada.key, { ticket: await ticket(eve.visitor, eve.workspace) }],
        [
          "B's ticket beside A's token",
          403,
          ada.key,
          { token: adas, ticket: await ticket(eve.visitor, eve.workspace) },
        ],
        ["B's login cookie as token", 401, ada.key, { token: login }],
        ["B's login cookie as ticket", 401, ada.key, { ticket: login }],
        ["B's API token as token", 401, ada.key, { token: eve.token }],
        ["B's API token as ticket", 401, ada.key, { ticket: eve.token }],
        ["a token as ticket", 401, ada.key, { ticket: adas }],
        ["a ticket as token", 401, ada.key, { token: await ticket(ada.visitor, ada.workspace) }],
        ["the hash of a token", 401, ada.key, { token: hashOf(adas) }],
        ["nothing", 401, ada.key, {}],
        ["A's token without a machine's key", 401, null, { token: adas }],
        ["A's token with B's API token for a key", 401, eve.token, { token: adas }],
        ["A's token with a key cut short", 401, ada.key.slice(0, -1), { token: adas }],
        [
          "A's token with B's key under A's name",
          401,
          ada.key.replace(/[^.]+$/, eve.key.split(".")[2] as string),
          { token: adas },
        ],
        ["A's token with A's key in capitals", 401, ada.key.toUpperCase(), { token: adas }],
      ]
      for (const [name, expected, key, shown] of wrong) {
        const answer = await ask(key, shown)
        assert.deepEqual(answer, { status: expected, token: null }, name)
      }
      assert.equal(await status(ada.key, { token: adas }), 204, "what is right is admitted")
      assert.equal(await status(eve.key, { token: eves }), 204)
    })

    it("a token or ticket of an odd form needs no look into the store", async () => {
      for (const odd of ["x", "a".repeat(201), "a b".repeat(20), "*".repeat(30), "..".repeat(20)]) {
        assert.equal(await status(ada.key, { token: odd }), 401)
        assert.equal(await status(ada.key, { ticket: odd }), 401)
      }
      for (const method of ["POST", "HEAD", "PUT"]) {
        const answer = await fetch(`${test.url}/vnc/authorize`, {
          method,
          headers: { authorization: `Bearer ${ada.key}` },
        })
        assert.equal(answer.status, 405)
      }
    })

    it("a token ends 30 minutes after its last use, and each use puts that off", async () => {
      const { redis } = test.service.services
      const token = await enter(ada)
      const key = `fz:vnc:${hashOf(token)}`
      const left = await redis.pttl(key)
      assert.ok(left > 29 * 60_000 && left <= 30 * 60_000, String(left))
      // As if nobody had looked for a while.
      await redis.hset(key, "seen", Date.now() - 10 * 60_000)
      await redis.pexpire(key, 20 * 60_000)
      assert.equal(await status(ada.key, { token }), 204)
      await waitUntil("the use is written down", async () => (await redis.pttl(key)) > 29 * 60_000)
      await redis.pexpireat(key, Date.now() - 1)
      assert.equal(await status(ada.key, { token }), 401)
    })

    it("a token lives no longer than its login", async () => {
      const { redis } = test.service.services
      for (const end of [
        (key: string) => redis.hset(key, "endsAt", Date.now() - 1),
        (key: string) => redis.pexpireat(key, Date.now() - 1),
      ]) {
        const visitor = await test.signIn("ada")
        const token = await enter({ ...ada, visitor })
        const login = visitor.cookies.get("127.0.0.1")?.get("foozol-login") as string
        await end(`fz:login:${hashOf(login)}`)
        assert.equal(await status(ada.key, { token }), 401)
      }
    })

    it("tickets and tokens are stored as hashes only", async () => {
      const { redis } = test.service.services
      const one = await ticket(ada.visitor, ada.workspace)
      const token = await enter(ada)
      for (const key of await redis.keys("fz:*")) {
        const type = await redis.type(key)
        const stored =
          type === "hash"
            ? JSON.stringify(await redis.hgetall(key))
            : type === "set"
              ? (await redis.smembers(key)).join()
              : type === "string"
                ? await redis.get(key)
                : ""
        for (const secret of [one, token]) assert.ok(!`${key} ${stored}`.includes(secret), key)
      }
    })
  })

  describe("revocation reaches the machine, and the token is dead before it is told", () => {
    /** Looks at whether a token is good at the very moment its machine hears that it is not. */
    function watch(whose: Person, token: string): { atTelling: () => Promise<number | undefined> } {
      let answer: Promise<number> | undefined
      const timer = setInterval(() => {
        if (!orders(whose, "revoke").some(one => one.data.tokenHash === hashOf(token))) return
        clearInterval(timer)
        answer = status(whose.key, { token })
      }, 1)
      return {
        atTelling: async () => {
          await told(whose, token)
          await waitUntil("the answer", () => answer !== undefined)
          clearInterval(timer)
          return answer
        },
      }
    }

    it("sign-out: tokens of that login, and of no other", async () => {
      const [here, there] = [await test.signIn("ada"), await test.signIn("ada")]
      const [mine, others] = [await enter({ ...ada, visitor: here }), await enter({ ...ada, visitor: there })]
      const watched = watch(ada, mine)
      const csrf = csrfOf(await here.get(`${test.url}/account`))
      const end = await here.post(`${test.url}/sign-out`, { csrf }, { origin: test.url })
      assert.equal(end.url, `${test.url}/?signed-out=1`)
      assert.equal(await status(ada.key, { token: mine }), 401, "dead when sign-out is answered")
      assert.equal(await watched.atTelling(), 401)
      assert.equal(await status(ada.key, { token: others }), 204)
      assert.ok(!orders(ada, "revoke").some(one => one.data.tokenHash === hashOf(others)))
    })

    it("sign-out everywhere: tokens of every login of that user, and of no other user", async () => {
      const visitors = [await test.signIn("ada"), await test.signIn("ada")] as const
      const tokens = [await enter({ ...ada, visitor: visitors[0] }), await enter({ ...ada, visitor: visitors[1] })]
      const eves = await enter(eve)
      const csrf = csrfOf(await visitors[0].get(`${test.url}/account`))
      await visitors[0].post(`${test.url}/sign-out-everywhere`, { csrf }, { origin: test.url })
      for (const token of tokens) {
        assert.equal(await status(ada.key, { token }), 401)
        await told(ada, token)
      }
      for (const visitor of [...visitors, ada.visitor])
        assert.equal((await test.api(visitor, "GET", "/me")).status, 401)
      assert.equal(await status(eve.key, { token: eves }), 204)
      ada.visitor = await test.signIn("ada")
    })

    it("a new sign-in in the same browser ends what the login before had opened", async () => {
      const visitor = await test.signIn("ada")
      const token = await enter({ ...ada, visitor })
      await answerPage(visitor, await visitor.get(`${test.url}/login/github`), { login: "ada" })
      assert.equal(await status(ada.key, { token }), 401)
      await told(ada, token)
    })

    it("closing the viewers: by the owner or an operator, not by a stranger", async () => {
      const token = await enter(ada)
      const path = `/workspaces/${ada.workspace}/close-viewers`
      assert.equal((await test.api(eve.token, "POST", path)).status, 404)
      assert.equal(await status(ada.key, { token }), 204)
      // GitHub's names know no capitals, and the operators' list may have been written with other ones.
      const root = await test.signIn("root")
      const ordinary = await test.token(root)
      assert.equal(
        (await test.api(ordinary, "POST", path)).status,
        404,
        "a token for one's own things is no operator's",
      )
      const operator = await test.token(root, "operate")
      const closed = await test.api(operator, "POST", path)
      assert.deepEqual([closed.status, closed.body.closed > 0], [200, true])
      assert.equal(await status(ada.key, { token }), 401)
      await told(ada, token)
      const again = await enter(ada)
      assert.deepEqual((await test.api(ada.token, "POST", path)).body, { closed: 1 })
      assert.equal(await status(ada.key, { token: again }), 401)
      await told(ada, again)
    })

    it("stop: nobody is admitted any more, the machine is told why, and a new start brings no token back", async () => {
      const token = await enter(ada)
      const one = await ticket(ada.visitor, ada.workspace)
      const [said, deafen] = await listen(ada.workspace)
      const { body } = await test.api(ada.token, "POST", `/workspaces/${ada.workspace}/stop`)
      assert.equal(await status(ada.key, { token }), 401, "dead when the stop is answered")
      assert.equal(await status(ada.key, { ticket: one }), 401)
      await test.finished(ada.token, body.operation.id)
      assert.equal(said.findLast(one => one.type === "stopping")?.data.reason, "It was stopped.")
      deafen()
      const start = await test.api(ada.token, "POST", `/workspaces/${ada.workspace}/start`)
      await test.finished(ada.token, start.body.operation.id)
      assert.equal(await status(ada.key, { token }), 401)
    })

    it("terminate: the same, and its key is good for nothing but being refused", async () => {
      const token = await enter(eve)
      const [said, deafen] = await listen(eve.workspace)
      const { body } = await test.api(eve.token, "DELETE", `/workspaces/${eve.workspace}`)
      assert.equal(await status(eve.key, { token }), 401)
      await test.finished(eve.token, body.operation.id)
      assert.equal(said.findLast(one => one.type === "stopping")?.data.reason, "It is being deleted.")
      deafen()
      assert.equal(await status(eve.key, { token }), 401)
      assert.deepEqual(await test.service.services.redis.keys(`fz:vnc-of:ws:${eve.workspace}`), [])
    })
  })

  it("when the store is away nobody is admitted: 503, no body; and after its return everything is as before", async () => {
    const token = await enter(ada)
    await test.redis.kill()
    try {
      for (const shown of [{ token }, { ticket: "t".repeat(43) }]) assert.equal(await status(ada.key, shown), 503)
      assert.equal((await fetch(`${test.url}/readyz`)).status, 503)
      assert.equal((await fetch(`${test.url}/healthz`)).status, 200)
      const page = await fetch(`${test.url}/`, { headers: { cookie: cookieOf(ada.visitor), accept: "text/html" } })
      assert.equal(page.status, 503)
      assert.match(await page.text(), /cannot reach its store at the moment/)
      const api = await test.api(ada.token, "GET", "/workspaces")
      assert.deepEqual([api.status, api.body.id, api.headers.get("retry-after")], [503, "store-away", "5"])
      assert.equal(await status("fz1.nobody.x", { token }), 401, "a stranger's machine is refused as ever")
    } finally {
      await test.redis.resume()
    }
    await waitUntil("ready again", async () => (await fetch(`${test.url}/readyz`)).status === 200)
    assert.equal(await status(ada.key, { token }), 204)
    assert.equal((await test.api(ada.visitor, "GET", "/me")).status, 200)
  })
})
