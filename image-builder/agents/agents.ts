/// <reference lib="dom" />
import type { Key, Listed, Word } from "../agent/conversations/protocol.ts"
import { createMenu } from "../files/menu.ts"
import type { State } from "../viewer/connection.ts"
import { element, marked } from "../viewer/dom.ts"
import { readStatus } from "../viewer/machine.ts"
import { createMachineNews } from "../viewer/machine-news.ts"
import { createPageConnection } from "../viewer/page-connection.ts"
import { createStateCard } from "../viewer/state-card.ts"
import { createToasts } from "../viewer/toast.ts"
import { showList } from "./list.ts"
import { type AgentStream, openStream, type Question } from "./stream.ts"
import { createTalk } from "./talk.ts"
import { hintOf, REFUSED, STATES, TOOL_NAMES, takesPrompt, titleOf } from "./words.ts"

/** The address of a conversation that is yet to begin. */
const NEW = "new"

const say = createToasts(element("toasts"))
const talk = createTalk()
const menu = createMenu({})
const [form, text, tool] = [element("form"), element<HTMLTextAreaElement>("text"), element<HTMLSelectElement>("tool")]
const send = element<HTMLButtonElement>("send")
let stream: AgentStream | undefined
let all: Listed[] = []
let isListed = false
let tools = ""
/** Names of those there were when a new conversation was begun: the one that comes is opened. */
let awaited: { known: Set<string>; tool: string } | null = null

const named = () => decodeURIComponent(location.hash.slice(1))
const ref = () => (named() === NEW || named() === "" ? null : named())
const open = () => all.find(one => one.ref === ref())

function hear(word: Exclude<Word, { is: "answer" }>): void {
  if (word.is === "list") {
    all = word.conversations
    isListed = true
    fillTools(word.tools)
    follow()
    show()
  } else if (word.ref !== ref()) return
  else if (word.is === "said") talk.change(word.drop, word.keep, word.more)
  else {
    element("asks").hidden = word.text === null
    element("screen").textContent = word.text ?? ""
    if (word.text !== null) talk.toEnd()
  }
}

/** On to what was just begun, and to the name that a conversation gets when something is said in it. */
function follow(): void {
  const come = all.find(one => awaited !== null && one.tool === awaited.tool && !awaited.known.has(one.ref))
  if (come) {
    awaited = null
    location.hash = encodeURIComponent(come.ref)
    return
  }
  const [, its = "", pane] = /^(\w+):(%\d+)$/.exec(named()) ?? []
  if (pane === undefined || open() !== undefined) return
  const said = all.find(one => one.tool === its && one.pane === pane)
  if (said) location.replace(`#${encodeURIComponent(said.ref)}`)
}

function fillTools(given: readonly (keyof typeof TOOL_NAMES)[]): void {
  if (given.join() === tools) return
  tools = given.join()
  tool.replaceChildren(...given.map(one => new Option(TOOL_NAMES[one], one)))
}

/** Shows the list, and what can be done with the open one. */
function show(): void {
  const [one, isNew] = [open(), named() === NEW || (isListed && all.length === 0)]
  document.documentElement.dataset.shown = one || isNew || ref() !== null ? "talk" : "list"
  showList(all, ref())
  element("title").textContent = one ? titleOf(one) : isNew ? "New conversation" : "Agents"
  document.title = `${one ? titleOf(one) : "Agents"} · foozol`
  const mark = element("state-mark")
  const { label = "", mood = "" } = one ? STATES[one.state] : {}
  if (mark.textContent !== label) mark.textContent = label
  mark.className = `badge ${mood}`
  mark.hidden = one === undefined
  tool.hidden = !isNew
  form.hidden = one === undefined && !isNew
  element("stop").hidden = !(one?.state === "working" && one.pane !== null)
  const isGone = isListed && one === undefined && ref() !== null
  element("hint").textContent = one
    ? hintOf(one)
    : isGone
      ? REFUSED.gone
      : isNew && tools === ""
        ? "No coding agent is installed here: install Claude Code, Codex or Gemini CLI in a terminal."
        : isNew
          ? "It starts in a terminal of its own, in your repository’s folder or your home."
          : "Choose a conversation, or begin a new one."
  send.disabled = isNew ? tools === "" : !(one && takesPrompt(one))
}

/** Asks for something, and says why where nothing came of it. @returns whether it went well */
async function asked(question: Question): Promise<boolean> {
  const refusal = (await stream?.ask(question)) ?? null
  if (refusal === null) return true
  say(
    refusal === "lost" ? "The connection was lost: look whether it was done before you do it again." : REFUSED[refusal],
    "warning",
  )
  return false
}

async function prompt(): Promise<void> {
  const [one, words] = [open(), text.value]
  const its = one?.tool ?? (tool.value as keyof typeof TOOL_NAMES)
  if (words.trim() === "" || send.disabled) return
  send.disabled = true
  const known = new Set(all.map(({ ref }) => ref))
  const isNew = one === undefined
  if (await asked({ do: "prompt", ref: one?.ref ?? null, tool: its, text: words })) {
    if (text.value === words) text.value = ""
    if (isNew) {
      awaited = { known, tool: its }
      say(`${TOOL_NAMES[its]} starts; your prompt is typed in as soon as it takes one.`)
    }
  }
  show()
}

function choose(): void {
  talk.clear()
  element("asks").hidden = true
  const wanted = ref()
  stream?.wish(wanted === null ? { do: "leave" } : { do: "open", ref: wanted })
  show()
}

const card = createStateCard(() => connection.retry(), "page of agents")
const news = createMachineNews({ say, end: (name, reason) => connection.end(name, reason) })
const connection = createPageConnection({
  path: "/agents/stream",
  open: (address, events) => {
    stream = openStream(address, { ...events, word: hear })
    return stream
  },
  show: showState,
})

function showState(state: State): void {
  card.show(state)
  if (state.name !== "connected") {
    news.leave()
    return
  }
  news.follow()
  choose()
  void readStatus().then(status => {
    const service = status?.service
    card.setService(service ? `${service}${service.includes("?") ? "&" : "?"}to=agents` : service)
    menu.setService(service)
  })
}

form.addEventListener("submit", event => {
  event.preventDefault()
  void prompt()
})
text.addEventListener("keydown", event => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return
  event.preventDefault()
  void prompt()
})
for (const [button, key] of marked(element("keys"), "key")) {
  button.addEventListener("click", () => {
    const one = open()
    if (one) void asked({ do: "press", ref: one.ref, key: key as Key })
  })
}
element("stop").addEventListener("click", () => {
  const one = open()
  if (one) void asked({ do: "press", ref: one.ref, key: "Escape" })
})
element("new").addEventListener("click", () => {
  location.hash = NEW
  text.focus()
})
element("back").addEventListener("click", () => {
  location.hash = ""
})
element<HTMLInputElement>("show-tools").addEventListener("change", ({ currentTarget }) => {
  document.documentElement.dataset.tools = String((currentTarget as HTMLInputElement).checked)
})
window.addEventListener("hashchange", choose)
connection.start()
