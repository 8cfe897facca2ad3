import type { Conversation } from "../conversations/follow.ts"
import { type ConversationState, TOOL_NAMES } from "../conversations/report.ts"
import { waits } from "./agents-mark.ts"
import { type Html, html } from "./html.ts"
import type { AgentsView } from "./models.ts"
import { timeAgo } from "./time.ts"
import { agentBadge, anchorOf, titleOf } from "./workspace/agents.ts"

/** So many conversations stand on a card; all of them on the workspace's page. */
const MOST_SHOWN = 3
/** Characters of a title and of a last line that stand on a card. */
const [MOST_TITLE, MOST_LAST] = [90, 160]

/** Coding agents on a card: how many do what, and the newest conversations, those that wait first; nothing where there are none. */
export function agentsPart({ conversations }: AgentsView, workspace: string, now: number): Html | false {
  if (conversations.length === 0) return false
  const first = conversations.toSorted((a, b) => Number(waits(b)) - Number(waits(a)) || b.at - a.at)
  const more = conversations.length - MOST_SHOWN
  return html`<section class="card-agents" aria-label="Agents">${agentsLine(conversations, workspace)}
<ul role="list">${first.slice(0, MOST_SHOWN).map(one => row(one, workspace, now))}</ul>
${more > 0 && html`<p class="small"><a href="/workspaces/${workspace}#agents">${more} more</a></p>`}</section>`
}

function agentsLine(conversations: AgentsView["conversations"], workspace: string): Html {
  const count = (state: ConversationState) => conversations.filter(one => one.state === state).length
  const [working, waiting, asks] = [count("working"), count("waiting"), count("asks")]
  const parts = [
    asks > 0 && `${asks} ${asks === 1 ? "asks" : "ask"} you something`,
    waiting > 0 && `${waiting} ${waiting === 1 ? "waits" : "wait"} for you`,
    working > 0 && `${working} at work`,
  ].filter(part => part !== false)
  return html`<p class="small"><a href="/workspaces/${workspace}#agents">Agents</a>: ${parts.length === 0 ? "none is open" : parts.join(", ")}</p>`
}

const row = (one: Conversation, workspace: string, now: number): Html =>
  html`<li><p class="small soft">${agentBadge(one)} ${TOOL_NAMES[one.tool]} · ${timeAgo(one.at, now)}</p>
<p><a href="/workspaces/${workspace}#${anchorOf(one) ?? "agents"}">${cut(titleOf(one), MOST_TITLE)}</a></p>
${one.last !== "" && html`<p class="said">${cut(one.last, MOST_LAST)}</p>`}</li>\n`

/** A text's beginning. No character is cut in two. */
function cut(text: string, most: number): string {
  const letters = [...text]
  return letters.length > most ? `${letters.slice(0, most).join("").trimEnd()}…` : text
}
