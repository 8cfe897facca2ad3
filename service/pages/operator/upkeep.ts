import type { DrainOrder, WorkerState } from "../../operations/drain.ts"
import type { RollOutPlan, RollOutSettings } from "../../roll-outs/plan.ts"
import type { RollOut } from "../../roll-outs/roll-outs.ts"
import type { SweepReport } from "../../sweeps/sweep.ts"
import type { WarmShown } from "../../warm/warm.ts"
import type { GoldenImage } from "../../workspaces/images.ts"
import { postForm } from "../controls.ts"
import { attributes, type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import { timeAgo } from "../time.ts"
import { type OperatorShell, operatorPage, wideTable } from "./shell.ts"
import { sparesSection } from "./spares.ts"

export interface UpkeepModel extends OperatorShell {
  rollOut: RollOut | null
  /** What one with these settings would do now; null: nobody has asked. */
  foreseen?: ({ settings: RollOutSettings } & RollOutPlan) | null
  /** Null: the provider does not answer. */
  images: GoldenImage[] | null
  /** What providers are called that do not answer: their images are missing. */
  away?: string[]
  /** The newest sweep, or a look at what one would do. */
  sweep: SweepReport | null
  isDry: boolean
  spares: WarmShown[]
  orders: DrainOrder[]
  workers: WorkerState[]
}

/** What is done with the whole: newer images, the sweep, draining. */
export function upkeepPage(model: UpkeepModel): string {
  const { now = Date.now() } = model
  return operatorPage(model, {
    tab: "upkeep",
    title: "Upkeep",
    live: html`${rollOut(model, now)}${images(model, now)}${sparesSection(model.spares, now)}${sweep(model, now)}${drain(model, now)}`,
  })
}

const some = (count: number) => `${count} workspace${count === 1 ? "" : "s"}`

/** Nothing begins before it has been seen how far it reaches. */
function beginning({ foreseen, csrf }: UpkeepModel): Html {
  const { wave, stopAt, inUse } = foreseen?.settings ?? { wave: 10, stopAt: 20, inUse: false }
  const asking = html`<form method="get" action="/operator/upkeep" class="inline-form"><input type="hidden" name="rollOut" value="look">
<div class="field"><label for="wave">Part of a wave, %</label><input id="wave" name="wave" type="number" min="1" max="100" value="${wave}" required></div>
<div class="field"><label for="stop-at">Stop when more failed, %</label><input id="stop-at" name="stopAt" type="number" min="0" max="100" value="${stopAt}" required></div>
<label class="check"><input ${attributes({ type: "checkbox", name: "inUse", value: "true", checked: inUse })}> Also what is in use</label><button class="button">Look what it would do</button></form>`
  if (!foreseen) return asking
  const { total, first, waiting, left } = foreseen
  return html`${asking}
<p role="status">It would bring ${some(total)} to the newest image, ${first.length === 0 ? "none of them at once" : `${some(first.length)} in the first wave`}${waiting > 0 && `; it waits for ${waiting}, in use or in the middle of something`}${left > 0 && `; it leaves ${left} alone, asleep or failed`}. Each is restarted on a new machine.</p>
${postForm({
  ...{ action: "/operator/roll-out", csrf },
  hidden: { wave: String(wave), stopAt: String(stopAt), ...(inUse && { inUse: "true" }) },
  content: html`<div class="actions"><button class="button danger">Begin it</button><a class="button quiet" href="/operator/upkeep">Not now</a></div>`,
})}`
}

function rollOut(model: UpkeepModel, now: number): Html {
  const { rollOut, csrf } = model
  const runs = rollOut?.state === "running"
  return html`<section class="card section" aria-labelledby="roll-out"><h2 id="roll-out">Roll-out of newer images</h2>
${
  rollOut === null
    ? html`<p class="soft">There was none yet.</p>`
    : html`<p><span class="badge ${runs ? "busy" : rollOut.state === "done" ? "good" : "rest"}">${rollOut.state}</span> ${rollOut.why}
<span class="soft">Begun ${timeAgo(rollOut.begunAt, now)} by ${rollOut.by}: ${rollOut.total} outdated, in waves of ${rollOut.settings.wave} %.</span></p>
${
  rollOut.waves.length > 0 &&
  wideTable(
    "Waves",
    ["Wave", "Begun", "Workspaces", "Under way", "Done", "Failed", "Skipped"],
    rollOut.waves.map((one, at) => ({
      cells: [
        ...[String(at + 1), timeAgo(one.begunAt, now), String(one.workspaces), String(one.running)],
        ...[String(one.succeeded), String(one.failed), String(one.skipped)],
      ],
    })),
  )
}`
}
${
  runs
    ? postForm({
        action: "/operator/roll-out/stop",
        csrf,
        content: html`<button class="button danger">Begin no new wave</button>`,
      })
    : beginning(model)
}</section>`
}

const without = (away: readonly string[]): Html | false =>
  away.length > 0 &&
  html`<p class="notice info" role="status">${icon("info")}<span>${away.join(", ")} ${away.length === 1 ? "does" : "do"} not answer at the moment: what is there is missing here.</span></p>`

function images({ images, away = [], csrf }: UpkeepModel, now: number): Html {
  const act = (id: string, name: "promote" | "demote", label: string) =>
    postForm({
      action: `/operator/images/${id}/${name}`,
      csrf,
      content: html`<button class="button small">${label}<span class="visually-hidden"> image ${id}</span></button>`,
    })
  return html`<section class="card section" aria-labelledby="images"><h2 id="images">Golden images</h2>
${without(away)}${
  images === null
    ? html`<p class="soft">The provider does not answer at the moment.</p>`
    : images.length === 0
      ? html`<p class="soft">${away.length > 0 ? "There is none elsewhere." : "There is none."}</p>`
      : wideTable(
          "Golden images",
          ["Image", "Profile", "Made", "Checked", "Standing", ""],
          images.map(one => ({
            cells: [
              one.id,
              one.profile,
              one.createdAt === 0 ? "unknown" : timeAgo(one.createdAt, now),
              one.ready ? "yes" : "no",
              html`${one.used ? html`<span class="badge good">Used</span>` : (one.standing ?? "–")}${one.used && one.standing !== null && ` ${one.standing}`}`,
              html`<div class="actions">${one.ready && one.standing !== "promoted" && act(one.id, "promote", "Promote")}${one.standing !== "demoted" && act(one.id, "demote", "Demote")}</div>`,
            ],
          })),
        )
}
<p class="small soft">New workspaces and upgrades are made from the image in use; changing it needs no restart.</p></section>`
}

const VERDICTS: Record<SweepReport["resources"][number]["verdict"], string> = {
  removed: "removed",
  "would-go": "would go",
  waits: "waits until it is old enough",
  "too-many": "stays: so much at once needs a look by you",
  foreign: "stays: this service never had its workspace",
}

function sweep({ sweep, isDry, csrf }: UpkeepModel, now: number): Html {
  return html`<section class="card section" aria-labelledby="sweep"><h2 id="sweep">Sweep</h2>
<p class="soft">${
    sweep === null
      ? "There was no sweep yet."
      : html`${isDry ? "A sweep now" : html`The newest sweep, ${timeAgo(sweep.at, now)},`} sees ${sweep.held} resources, ${sweep.resources.length} of them without a workspace.`
  }</p>
${sweep !== null && without(sweep.away ?? [])}${
  sweep !== null &&
  sweep.resources.length > 0 &&
  wideTable(
    "Resources without a workspace",
    ["Workspace", "Type", "Id", "What becomes of it"],
    sweep.resources.map(one => ({
      cells: [one.workspace, one.type.split(":").at(-1) ?? one.type, one.id, VERDICTS[one.verdict]],
    })),
  )
}
<div class="actions"><a class="button" href="/operator/upkeep?sweep=dry#sweep">Look what would go</a>
${isDry && postForm({ action: "/operator/sweep", csrf, content: html`<button class="button danger">Sweep now</button>` })}</div></section>`
}

function drain({ orders, workers, csrf }: UpkeepModel, now: number): Html {
  const button = (action: string, target: string, label: string, about: string) =>
    postForm({
      ...{ action, csrf, hidden: { target } },
      content: html`<button class="button small">${label}<span class="visually-hidden"> ${about}</span></button>`,
    })
  return html`<section class="card section" aria-labelledby="drain"><h2 id="drain">Workers</h2>
${
  orders.length > 0 &&
  html`<ul class="rows" role="list">${orders.map(
    one => html`<li><div class="row-main"><strong>${one.target}</strong> takes no new operations<p class="small soft">${one.by}, ${timeAgo(one.at, now)}${one.why !== "" && `: ${one.why}`}</p></div>
${button("/operator/undrain", one.target, "End that", one.target)}</li>\n`,
  )}</ul>`
}
${
  workers.length === 0
    ? html`<p class="soft">No worker is heard of: operations wait.</p>`
    : wideTable(
        "Workers",
        ["Worker", "Since", "Under way", "State", ""],
        workers.map(one => ({
          cells: [
            html`<code>${one.id}</code>`,
            timeAgo(one.since, now),
            String(one.active),
            one.draining
              ? html`<span class="badge rest">Drains</span>`
              : html`<span class="badge good">Takes operations</span>`,
            !one.draining && button("/operator/drain", `worker:${one.id}`, "Drain", one.id),
          ],
        })),
      )
}
${!orders.some(one => one.target === "all") && html`<div class="actions">${postForm({ action: "/operator/drain", csrf, hidden: { target: "all" }, content: html`<button class="button">Drain all</button>` })}</div>`}
<p class="small soft">What is under way ends, what is asked for waits; pages and API answer on.</p></section>`
}
