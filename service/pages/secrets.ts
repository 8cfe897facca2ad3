import { postForm } from "./controls.ts"
import { attributes, type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import type { SecretView } from "./models.ts"
import { timeAgo } from "./time.ts"

interface SecretsPart {
  secrets: SecretView[]
  /** Path that the form is sent to; a secret is removed below it. */
  action: string
  csrf: string
  now: number
  /** Those of the user's that have the same name: what stands here comes before them. */
  over?: ReadonlySet<string>
}

/** Secrets by name, and the form for one more, or another value. Values are in no page. */
export const secretsPart = ({ secrets, action, csrf, now, over }: SecretsPart): Html => html`${
  secrets.length > 0 &&
  html`<ul class="rows" role="list">${secrets.map(
    ({
      name,
      updatedAt,
    }) => html`<li><div class="row-main"><code>${name}</code><p class="small soft">Set ${timeAgo(updatedAt, now)}${
      over?.has(name) === true && " · in the place of your account’s"
    }</p></div>
${postForm({ action: `${action}/${encodeURIComponent(name)}/delete`, csrf, content: html`<button class="button small quiet danger">Remove<span class="visually-hidden"> ${name}</span></button>` })}</li>\n`,
  )}</ul>`
}
${postForm({ action, csrf, class: "inline-form", content: fields })}`

const fields = html`<div class="field"><label for="secret-name">Name</label><input ${attributes({
  ...{ id: "secret-name", name: "name", required: true, list: "secret-names", pattern: "[A-Za-z_][A-Za-z0-9_]*" },
  ...{ title: "Letters, digits and _, not beginning with a digit", placeholder: "ANTHROPIC_API_KEY" },
  ...{ autocomplete: "off", autocapitalize: "characters", spellcheck: "false" },
})}>
<datalist id="secret-names"><option value="ANTHROPIC_API_KEY"></option><option value="OPENAI_API_KEY"></option><option value="GEMINI_API_KEY"></option></datalist></div>
<div class="field grow"><label for="secret-value">Value</label><textarea ${attributes({
  ...{ id: "secret-value", name: "value", required: true, rows: 1, class: "secret-value" },
  ...{ autocomplete: "off", autocapitalize: "off", spellcheck: "false" },
})}></textarea></div>
<button class="button">${icon("plus")}Save</button>`
