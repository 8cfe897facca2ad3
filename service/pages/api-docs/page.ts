import { document } from "../document.ts"
import { type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { endpointSection, failures } from "./endpoint.ts"
import { byTag, type OpenApi } from "./open-api.ts"
import { prose } from "./prose.ts"
import { schemaView } from "./schema.ts"

export interface ApiDocsModel {
  /** An OpenAPI 3.1 document. */
  document: object
  /** Where programs find the document itself. */
  documentUrl?: string
}

/** A readable page of an OpenAPI document: operations by tag, with parameters, schemas, and an example with curl. */
export function apiDocsPage({ document: given, documentUrl = "/api/v1/openapi.json" }: ApiDocsModel): string {
  const api = given as OpenApi
  const groups = byTag(api)
  const { title, version, description } = api.info ?? {}
  return document({
    title: "API",
    body: html`<div class="docs">
${contents(groups)}
<div class="docs-body">
<h1>${title !== undefined && `${title} `}API${version !== undefined && html` <span class="badge off">Version ${version}</span>`}</h1>
<div class="docs-intro">${description !== undefined && prose(description)}<p>The same for programs: <a href="${documentUrl}">the OpenAPI document</a>. Tokens are made on <a href="/account">your account page</a>.</p>
${errors(api)}</div>
${groups.map(
  ({
    name,
    description,
    endpoints,
  }) => html`<section aria-labelledby="${anchorOf(name)}"><h2 id="${anchorOf(name)}">${name}</h2>
${description !== undefined && html`<div class="soft">${prose(description)}</div>`}
${endpoints.map(endpoint => endpointSection(api, endpoint))}</section>`,
)}
</div></div>`,
  })
}

/** What every failure is answered with, once for all operations. */
function errors(api: OpenApi): Html | false {
  const answers = byTag(api).flatMap(({ endpoints }) => endpoints.flatMap(one => failures(api, one)))
  const schema = answers.map(answer => Object.values(answer.content ?? {})[0]?.schema).find(one => one !== undefined)
  return (
    schema !== undefined &&
    html`<details class="more"><summary>What every error looks like${icon("chevron")}</summary><div class="more-body">${schemaView(api, schema)}</div></details>`
  )
}

const anchorOf = (tag: string) => `tag-${tag.replace(/[^A-Za-z0-9]+/g, "-")}`

const contents = (groups: ReturnType<typeof byTag>): Html => html`<nav class="contents" aria-label="Operations">
${groups.map(
  ({ name, endpoints }) => html`<a class="contents-tag" href="#${anchorOf(name)}">${name}</a>
<ul role="list">${endpoints.map(({ anchor, method, operation, path }) => html`<li><a href="#${anchor}"><span class="method small ${method}">${method.toUpperCase()}</span> ${operation.summary ?? path}</a></li>\n`)}</ul>`,
)}</nav>`
