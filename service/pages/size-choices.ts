import type { SizeClass } from "../workspaces/workspace.ts"
import { fieldError, groupError } from "./controls.ts"
import { attributes, type Html, html } from "./html.ts"
import type { CreateOptions, SizeFacts } from "./models.ts"
import { money } from "./words.ts"

type Size = CreateOptions["sizes"][number]

const CLASS_LABELS: Record<SizeClass, string> = { small: "Small", medium: "Medium", large: "Large" }
export const classLabel = (size: SizeClass) => CLASS_LABELS[size]

interface Sizes {
  options: CreateOptions
  /** The region prices are first shown for. */
  region: string | undefined
  chosen: string | undefined
  error: string | undefined
}

/**
 * The sizes with their prices. Client code changes prices and what can be had with the region, from `data-prices`.
 * Without it, only what no region has is ruled out here; the service checks the rest.
 */
export function sizeChoices({ options, region, chosen, error }: Sizes): Html {
  const here = (size: Size) => (region === undefined ? undefined : size.prices[region])
  const first =
    options.sizes.find(size => size.class === chosen && here(size)?.available) ??
    options.sizes.find(size => here(size)?.available)
  return html`<fieldset ${groupError("sizeClass", error)}><legend>Size</legend>
<div class="choices three">${options.sizes.map(size => choice(size, { price: here(size), facts: factsIn(size, region), checked: size === first }))}</div>
${fieldError("sizeClass", error)}</fieldset>`
}

interface Choice {
  price: Size["prices"][string] | undefined
  facts: SizeFacts
  checked: boolean
}

function choice(size: Size, { price, facts, checked }: Choice): Html {
  const nowhere = !Object.values(size.prices).some(one => one.available)
  return html`<label class="choice size" data-prices="${JSON.stringify(priceWords(size))}">
<input ${attributes({ type: "radio", name: "sizeClass", value: size.class, required: true, checked, disabled: nowhere })}>
<span class="choice-body"><strong>${classLabel(size.class)}</strong>
<span class="soft" data-facts>${factsWords(facts)}</span>
<span class="size-price" data-price>${price === undefined ? "—" : perMonth(price)}</span>
<span class="small soft"><span data-hourly>${price === undefined ? "" : perHour(price)}</span> · <code data-type>${facts.type}</code></span>
<span ${attributes({ class: "reason", "data-reason": true, hidden: price?.available === true })}>${reasonOf(price)}</span></span></label>`
}

/** What a class is in a region. */
export const factsIn = (size: Size, region: string | undefined): SizeFacts => size.elsewhere?.[region ?? ""] ?? size
const factsWords = ({ cores, memoryGb, diskGb }: SizeFacts) =>
  `${cores} vCPU · ${memoryGb} GB memory · ${diskGb} GB disk`

const perMonth = ({ monthly, currency }: Size["prices"][string]) => `${money(monthly, currency)} a month`
const perHour = ({ hourly, currency }: Size["prices"][string]) => `${money(hourly, currency)} an hour`
const reasonOf = (price: Size["prices"][string] | undefined) =>
  price === undefined
    ? "Not offered in this region"
    : price.available
      ? ""
      : (price.reason ?? "Sold out in this region")

const inWords = (facts: SizeFacts) => ({ facts: factsWords(facts), type: facts.type })

/** By region: what client code shows for it. */
const priceWords = (size: Size) =>
  Object.fromEntries(
    Object.entries(size.prices).map(([region, price]) => [
      region,
      {
        monthly: perMonth(price),
        hourly: perHour(price),
        available: price.available,
        reason: reasonOf(price),
        ...inWords(factsIn(size, region)),
      },
    ]),
  )
