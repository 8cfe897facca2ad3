import type { Workspace } from "../../workspaces/workspace.ts"
import { postForm } from "../controls.ts"
import { attributes, type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import type { Money } from "../models.ts"
import { classLabel } from "../size-choices.ts"
import { money } from "../words.ts"
import type { PlaceOffer, RegionOffer, SizeOffer, WorkspaceModel } from "./model.ts"

const AWAY = html`<p class="soft">The provider does not answer at the moment: load the page again in a minute.</p>`

/** Other sizes, each with its price and a button, or with what is in the way. */
export function sizeSection({ sizes, view: { workspace }, csrf }: WorkspaceModel): Html {
  return html`<section class="card section" aria-labelledby="size"><h2 id="size">Size</h2>
<p class="soft">${restarts(workspace, "Its disk stays as it is, so a size with a smaller disk is none for it.")}</p>
${
  sizes === null
    ? AWAY
    : html`<ul class="rows" role="list">${sizes.map(one =>
        row(
          html`<strong>${classLabel(one.sizeClass)}</strong> <span class="soft">${one.cores} vCPU · ${one.memoryGb} GB memory · ${one.diskGb} GB disk · <code>${one.type}</code></span>`,
          one,
          postForm({
            action: `/workspaces/${encodeURIComponent(workspace.id)}/resize`,
            csrf,
            hidden: { sizeClass: one.sizeClass },
            content: button(one, `Take ${classLabel(one.sizeClass).toLowerCase()}`),
          }),
        ),
      )}</ul>`
}</section>`
}

/** Other regions likewise. */
export function regionSection({ regions, view: { workspace }, csrf }: WorkspaceModel): Html {
  return html`<section class="card section" aria-labelledby="region"><h2 id="region">Region</h2>
<p class="soft">${restarts(workspace, "It moves with its disk by way of a snapshot, which takes some minutes. Its name stays, its IP address changes.")}</p>
${
  regions === null
    ? AWAY
    : html`<ul class="rows" role="list">${regions.map(one =>
        row(
          html`<strong>${one.label}</strong>`,
          one,
          postForm({
            action: `/workspaces/${encodeURIComponent(workspace.id)}/move`,
            csrf,
            hidden: { region: one.region },
            content: button(one, html`Move<span class="visually-hidden"> to ${one.label}</span>`),
          }),
        ),
      )}</ul>`
}</section>`
}

const restarts = ({ state }: Workspace, rest: string) =>
  state === "STOPPED"
    ? `It is started for it. ${rest}`
    : `It is shut down for it and started again: programs end. ${rest}`

type Offer = Pick<SizeOffer | RegionOffer, "price" | "isCurrent" | "reason">

const row = (what: Html, { price, isCurrent, reason }: Offer, form: Html): Html =>
  html`<li><div class="row-main">${what}${isCurrent && html` <span class="badge good">Now</span>`}
<p class="small soft">${priceWords(price)}</p>${!isCurrent && reason !== null && html`<p class="reason">${reason}</p>`}</div>${!isCurrent && form}</li>\n`

const button = ({ reason }: Offer, label: Html | string) =>
  html`<button ${attributes({ class: "button small", disabled: reason !== null })}>${label}</button>`

const priceWords = (price: Money | null) =>
  price === null ? "Price not known" : `${money(price.amount, price.currency)} a month, before tax`

interface Was {
  workspace: Pick<Workspace, "id" | "region" | "sizeClass">
  csrf: string
}

/** One click for each place a workspace can be started in that is sold out where it was; what is far off is folded away. */
export function placeButtons(places: PlaceOffer[], was: Was): Html {
  if (places.length === 0) return html`<p><strong>Nothing else fits at the moment:</strong> try again later.</p>`
  const { region, sizeClass } = was.workspace
  const near = places.filter(one => one.region === region || one.sizeClass === sizeClass)
  const far = places.filter(one => !near.includes(one))
  return html`${near.length > 0 && placeRows(near, was)}${
    far.length > 0 &&
    html`<details class="more" id="far"><summary>Other sizes in other regions${icon("chevron")}</summary><div class="more-body">${placeRows(far, was)}</div></details>`
  }`
}

const placeRows = (places: PlaceOffer[], { workspace, csrf }: Was): Html =>
  html`<ul class="rows" role="list">${places.map(
    one => html`<li><div class="row-main"><strong>${placeWords(one, workspace)}</strong>
<p class="small soft">${priceWords(one.price)}</p></div>
${postForm({
  action: `/workspaces/${encodeURIComponent(workspace.id)}/start`,
  csrf,
  hidden: { sizeClass: one.sizeClass, region: one.region },
  content: html`<button class="button small">${icon("play")}Start<span class="visually-hidden"> as ${placeWords(one, workspace)}</span></button>`,
})}</li>\n`,
  )}</ul>`

function placeWords(one: PlaceOffer, was: Pick<Workspace, "region" | "sizeClass">): string {
  if (one.region === was.region) return `${classLabel(one.sizeClass)}, in the same region`
  if (one.sizeClass === was.sizeClass) return `The same size, in ${one.regionLabel}`
  return `${classLabel(one.sizeClass)}, in ${one.regionLabel}`
}
