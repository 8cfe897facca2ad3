/// <reference lib="dom" />
import { agentsMark, waits } from "../agents-mark.ts"
import { renew } from "./fragment.ts"

/**
 * Keeps what a page shows of coding agents true, says in its title how many wait, and tells of one that begins to wait
 * while nobody looks, where that was allowed by a click.
 */

/** While the page is seen, and else: browsers ask rarely then anyway. */
const [SEEN, HIDDEN] = [4_000, 20_000]

interface Told {
  id: string | null
  workspace: string
  tool: string
  title: string
  last: string
  state: string
  prompted: boolean
}

const TOOLS: Record<string, string> = { claude: "Claude Code", codex: "Codex", gemini: "Gemini CLI" }
/** What is shown anew: the list of one workspace, or all cards. */
const place = () => document.querySelector<HTMLElement>("[data-agents]")
const only = () => document.getElementById("workspaces")?.dataset.only
const nameOf = (workspace: string) =>
  document.querySelector<HTMLElement>(`[data-workspace="${CSS.escape(workspace)}"]`)?.dataset.name ?? workspace

let working: Set<string> | null = null
let asking = false

async function look(): Promise<void> {
  if (asking || place() === null) return
  asking = true
  try {
    const response = await fetch("/api/v1/conversations", { headers: { accept: "application/json" } })
    if (response.status === 401) return location.reload()
    if (!response.ok) return
    const all = ((await response.json()) as { conversations: Told[] }).conversations
    const own = all.filter(({ workspace }) => only() === undefined || workspace === only())
    tell(own)
    const shown = place()
    if (shown?.id && shown.dataset.agents !== agentsMark(own)) await renew(shown.id)
    count(own.filter(waits).length)
  } catch {
    // The net is away; the next look tries again.
  } finally {
    asking = false
  }
}

function count(waiting: number): void {
  const plain = document.title.replace(/^\(\d+\) /, "")
  const title = waiting > 0 ? `(${waiting}) ${plain}` : plain
  if (document.title !== title) document.title = title
}

const keyOf = ({ workspace, id }: Told) => `${workspace} ${id}`

/** Of those that were at work when they were last looked at. */
function tell(all: Told[]): void {
  const begun = all.filter(one => waits(one) && working?.has(keyOf(one)))
  working = new Set(all.filter(({ state }) => state === "working").map(keyOf))
  if (!document.hidden || !isAllowed()) return
  for (const one of begun) {
    const name = TOOLS[one.tool] ?? one.tool
    const words = one.state === "asks" ? "asks you something" : "waits for you"
    const notice = new Notification(`${name} in ${nameOf(one.workspace)} ${words}`, {
      ...{ body: one.title, tag: keyOf(one) },
    })
    notice.addEventListener("click", () => {
      window.focus()
      location.assign(`/workspaces/${encodeURIComponent(one.workspace)}#agents`)
    })
  }
}

const isAllowed = () => "Notification" in window && Notification.permission === "granted"

/** Browsers ask their person only after a click. */
function offer(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-notify]")
  if (button === null || !("Notification" in window)) return
  button.hidden = Notification.permission !== "default"
  button.onclick = async () => {
    await Notification.requestPermission()
    offer()
  }
}

let lookedAt = 0
function soon(): void {
  if (Date.now() - lookedAt < (document.hidden ? HIDDEN : SEEN)) return
  lookedAt = Date.now()
  offer()
  void look()
}
setInterval(soon, 1_000)
document.addEventListener("visibilitychange", soon)
soon()
