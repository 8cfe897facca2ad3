import assert from "node:assert/strict"
import { obtainSchemathesis, runSchemathesis } from "../support/schemathesis.ts"
import { startTestService, type TestService } from "../support/service.ts"

/** Seconds of trying. What is known to break APIs comes first and takes 6; the rest is random. */
const SECONDS = 40
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
describe("service: the description of the API", () => {
  let test: TestService
  let token: string
  let python: string
  let forgetting: ReturnType<typeof setInterval>

  before(async function () {
    const tool = await obtainSchemathesis()
    if ("reason" in tool) {
      this.test?.parent?.eachTest(one => Object.assign(one, { skipReason: tool.reason }))
      return this.skip()
    }
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
    assert.match(output, /Selected: 46\/47/)
    assert.doesNotMatch(test.logged(), /"id":"internal"/, "no error that nobody expected is in the log")
  })
})
