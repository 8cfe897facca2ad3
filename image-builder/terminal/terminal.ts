/// <reference lib="dom" />
import type { Terminal } from "../agent/terminals/list.ts"
import { MAX_CHANNELS, type Wish, type Word } from "../agent/terminals/protocol.ts"
import type { State } from "../viewer/connection.ts"
import { element } from "../viewer/dom.ts"
import { readStatus } from "../viewer/machine.ts"
import { createMachineNews } from "../viewer/machine-news.ts"
import { createPageConnection } from "../viewer/page-connection.ts"
import { ask, prepareQuestion } from "../viewer/question.ts"
import { createStateCard } from "../viewer/state-card.ts"
import { createToasts } from "../viewer/toast.ts"
import { allowOwnStyles } from "./inline-styles.ts"
import { createKeyRow } from "./key-row.ts"
import { addPane, asDesktop, choose, fromNames, keepExisting, type Layout, NOTHING, removePane } from "./layout.ts"
import { createMenu } from "./menu.ts"
import { createPanes } from "./panes.ts"
import { LETTERS, readRemembered, writeRemembered } from "./remembered.ts"
import { createSearch } from "./search.ts"
import { createFileSender } from "./send-files.ts"
import { openStream, type TerminalStream } from "./stream.ts"
import { createTabs } from "./tabs.ts"
import { createView, type View } from "./view.ts"

allowOwnStyles()
prepareQuestion()
const isTouch = matchMedia("(hover: none)").matches
const say = createToasts(element("toasts"))
const remembered = readRemembered(localStorage, isTouch ? 12 : 14)
const views = new Map<string, View>()
/** Who goes on when there is a connection again. */
const waiting = new Set<() => void>()
let all: Terminal[] = []
let layout: Layout = NOTHING
let stream: TerminalStream | undefined
let [isViewOnly, isListed, isBeside] = [false, false, false]
/** Nobody has chosen a terminal here, now or before: the page shows the one that the desktop shows. */
let followsDesktop = false
for (const sign of ["keydown", "pointerdown", "paste", "drop"])
  document.addEventListener(
    sign,
    () => {
      followsDesktop = false
      keepInMind()
    },
    { capture: true, once: true },
  )

const nameOf = (id: string) => all.find(one => one.id === id)?.name ?? ""
const activeView = () => views.get(layout.shown[layout.active] ?? "")
const wish = (given: Wish) => stream?.wish(given)
const isConnected = () => document.documentElement.dataset.state === "connected"

const sendFiles = createFileSender({
  say,
  connected: () => (isConnected() ? Promise.resolve() : new Promise(resolve => waiting.add(resolve))),
})
const keys = createKeyRow(activeView, () => void pasteFromDevice())
const tabs = createTabs(element("tabs"), {
  choose: id => arrange(choose(layout, id), true),
  rename: id => void rename(id),
  end: id => void end(id),
})
const panes = createPanes(element("panes"), {
  activate: at => arrange({ ...layout, active: at }, true),
  hide: at => arrange(removePane(layout, at), true),
})
const menu = createMenu({
  rename: () => void rename(layout.shown[layout.active] ?? ""),
  fit: () => activeView()?.fit(),
  end: () => void end(layout.shown[layout.active] ?? ""),
  letters: by => {
    remembered.letters = Math.min(LETTERS.most, Math.max(LETTERS.least, remembered.letters + by))
    for (const view of views.values()) view.letters(remembered.letters)
    keepInMind()
    return remembered.letters
  },
  viewOnly: on => {
    isViewOnly = on
    wish({ do: "view-only", on })
    if (!on) for (const id of layout.shown) views.get(id)?.fit()
  },
})
menu.setLetters(remembered.letters)
createSearch(activeView)

function viewOf(id: string): View {
  const there = views.get(id)
  if (there) return there
  const view = createView({
    id,
    letters: remembered.letters,
    isTouch,
    mayType: () => isConnected() && !isViewOnly,
    held: keys.held,
    copied: text => void copy(text),
    focused: () => {
      const at = layout.shown.indexOf(id)
      if (at >= 0 && at !== layout.active) arrange({ ...layout, active: at }, false)
    },
    files: given => {
      if (isViewOnly || !isConnected()) return
      const type = (text: string) => views.get(id)?.paste(text)
      given.then(
        files => sendFiles(files, type),
        () => say("What was dropped could not be read.", "warning"),
      )
    },
    nothing: () => void pasteFromDevice(),
    ended: () => drop(id),
  })
  views.set(id, view)
  if (stream) view.connect(stream)
  forgetOld()
  return view
}

/** Terminals that were shown stay connected, so that they are there at once; but only so many. */
function forgetOld(): void {
  for (const id of views.keys()) {
    if (views.size <= MAX_CHANNELS) return
    if (!layout.shown.includes(id)) drop(id)
  }
}

function drop(id: string): void {
  views.get(id)?.close()
  views.delete(id)
}

function arrange(next: Layout, focus: boolean): void {
  layout = next
  tabs.show(all, layout)
  panes.show(layout, viewOf, nameOf)
  element("none").hidden = all.length > 0 || !isListed
  document.title = `${nameOf(layout.shown[layout.active] ?? "") || "Terminal"} · foozol`
  if (focus) activeView()?.focus()
  keepInMind()
}

function keepInMind(): void {
  if (layout.shown.length > 0 && !followsDesktop) remembered.shown = layout.shown.map(nameOf)
  writeRemembered(localStorage, remembered)
}

function hear(word: Exclude<Word, { is: "size" | "ended" }>): void {
  if (word.is === "refused") {
    say(word.why, "warning")
    return
  }
  if (word.is === "created") {
    arrange(isBeside ? addPane(layout, word.id) : choose(layout, word.id), true)
    isBeside = false
    return
  }
  all = word.all
  const ids = all.map(one => one.id)
  for (const id of views.keys()) if (!ids.includes(id)) drop(id)
  const isFirst = !isListed
  if (isFirst) {
    isListed = true
    layout = fromNames(remembered.shown, all)
    followsDesktop = layout.shown.length === 0
  }
  const next = followsDesktop ? asDesktop(all) : keepExisting(layout, all)
  // On a phone there is no room to wonder which one has the keyboard; it comes up by a tap.
  arrange(next, !isTouch && (isFirst || (followsDesktop && next.shown[0] !== layout.shown[0])))
}

async function rename(id: string): Promise<void> {
  const name = await ask({ title: "Name of this terminal", field: nameOf(id), yes: "Rename" })
  if (name !== null && name.trim() !== "" && name !== nameOf(id)) wish({ do: "rename", id, name })
  activeView()?.focus()
}

async function end(id: string): Promise<void> {
  const program = all.find(one => one.id === id)?.program ?? ""
  const text = `What runs in it ends${/^(bash|sh|zsh|fish)$/.test(program) || program === "" ? "" : `: ${program}`}.`
  const answer = await ask({ title: `Close ${nameOf(id)}?`, text, yes: "Close it" })
  if (answer !== null) wish({ do: "end", id })
  activeView()?.focus()
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    say("Your browser does not allow to copy here: use its own menu or Ctrl+Shift+C.")
  }
}

async function pasteFromDevice(): Promise<void> {
  try {
    const picture = await clipboardPicture()
    if (picture === null) activeView()?.paste(await navigator.clipboard.readText())
    else activeView()?.give(picture)
  } catch {
    say("Your browser does not allow to read the clipboard: hold the terminal and choose Paste.")
  }
}

/** A picture that lies in the clipboard without any text. */
async function clipboardPicture(): Promise<File | null> {
  for (const item of await navigator.clipboard.read()) {
    const type = item.types.find(one => one.startsWith("image/"))
    if (type !== undefined && !item.types.includes("text/plain"))
      return new File([await item.getType(type)], "", { type })
  }
  return null
}

const card = createStateCard(() => connection.retry(), "terminal")
const news = createMachineNews({ say, end: (name, reason) => connection.end(name, reason) })
const connection = createPageConnection({
  path: "/terminal/stream",
  open: (address, events) => {
    const opened = openStream(address, { ...events, word: hear })
    stream = opened
    return opened
  },
  show,
})

function show(state: State): void {
  card.show(state)
  if (state.name !== "connected") {
    news.leave()
    return
  }
  news.follow()
  for (const go of waiting) go()
  waiting.clear()
  if (isViewOnly) wish({ do: "view-only", on: true })
  // Each is shown as it is by now, with what has scrolled away.
  if (stream) for (const view of views.values()) view.connect(stream)
  void readStatus().then(status => {
    const service = status?.service
    card.setService(service ? `${service}${service.includes("?") ? "&" : "?"}to=terminal` : service)
    menu.setService(service)
  })
}

element("new").addEventListener("click", () => wish({ do: "create", name: null }))
element("first").addEventListener("click", () => wish({ do: "create", name: null }))
element("split").addEventListener("click", () => {
  const next = all.find(one => !layout.shown.includes(one.id))
  if (next) return arrange(addPane(layout, next.id), true)
  isBeside = true
  wish({ do: "create", name: null })
})

// What covers the page's lower part on phones (their keyboard) is no part of it.
const place = () => document.body.style.setProperty("--height", `${window.visualViewport?.height ?? innerHeight}px`)
window.visualViewport?.addEventListener("resize", place)
place()
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) activeView()?.fit()
})
connection.start()
