import { fieldError, groupError } from "./controls.ts"
import { type Html, html } from "./html.ts"
import { icon } from "./icons.ts"

const USUAL = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]

/** Rows of name and value. Values are typed anew after an error: what is secret is never sent back. */
export function secretRows(names: string[] | undefined, error: string | undefined): Html {
  const entered = names?.filter(name => name !== "") ?? []
  const rows = [...(entered.length > 0 ? entered : USUAL), ""]
  return html`<fieldset ${groupError("secrets", error)} data-rows><legend>Keys</legend>
<p class="hint">Put into the machine's environment. They are kept encrypted and never shown again; rows without a value are left out.${
    entered.length > 0 && html` <strong>Enter the values again.</strong>`
  }</p>
${rows.map((name, index) => row(name, index + 1))}
<button class="button small" type="button" data-add-row hidden>${icon("plus")}Another key</button>
${fieldError("secrets", error)}</fieldset>`
}

const row = (name: string, number: number) => html`<div class="secret-row" data-row>
<input name="secretName" value="${name}" aria-label="Name of key ${number}" placeholder="NAME" pattern="[A-Za-z_][A-Za-z0-9_]*" title="Letters, digits and _, not beginning with a digit" autocomplete="off" autocapitalize="characters" spellcheck="false">
<input name="secretValue" type="password" aria-label="Value of key ${number}" placeholder="value" autocomplete="off" spellcheck="false"></div>\n`
