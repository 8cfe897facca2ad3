import assert from "node:assert/strict"
import { obtainSchemathesis, runSchemathesis } from "../support/schemathesis.ts"
import { startTestService, type TestService } from "../support/service.ts"
import { share } from "../support/share.ts"
import { skipSuite } from "../support/skip.ts"

/** Seconds of trying. What is known to break APIs comes first and takes 6; the rest is random. */
const SECONDS = share(120, 25)
/** Without `use_after_free`: what is deleted is still there until its machine is gone, and says TERMINATING. */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
  "negative_data_rejection",
  "missing_required_header",
  "unsupported_method",
  "allow_header_conformance",
  "ensure_resource_availability",
  "ignored_auth",
]

/** What the description of the API promises, tried out by a program that knows nothing but the description. */
/** How many operations the description has. */
async function operations(test: TestService): Promise<number> {
  const { paths } = (await (await fetch(`${test.url}/api/v1/openapi.json`)).json()) as { paths: Record<string, object> }
  const methods = Object.values(paths).flatMap(path => Object.keys(path))
  return methods.filter(name => ["get", "post", "put", "patch", "delete"].includes(name)).length
}

describe("service: the description of the API", () => {
  let test: TestService
  let token: string
  let python: string
  let forgetting: ReturnType<typeof setInterval>

  before(async function () {
    const tool = await obtainSchemathesis()
    if ("reason" in tool) return skipSuite(this, tool.reason)
    python = tool.python
    test = await startTestService()
    token = await test.token(await test.signIn("ada"))
    // Limits would answer nearly everything after the first seconds.
    forgetting = setInterval(() => void test.forgetLimits().catch(() => {}), 250)
  })
  after(async () => {
    clearInterval(forgetting)
    await test?.close()
  })

  it("holds under Schemathesis: no fault of the service's, no answer that is not described", async () => {
    const { code, output } = await runSchemathesis(python, {
      description: `${test.url}/api/v1/openapi.json`,
      token,
      seconds: SECONDS,
      checks: CHECKS,
      // It would revoke the token it is signed in with.
      args: ["--exclude-operation-id", "revokeToken"],
    })
    assert.equal(code, 0, output.slice(-12_000))
    assert.match(output, /Coverage \(in/)
    const [, selected, total] = /Selected: (\d+)\/(\d+)/.exec(output)?.map(Number) ?? []
    assert.equal(total, await operations(test), "all that the API describes is seen")
    assert.equal(selected, (total ?? 0) - 1)
    assert.doesNotMatch(test.logged(), /"id":"internal"/, "no error that nobody expected is in the log")
  })
})
