import type { Conversation } from "../../conversations/follow.ts"
import { type ConversationState, MOST_PROMPT, TOOL_NAMES, TOOLS } from "../../conversations/report.ts"
import { admits } from "../../workspaces/transitions.ts"
import { agentsMark, waits } from "../agents-mark.ts"
import { fieldError, postForm } from "../controls.ts"
import { attributes, type Html, html } from "../html.ts"
import { icon } from "../icons.ts"
import type { AgentsView } from "../models.ts"
import { timeAgo } from "../time.ts"
import type { WorkspaceModel } from "./model.ts"

const STATE_WORDS: Record<ConversationState, { label: string; tone: string }> = {
  working: { label: "At work", tone: "busy" },
  waiting: { label: "Waits for you", tone: "rest" },
  asks: { label: "Asks you", tone: "bad" },
  done: { label: "Closed", tone: "off" },
}

/** As the API names it. */
const nameOf = ({ tool, id }: Pick<Conversation, "tool" | "id">) => (id === null ? null : `${tool}:${id}`)

/** What scripts compare, and how many wait: attributes of the part that is shown anew. */
export const agentsAttributes = (all: readonly AgentsView[]) => {
  const conversations = all.flatMap(one => one.conversations)
  const marked = conversations.map(one => ({ ...one, id: nameOf(one), prompted: one.hasPrompt }))
  return { "data-agents": agentsMark(marked), "data-waiting": conversations.filter(waits).length }
}

/** How many agents do what, for a card; nothing where none is open. */
export function agentsLine({ conversations }: AgentsView, workspace: string): Html | false {
  const count = (state: ConversationState) => conversations.filter(one => one.state === state).length
  const [working, waiting, asks] = [count("working"), count("waiting"), count("asks")]
  if (working + waiting + asks === 0) return false
  const parts = [
    asks > 0 && `${asks} ${asks === 1 ? "asks" : "ask"} you something`,
    waiting > 0 && `${waiting} ${waiting === 1 ? "waits" : "wait"} for you`,
    working > 0 && `${working} at work`,
  ]
  return html`<p class="small agents-line"><a href="/workspaces/${workspace}#agents">Agents</a>: ${parts.filter(Boolean).join(", ")}</p>`
}

/** The conversations with coding agents, and the form for a prompt. */
export function agentsSection(model: WorkspaceModel): Html | false {
  const { view, now = Date.now() } = model
  const { agents } = view
  const { id, state } = view.workspace
  if (agents === null && !admits(state)) return false
  return html`<section class="card section" aria-labelledby="agents"><div class="row-line"><h2 id="agents">Agents</h2><button class="button small quiet" type="button" data-notify hidden>Notify me in this browser</button></div>
<div ${attributes({ id: "agent-list", ...agentsAttributes(agents ? [agents] : []) })}>
${
  agents === null || agents.conversations.length === 0
    ? html`<p class="soft">${agents === null ? "Its machine has not told of any yet." : "Nothing was said to Claude Code, Codex or Gemini CLI here yet."}</p>`
    : html`<ul class="rows agents" role="list">${agents.conversations.map(one => row(one, { id, isOn: admits(state), now }))}</ul>`
}
</div>
${admits(state) && promptForm(model, agents ?? { tools: [...TOOLS], conversations: [] })}
<p class="small soft">Only you see this. It is kept encrypted for a day, shortened and without what looks like a secret; the conversations themselves stay on the machine’s disk and come back with it.</p></section>`
}

function row(one: Conversation, { id, isOn, now }: { id: string; isOn: boolean; now: number }): Html {
  const { label, tone } = STATE_WORDS[one.state]
  const name = nameOf(one)
  const title = one.title || `New conversation with ${TOOL_NAMES[one.tool]}`
  return html`<li><div class="row-main"><strong>${title}</strong> <span class="badge ${tone}">${label}</span>
${one.last !== "" && html`<p class="said">${one.last}</p>`}
<p class="small soft">${TOOL_NAMES[one.tool]} in <code>${one.folder}</code> · ${timeAgo(one.at, now)}${one.hasPrompt && " · has your prompt as soon as it takes one"}</p></div>
<div class="actions">${isOn && name !== null && takesPrompt(one) && html`<a class="button small" href="/workspaces/${id}?to=${name}#prompt">${one.state === "done" ? "Go on" : "Prompt"}<span class="visually-hidden"> ${title}</span></a>`}${
    isOn &&
    one.isInTerminal &&
    html`<a class="button small quiet" href="/connect?workspace=${id}&amp;to=terminal" target="_blank" rel="noopener">Terminal${icon("external")}<span class="visually-hidden"> of ${title} in a new tab</span></a>`
  }</div></li>\n`
}

const takesPrompt = ({ state, isInTerminal }: Conversation) => state === "done" || (state === "waiting" && isInTerminal)

function promptForm(
  { view, csrf, prompt, errors }: WorkspaceModel,
  { tools, conversations }: AgentsView,
): Html | false {
  const open = conversations.filter(one => one.id !== null && takesPrompt(one))
  if (tools.length === 0 && open.length === 0) return false
  const option = (value: string, words: string) =>
    html`<option ${attributes({ value, selected: value === prompt?.to })}>${words}</option>`
  return postForm({
    action: `/workspaces/${encodeURIComponent(view.workspace.id)}/prompts`,
    ...{ csrf, class: "prompt-form" },
    content: html`<div class="field"><label for="prompt-to">For</label><select id="prompt-to" name="to">${tools.map(
      tool => option(tool, `A new conversation with ${TOOL_NAMES[tool]}`),
    )}${open.map(one => option(nameOf(one) ?? "", `${one.title} (${TOOL_NAMES[one.tool]}${one.state === "done" ? ", closed" : ""})`))}</select></div>
<div class="field"><label for="prompt">Prompt</label><textarea ${attributes({
      ...{ id: "prompt", name: "text", required: true, rows: 3, maxlength: MOST_PROMPT },
      ...{ autocomplete: "off", placeholder: "What shall it do?" },
      ...(errors?.prompt === undefined ? {} : { "aria-describedby": "prompt-error", "aria-invalid": "true" }),
    })}>${prompt?.text ?? ""}</textarea>${fieldError("prompt", errors?.prompt)}</div>
<button class="button">${icon("arrow")}Send</button>`,
  })
}
