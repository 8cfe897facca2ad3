/// <reference lib="dom" />
import type { Entry, Listing } from "../file-server/listing.ts"
import type { State, Stream, StreamEvents } from "../viewer/connection.ts"
import { element } from "../viewer/dom.ts"
import { readStatus } from "../viewer/machine.ts"
import { createMachineNews } from "../viewer/machine-news.ts"
import { createPageConnection } from "../viewer/page-connection.ts"
import { ask, prepareQuestion } from "../viewer/question.ts"
import { createStateCard } from "../viewer/state-card.ts"
import { createToasts } from "../viewer/toast.ts"
import { call, query, Refusal } from "./api.ts"
import { createEntries, textIn } from "./entries.ts"
import type { Given } from "./given.ts"
import { createIntake } from "./intake.ts"
import { createMenu } from "./menu.ts"
import { createTransfers, type Unfinished } from "./transfers.ts"
import { createTrashDialog } from "./trash.ts"
import { countWords, folderOf, hashOf, joined, sizeWords } from "./words.ts"

/** Longest address of a selection; beyond it NGINX would not read it. */
const MOST_ADDRESS = 24_000
/** So long several changes are waited for before the folder is read again, in ms. */
const SOON_MS = 400

prepareQuestion()
const say = createToasts(element("toasts"))
const waiting = new Set<() => void>()
let chosen: string[] = []
let shown: string | null = null
let reading: AbortController | undefined
let soon: ReturnType<typeof setTimeout> | undefined

const folder = () => folderOf(location.hash)
const isConnected = () => document.documentElement.dataset.state === "connected"

const entries = createEntries({
  open: entry => {
    if (entry.kind === "folder") location.hash = hashOf(joined(folder(), entry.name))
    else void download([entry.name])
  },
  chosen: names => {
    chosen = names
    element("chosen").hidden = names.length === 0
    const sum = names.reduce((bytes, name) => bytes + (entries.find(name)?.size ?? 0), 0)
    const size = sum > 0 ? ` · ${sizeWords(sum)}` : ""
    element("chosen-count").textContent = `${names.length} chosen${size}`
    element("rename").hidden = names.length !== 1
  },
})
const menu = createMenu({
  "upload-folder": () => intake.chooseFolder(),
  "download-all": () => void download([]),
  "open-trash": () => void trash.open(),
})
const intake = createIntake({
  give: given => void tell(() => give(given)),
  folder: () => folder().replace(/^.*\//, ""),
  unreadable: () => say("What was dropped could not be read.", "warning"),
})
const transfers = createTransfers({
  arrived: at => {
    // What went into a folder within this one may have made that.
    if (at === folder()) readSoon()
  },
  connected: () => (isConnected() ? Promise.resolve() : new Promise(resolve => waiting.add(resolve))),
  chooseAgain: () => intake.chooseFiles(),
})
const trash = createTrashDialog({ say, changed: () => readSoon() })

async function give(given: Given): Promise<void> {
  const into = folder()
  transfers.add(into, given)
  for (const path of given.empty) await makeFolders(into, path)
  if (given.empty.length > 0) readSoon()
}

async function makeFolders(into: string, path: string): Promise<void> {
  let at = into
  for (const name of path.split("/")) {
    const made = await call<{ name: string }>("POST", "/files/folder", { path: at, name }).catch(error => {
      if (error instanceof Refusal && error.id === "exists") return { name }
      throw error
    })
    at = joined(at, made.name)
  }
}

/** Does something, and says why where it could not be done. */
async function tell(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    say(error instanceof Refusal ? error.message : String(error), "warning")
  }
}

function readSoon(): void {
  clearTimeout(soon)
  soon = setTimeout(() => void read(), SOON_MS)
}

/** Reads the folder that the address names, and shows it. */
async function read(): Promise<void> {
  if (!isConnected()) return
  reading?.abort()
  reading = new AbortController()
  const [mine, path] = [reading, folder()]
  showWay(path)
  try {
    const {
      entries: all,
      more,
      disk,
    } = await call<Listing>("GET", `/files/list?${query({ path })}`, undefined, mine.signal)
    if (mine.signal.aborted) return
    entries.fill(all, shown !== path)
    shown = path
    showFoot(all, more, disk)
  } catch (error) {
    if (mine.signal.aborted || !(error instanceof Refusal)) return
    if (path !== "" && (error.id === "gone" || error.id === "outside" || error.id === "bad-path")) {
      say(`"${path}" cannot be opened: ${error.message}`, "warning")
      location.replace(hashOf(error.id === "gone" ? path.replace(/\/?[^/]*$/, "") : ""))
    } else say(error.message, "warning")
  }
}

function showWay(path: string): void {
  const names = path.split("/").filter(Boolean)
  const link = (text: string, to: string) => {
    const one = textIn("a", text) as HTMLAnchorElement
    one.href = hashOf(to)
    return one
  }
  const links = [link("Home", ""), ...names.map((name, at) => link(name, names.slice(0, at + 1).join("/")))]
  links.at(-1)?.setAttribute("aria-current", "page")
  const way = element("way")
  way.replaceChildren(...links)
  way.scrollLeft = way.scrollWidth
  document.title = `${names.at(-1) ?? "Files"} · foozol`
}

function showFoot(all: Entry[], more: boolean, disk: Listing["disk"]): void {
  const count = entries.visible().length
  const hidden = all.length - count
  const words = [
    countWords(count, "item"),
    ...(hidden > 0 ? [`${hidden} hidden`] : []),
    ...(more ? ["there are more: use a terminal"] : []),
  ]
  element("foot-count").textContent = words.join(" · ")
  element("foot-disk").textContent = `${sizeWords(disk.free)} of ${sizeWords(disk.total)} free`
  element("list").hidden = count === 0
  element("empty").hidden = count > 0
  element("empty-title").textContent = hidden > 0 ? "Only hidden files are here" : "Nothing is here yet"
}

/** Downloads a file, or several things (or all of the folder) as an archive. */
async function download(names: string[]): Promise<void> {
  await tell(async () => {
    const [only] = names
    const isFile = names.length === 1 && only !== undefined && entries.find(only)?.kind === "file"
    const some = names.map(name => `&${query({ name })}`).join("")
    const address = isFile
      ? `/files/download?${query({ path: joined(folder(), only) })}`
      : `/files/zip?${query({ path: folder() })}${some}`
    if (address.length > MOST_ADDRESS)
      throw new Refusal(
        "too-many",
        0,
        "That is too much to choose one by one: take fewer, or download the whole folder.",
      )
    // A download that fails says nothing; a question beforehand does.
    const left = isFile ? 0 : await leftOut(address)
    const link = document.createElement("a")
    link.href = address
    link.download = ""
    link.click()
    entries.clear()
    if (left > 0) say(`${countWords(left, "thing")} cannot be read by you and will not be in it.`)
  })
}

async function leftOut(address: string): Promise<number> {
  const answer = await fetch(address, { method: "HEAD", cache: "no-store", redirect: "manual" }).catch(() => null)
  if (answer?.ok) return Number(answer.headers.get("x-foozol-left-out") ?? 0)
  if (answer?.status === 413)
    throw new Refusal("too-many", 413, "That is too many files for one archive: take fewer, or make one in a terminal.")
  if (answer?.status === 404) throw new Refusal("gone", 404, "There is nothing in it that could be downloaded.")
  throw new Refusal("lost", 0, "The workspace did not answer. Try again.")
}

async function makeFolder(): Promise<void> {
  const name = await ask({ title: "Name of the new folder", field: "", yes: "Make it" })
  if (name === null || name.trim() === "") return
  await tell(async () => void (await call("POST", "/files/folder", { path: folder(), name })))
  await read()
}

async function rename(): Promise<void> {
  const [old] = chosen
  if (old === undefined) return
  const name = await ask({ title: "New name", field: old, yes: "Rename" })
  if (name === null || name.trim() === "" || name === old) return
  await tell(async () => void (await call("POST", "/files/rename", { path: joined(folder(), old), name })))
  await read()
}

async function remove(): Promise<void> {
  const [at, names, ids] = [folder(), [...chosen], [] as string[]]
  await tell(async () => {
    for (const name of names)
      ids.push((await call<{ id: string }>("POST", "/files/delete", { path: joined(at, name) })).id)
  })
  if (ids.length > 0) {
    const what = ids.length === 1 ? `"${names[0]}"` : countWords(ids.length, "thing")
    say(
      `${what} is in the trash. Press here to put it back.`.replace(" is", ids.length === 1 ? " is" : " are"),
      "note",
      () => {
        void tell(async () => {
          for (const id of ids) await trash.restore(id)
        })
      },
    )
  }
  await read()
}

const card = createStateCard(() => connection.retry(), "page of files")
const news = createMachineNews({ say, end: (name, reason) => connection.end(name, reason) })
const connection = createPageConnection({ path: "/files/stream", open: openStream, show })

/** Says nothing but that the workspace is there. */
function openStream(address: string, events: StreamEvents): Stream {
  const socket = new WebSocket(address, "binary")
  socket.addEventListener("open", events.connected)
  socket.addEventListener("close", ({ code }) => events.closed(code))
  return { close: () => socket.close() }
}

function show(state: State): void {
  card.show(state)
  if (state.name !== "connected") {
    news.leave()
    return
  }
  news.follow()
  for (const go of waiting) go()
  waiting.clear()
  void read()
  void call<{ uploads: Unfinished[] }>("GET", "/files/unfinished").then(
    ({ uploads }) => transfers.found(uploads),
    () => {},
  )
  void readStatus().then(status => {
    const service = status?.service
    card.setService(service ? `${service}${service.includes("?") ? "&" : "?"}to=files` : service)
    menu.setService(service)
  })
}

element("upload").addEventListener("click", () => intake.chooseFiles())
element("new-folder").addEventListener("click", () => void makeFolder())
element("download").addEventListener("click", () => void download(chosen))
element("rename").addEventListener("click", () => void rename())
element("delete").addEventListener("click", () => void remove())
element("choose-none").addEventListener("click", () => entries.clear())
element<HTMLInputElement>("show-hidden").addEventListener("change", ({ currentTarget }) => {
  entries.showHidden((currentTarget as HTMLInputElement).checked)
  void read()
})
window.addEventListener("hashchange", () => void read())
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void read()
})
document.addEventListener("keydown", event => {
  const isTyping = event.target instanceof HTMLInputElement && event.target.type === "text"
  if (isTyping || document.querySelector("dialog[open]") !== null) return
  if (event.key === "Escape") entries.clear()
  else if (event.key === "Delete" && chosen.length > 0) void remove()
  else if (event.key === "F2" && chosen.length === 1) void rename()
})
connection.start()
