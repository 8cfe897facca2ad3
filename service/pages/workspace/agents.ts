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

/** What a conversation is called. */
export const titleOf = ({ title, tool }: Conversation) => title || `New conversation with ${TOOL_NAMES[tool]}`

/** Its state in words. */
export function agentBadge({ state }: Conversation): Html {
  const { label, tone } = STATE_WORDS[state]
  return html`<span class="badge ${tone}">${label}</span>`
}

/** The id of its row on the workspace's page; null: it has none yet. */
export const anchorOf = ({ tool, id }: Conversation) => (id === null ? null : `agent-${tool}-${id}`)

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
  const name = nameOf(one)
  const title = titleOf(one)
  return html`<li ${attributes({ id: anchorOf(one) })}><div class="row-main"><strong>${title}</strong> ${agentBadge(one)}
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
