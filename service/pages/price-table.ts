import { type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import type { CreateOptions } from "./models.ts"
import { classLabel } from "./size-choices.ts"
import { money } from "./words.ts"

/** Every price in every region: to compare by, and what there is to go by without scripts. */
export function priceTable({ sizes, regions }: CreateOptions): Html {
  return html`<details class="more"><summary>Prices in every region${icon("chevron")}</summary>
<div class="more-body table-scroll" tabindex="0" role="region" aria-label="Prices in every region"><table>
<thead><tr><th scope="col">Region</th>${sizes.map(size => html`<th scope="col">${classLabel(size.class)}</th>`)}</tr></thead>
<tbody>${regions.map(
    ({ id, label }) =>
      html`<tr><th scope="row">${label}</th>${sizes.map(size => html`<td>${cell(size.prices[id])}</td>`)}</tr>\n`,
  )}</tbody></table>
<p class="small soft">A month, before tax.</p></div></details>`
}

function cell(price: CreateOptions["sizes"][number]["prices"][string] | undefined): Html {
  if (price === undefined) return html`<span class="soft">not offered</span>`
  const amount = money(price.monthly, price.currency)
  return price.available
    ? html`${amount}`
    : html`${amount} <span class="soft">${price.reason === undefined ? "sold out" : "too small"}</span>`
}
