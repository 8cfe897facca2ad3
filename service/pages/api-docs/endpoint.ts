import { type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { curlExample } from "./example.ts"
import { type Answer, type Body, type Endpoint, type OpenApi, type Parameter, resolve } from "./open-api.ts"
import { prose } from "./prose.ts"
import { schemaView, typeWords } from "./schema.ts"

/** One operation: what it does, takes and answers, and how it is called. */
export function endpointSection(api: OpenApi, endpoint: Endpoint): Html {
  const { anchor, method, path, operation, parameters } = endpoint
  const { summary, description, requestBody, responses = {}, deprecated } = operation
  return html`<section class="card section endpoint" id="${anchor}" aria-labelledby="${anchor}-title">
<h3 id="${anchor}-title">${summary ?? anchor}${deprecated && html` <span class="badge off">Deprecated</span>`}</h3>
<p class="address"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
${description !== undefined && html`<div class="soft">${prose(description)}</div>`}
${parameters.length > 0 && html`<div><h4>Parameters</h4><ul class="props" role="list">${parameters.map(one => parameter(api, one))}</ul></div>`}
${requestBody !== undefined && body(api, resolve<Body>(api, requestBody))}
<div><h4>Answers</h4>${Object.entries(responses).map(([status, answer]) => response(api, status, resolve<Answer>(api, answer)))}</div>
<div><h4>Example</h4><div class="example"><pre tabindex="0" id="${anchor}-curl"><code>${curlExample(api, endpoint)}</code></pre><button class="button small" type="button" data-copy="${anchor}-curl" hidden>Copy</button></div></div>
</section>`
}

function parameter(api: OpenApi, { name, in: place, required, schema, description }: Parameter): Html {
  return html`<li><code class="prop-name">${name}</code> <span class="soft small">${typeWords(api, schema ?? {})}, in the ${place}${required && ", required"}</span>${
    description !== undefined && html`<div class="small">${prose(description)}</div>`
  }</li>\n`
}

function body(api: OpenApi, { content = {}, description }: Body): Html {
  return html`<div><h4>Request body</h4>${description !== undefined && prose(description)}${Object.entries(content).map(
    ([type, { schema }]) =>
      html`<p class="small soft"><code>${type}</code></p>${schema !== undefined && schemaView(api, schema)}`,
  )}</div>`
}

/** Failures all have one form, which the page shows once. */
const isFailure = (status: string) => /^[45]/.test(status)

/** An operation's answers that say what went wrong. */
export const failures = (api: OpenApi, { operation }: Endpoint): Answer[] =>
  Object.entries(operation.responses ?? {})
    .filter(([status]) => isFailure(status))
    .map(([, answer]) => resolve<Answer>(api, answer))

function response(api: OpenApi, status: string, { content = {}, description }: Answer): Html {
  const types = isFailure(status) ? [] : Object.entries(content)
  const words = html`<code class="status s${status[0] ?? ""}">${status}</code> ${description}`
  if (types.length === 0) return html`<p class="answer">${words}</p>`
  return html`<details class="answer"><summary>${words}${icon("chevron")}</summary>${types.map(
    ([type, { schema }]) =>
      html`<p class="small soft"><code>${type}</code>${schema !== undefined && ` · ${typeWords(api, schema)}`}</p>${schema !== undefined && schemaView(api, schema)}`,
  )}</details>`
}
