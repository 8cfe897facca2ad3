/// <reference lib="dom" />
import type { State } from "./connection.ts"
import { element } from "./dom.ts"
import type { Size, Status } from "./machine.ts"
import { readSettings, type Settings, writeSettings } from "./settings.ts"

const STATE_WORDS: Record<State["name"], string> = {
  connecting: "Connecting",
  connected: "Connected",
  waiting: "Reconnecting",
  offline: "Offline",
  sleeping: "Asleep",
  "signed-out": "Signed out",
}

/** The settings panel and the line that says how things stand. View-only is for this visit: it is not remembered. */
export function createSettingsPanel(changed: (settings: Settings, viewOnly: boolean) => void) {
  const form = element<HTMLFormElement>("settings-form")
  const storage = safeStorage()
  let settings = readSettings(storage)
  const field = (name: string) => form.elements.namedItem(name)
  const choose = (name: string, value: string) => {
    const group = field(name)
    if (group instanceof RadioNodeList) group.value = value
  }
  const checkbox = (name: string) => field(name) as HTMLInputElement

  choose("sizing", settings.sizing)
  choose("quality", settings.quality)
  checkbox("shareClipboard").checked = settings.shareClipboard
  const viewOnly = () => checkbox("viewOnly").checked

  form.addEventListener("submit", event => event.preventDefault())
  form.addEventListener("change", () => {
    const data = new FormData(form)
    settings = {
      sizing: data.get("sizing") as Settings["sizing"],
      quality: data.get("quality") as Settings["quality"],
      shareClipboard: checkbox("shareClipboard").checked,
    }
    writeSettings(storage, settings)
    document.documentElement.dataset.viewOnly = String(viewOnly())
    changed(settings, viewOnly())
  })

  return {
    value: () => settings,
    viewOnly,
    showState: (state: State) => {
      element("status-state").textContent = STATE_WORDS[state.name]
      element("handle-state").textContent = STATE_WORDS[state.name]
    },
    showSize: ({ width, height }: Size) => {
      element("status-size").textContent = `${width} × ${height}`
    },
    showStatus: (status: Status | undefined) => {
      const { width, height } = status?.display ?? {}
      // A size just asked for is newer than the one the status was written with.
      const size = element("status-size")
      if (width && height && size.textContent === "") size.textContent = `${width} × ${height}`
      const link = element<HTMLAnchorElement>("service-link")
      if (!status?.service || !/^https?:\/\//.test(status.service)) return
      link.href = status.service
      link.hidden = false
    },
  }
}

/** Reading `localStorage` itself throws where a person has blocked it. */
function safeStorage(): Pick<Storage, "getItem" | "setItem"> {
  try {
    return window.localStorage
  } catch {
    return { getItem: () => null, setItem: () => {} }
  }
}
