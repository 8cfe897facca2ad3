import assert from "node:assert/strict"
import { curlExample, sampleOf } from "../../../service/pages/api-docs/example.ts"
import { byTag, type OpenApi, resolve } from "../../../service/pages/api-docs/open-api.ts"
import { typeWords } from "../../../service/pages/api-docs/schema.ts"
import { apiDocsPage } from "../../../service/pages/index.ts"
import { apiDescription } from "../../support/api-sample.ts"

const api = apiDescription as OpenApi

describe("page of the API", () => {
  it("operations stand by tag, those without one last", () => {
    const groups = byTag(api).map(({ name, endpoints }) => [name, endpoints.map(one => one.anchor)])
    assert.deepEqual(groups, [
      ["Workspaces", ["listWorkspaces", "createWorkspace"]],
      ["Operations", ["followOperation"]],
      ["Others", ["delete-api-v1-workspaces-id"]],
    ])
  })

  it("examples can be pasted into a shell", () => {
    const [list, create, follow, remove] = byTag(api).flatMap(group => group.endpoints)
    assert.ok(list && create && follow && remove)
    assert.match(
      curlExample(api, list),
      /^curl https:\/\/cloud\.example\.com\/api\/v1\/workspaces \\\n {2}-H "Authorization: Bearer \$FOOZOL_TOKEN"$/,
    )
    assert.match(curlExample(api, create), /-d '\{"profile":"browser","sizeClass":"small","region":"fsn1"\}'$/)
    assert.match(curlExample(api, follow), /operations\/ID\/events[\s\S]*-N$/)
    assert.match(curlExample(api, remove), /^curl -X DELETE \S+\/workspaces\/w-1 /)
    const quoted = {
      ...create,
      operation: { ...create.operation, requestBody: { content: { "application/json": { example: "it's" } } } },
    }
    assert.match(curlExample(api, quoted), /-d '"it'\\''s"'$/)
  })

  it("kinds of values in words", () => {
    const { Workspace } = (api.components?.schemas ?? {}) as Record<string, { properties: Record<string, object> }>
    assert.equal(typeWords(api, Workspace?.properties.price ?? {}), "object or null")
    assert.equal(
      typeWords(api, { type: "array", items: { $ref: "#/components/schemas/Workspace" } }),
      "array of Workspace",
    )
    assert.equal(typeWords(api, { type: ["string", "null"] }), "string or null")
    assert.equal(typeWords(api, {}), "any value")
  })

  it("a schema that holds itself, or points nowhere, does no harm", () => {
    assert.deepEqual(resolve(api, { $ref: "#/components/schemas/Nothing" }), {})
    const circle: OpenApi = { components: { schemas: { A: { $ref: "#/components/schemas/A" } } } }
    assert.equal(sampleOf(circle, { $ref: "#/components/schemas/A" }, "X"), "X")
    assert.match(
      apiDocsPage({ document: api }),
      /<code class="prop-name">parent<\/code> <span class="soft small">Workspace<\/span>/,
    )
    assert.match(apiDocsPage({ document: {} }), /<h1>API<\/h1>/)
  })

  it("what a description says is text", () => {
    const page = apiDocsPage({
      document: {
        info: { title: "<script>", description: "`<b>`" },
        paths: { "/<i>": { get: { summary: "<u>", tags: ['"><s>'] } } },
      },
    })
    assert.doesNotMatch(page, /<script>|<b>|<i>|<u>|<s>/)
  })
})
