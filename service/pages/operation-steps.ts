import type { Kind } from "../workspaces/transitions.ts"
import { attributes, type Html, html } from "./html.ts"
import { icon } from "./icons.ts"
import { stepLabel } from "./operation-words.ts"
import { MARK_WORDS, type StepMark, type Timeline } from "./timeline.ts"
import { duration, exactly } from "./words.ts"

/** The steps with their marks, and the seconds they usually take until they are done; client code changes `data-state`, the hidden words and the time. */
export const stepList = (kind: Kind, timeline: Timeline, usual: Partial<Record<string, number>>): Html =>
  html`<ol class="steps">${Object.entries(timeline.steps).map(([name, mark]) => step(kind, name, mark, usual[name]))}</ol>`

function step(kind: Kind, name: string, mark: StepMark, usual: number | undefined): Html {
  return html`<li ${attributes({ "data-step": name, "data-state": mark.state, "aria-current": mark.state === "begun" && "step" })}>
<span class="step-mark">${icon("check")}${icon("cross")}</span>
<span class="step-label">${stepLabel(kind, name)}</span>
<span class="visually-hidden step-words">${MARK_WORDS[mark.state]}</span>
<span class="step-time soft">${mark.begunAt !== null && mark.endedAt !== null && duration(mark.endedAt - mark.begunAt)}</span>
${usual !== undefined && html`<span class="step-usual soft">usually ${exactly(usual * 1000)}</span>`}
</li>\n`
}
