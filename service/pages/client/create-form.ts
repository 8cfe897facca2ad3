/// <reference lib="dom" />

/** The form for a new workspace: prices and what can be had change with the region. */

type Prices = Record<
  string,
  { monthly: string; hourly: string; available: boolean; reason: string; facts: string; type: string }
>

const checked = (name: string) => document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)
const sizes = [...document.querySelectorAll<HTMLElement>("[data-prices]")].map(label => ({
  label,
  input: label.querySelector("input") as HTMLInputElement,
  prices: JSON.parse(label.dataset.prices ?? "{}") as Prices,
}))

function put(parent: HTMLElement, selector: string, text: string): HTMLElement | null {
  const element = parent.querySelector<HTMLElement>(selector)
  if (element !== null) element.textContent = text
  return element
}

function show(): void {
  const region = checked("region")
  for (const { label, input, prices } of sizes) {
    const price = prices[region?.value ?? ""]
    put(label, "[data-price]", price?.monthly ?? "—")
    put(label, "[data-hourly]", price?.hourly ?? "")
    // Where the class is not offered, it stays what it was.
    if (price) {
      put(label, "[data-facts]", price.facts)
      put(label, "[data-type]", price.type)
    }
    const reason = put(label, "[data-reason]", price?.reason ?? "Not offered in this region")
    if (reason !== null) reason.hidden = price?.available === true
    input.disabled = price?.available !== true
    if (input.disabled) input.checked = false
  }
  if (checked("sizeClass") === null) {
    const first = sizes.find(({ input }) => !input.disabled)
    if (first !== undefined) first.input.checked = true
  }
  sum(region)
}

/** What the choice costs, beside the button. */
function sum(region: HTMLInputElement | null): void {
  const size = sizes.find(({ input }) => input.checked)
  const price = size?.prices[region?.value ?? ""]
  const place = document.getElementById("price")
  if (place !== null)
    place.textContent =
      price?.monthly ?? (region ? "Nothing to be had in this region right now" : "Nothing to be had right now")
}

document.addEventListener("change", event => {
  const { name } = event.target as HTMLInputElement
  if (name === "region") show()
  else if (name === "sizeClass") sum(checked("region"))
})
show()

const add = document.querySelector<HTMLButtonElement>("[data-add-row]")
if (add !== null) {
  add.hidden = false
  add.addEventListener("click", () => {
    const rows = document.querySelectorAll<HTMLElement>("[data-row]")
    const row = rows[rows.length - 1]?.cloneNode(true) as HTMLElement
    for (const input of row.querySelectorAll("input")) {
      input.value = ""
      input.setAttribute("aria-label", input.getAttribute("aria-label")?.replace(/\d+/, `${rows.length + 1}`) ?? "")
    }
    add.before(row)
    row.querySelector("input")?.focus()
  })
}
