import { admits } from "../../workspaces/transitions.ts"
import type { StopMode } from "../../workspaces/workspace.ts"
import { postForm } from "../controls.ts"
import { type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { money, roughly } from "../words.ts"
import type { StopChoice, WorkspaceModel } from "./model.ts"
import { placeButtons } from "./places.ts"

const MODES: Record<StopMode, { label: string; button: string; text: string }> = {
  "power-off": {
    label: "Switch it off",
    button: "Switch off",
    text: "The machine stays yours and waits. It is back fast, and the provider bills it as if it were on.",
  },
  hibernate: {
    label: "Put it to sleep",
    button: "Put to sleep",
    text: "Its disk is kept as a snapshot and the machine is given back, so almost nothing is billed. Name and address stay. Waking makes it again; should its size be sold out then, you choose another one.",
  },
}

/** How it is stopped or started, with what each way costs; false while something goes on. */
export function powerSection(model: WorkspaceModel): Html | false {
  const { workspace } = model.view
  if (admits(workspace.state)) return stopSection(model, model.stop)
  if (workspace.state !== "STOPPED") return false
  return workspace.snapshot === null ? offSection(model) : asleepSection(model)
}

/** Truly what becomes of programs: only some providers can keep a machine's memory. */
const stopSection = (model: WorkspaceModel, choices: StopChoice[]): Html =>
  html`<section class="card section" aria-labelledby="stop"><h2 id="stop">Stop it</h2>
<p class="soft">${model.view.workspace.keepsMemory ? "Files are kept. Programs end when it is switched off; put to sleep, they go on when it wakes." : "Files are kept, programs end."} Open desktops are closed.</p>
${ways(model, choices)}</section>`

function offSection(model: WorkspaceModel): Html {
  const [off, asleep] = [model.stop.find(isOff), model.stop.filter(one => !isOff(one))]
  return html`<section class="card section" aria-labelledby="start"><h2 id="start">It is switched off</h2>
<p>${off !== undefined && html`It costs ${cost(off)} ${waking(off)}`}</p>
${startButton(model)}
${asleep.length > 0 && html`<h3>Cheaper while you do not need it</h3>${ways(model, asleep)}`}</section>`
}

function asleepSection(model: WorkspaceModel): Html {
  const { stop, soldOut, view, csrf } = model
  const asleep = stop.find(one => !isOff(one))
  const programs =
    view.workspace.memory &&
    html`<p>Its programs go on where they were when you start it as it was; in another size it boots.</p>`
  const words = html`<p>${asleep !== undefined && html`It costs ${cost(asleep)} ${waking(asleep)}`}</p>${programs}`
  if (soldOut === null) {
    return html`<section class="card section" aria-labelledby="start"><h2 id="start">It is asleep</h2>${words}${startButton(model)}</section>`
  }
  return html`<section class="card section" aria-labelledby="start"><h2 id="start">It is asleep, and sold out where it was</h2>
<p>The provider has no machine of its size in ${view.regionLabel ?? view.workspace.region} at the moment. Nothing is lost: start it with another size, in another region, or later.</p>
${placeButtons(soldOut, { workspace: view.workspace, csrf })}
<div class="actions">${startForm(model, html`<button class="button quiet">${icon("retry")}Try as it was</button>`)}</div>
${words}</section>`
}

const isOff = ({ mode }: StopChoice) => mode === "power-off"

const startForm = ({ view: { workspace }, csrf }: WorkspaceModel, content: Html) =>
  postForm({ action: `/workspaces/${encodeURIComponent(workspace.id)}/start`, csrf, content })

const startButton = (model: WorkspaceModel) =>
  html`<div class="actions">${startForm(model, html`<button class="button primary">${icon("play")}Start</button>`)}</div>`

const ways = ({ view: { workspace }, csrf }: WorkspaceModel, choices: StopChoice[]): Html =>
  html`<div class="ways">${choices.map(
    choice => html`<div class="way"><h3>${MODES[choice.mode].label}</h3>
<p class="soft">${MODES[choice.mode].text}</p>
<p>It costs ${cost(choice)} ${waking(choice)}</p>
${postForm({
  action: `/workspaces/${encodeURIComponent(workspace.id)}/stop`,
  csrf,
  hidden: { mode: choice.mode },
  content: html`<button class="button">${icon("stop")}${MODES[choice.mode].button}</button>`,
})}</div>\n`,
  )}</div>`

function cost({ perDay, atMost }: StopChoice): Html {
  if (perDay === null) return html`an amount that is not known at the moment.`
  return html`<strong>${atMost && "at most "}${money(perDay.amount, perDay.currency)} a day</strong>, before tax.`
}

function waking({ wokeIn, usual }: StopChoice): Html {
  if (wokeIn !== null) return html`Waking took ${roughly(wokeIn)} the last time.`
  return usual === null
    ? html`It has not been woken from that yet.`
    : html`Waking usually takes about ${roughly(usual)}; this one has not been yet.`
}
