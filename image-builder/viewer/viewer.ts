/// <reference lib="dom" />
import { createClipboard } from "./clipboard.ts"
import type { State } from "./connection.ts"
import { openDesktop } from "./desktop.ts"
import { element } from "./dom.ts"
import { firstFrame } from "./first-frame.ts"
import { createFullScreen } from "./fullscreen.ts"
import { createKeyPanels } from "./key-panels.ts"
import { readStatus, resize, tellFirstFrame } from "./machine.ts"
import { createMachineNews } from "./machine-news.ts"
import { createPageConnection } from "./page-connection.ts"
import { createSettingsPanel } from "./settings-panel.ts"
import { createResizer, desktopSize } from "./sizing.ts"
import { createStateCard } from "./state-card.ts"
import { createToasts } from "./toast.ts"
import { createToolbar } from "./toolbar.ts"

const screen = element("screen")
const say = createToasts(element("toasts"))
const news = createMachineNews({
  say,
  end: (name, reason) => connection.end(name, reason),
  copied: () => void clipboard.copied(),
})
let desktop: ReturnType<typeof openDesktop> | undefined
let everConnected = false

const focusDesktop = () => desktop?.focus()
createToolbar(focusDesktop)
createFullScreen(element("full-screen"))

const settings = createSettingsPanel((value, viewOnly) => {
  desktop?.apply(value, viewOnly)
  fitDesktop(0)
})
const clipboard = createClipboard({
  field: element("clipboard-text"),
  send: text => desktop?.sendText(text),
  shared: () => settings.value().shareClipboard && !settings.viewOnly(),
  say,
})
element("clipboard-send").addEventListener("click", clipboard.sendField)
element("clipboard-copy").addEventListener("click", clipboard.copyField)
element("clipboard-paste").addEventListener("click", clipboard.pasteFromBrowser)
createKeyPanels((keysym, code, down) => desktop?.sendKey(keysym, code, down))

const resizer = createResizer(
  async size => {
    const now = await resize(size)
    if (now !== undefined) settings.showSize(now)
    return now
  },
  () => say("The desktop keeps its size and is scaled to your window."),
)

function fitDesktop(delay?: number): void {
  if (document.documentElement.dataset.state !== "connected" || document.hidden) return
  const { clientWidth: width, clientHeight: height } = screen
  resizer.want(desktopSize({ width, height }, devicePixelRatio, settings.value().sizing), delay)
}

const card = createStateCard(() => connection.retry())
const connection = createPageConnection({
  path: "/vnc",
  open: (address, events) => {
    desktop = openDesktop(screen, address, {
      ...events,
      lastPicture: card.freeze,
    })
    desktop.apply(settings.value(), settings.viewOnly())
    return desktop
  },
  show,
  offline: () => {
    // An open stream may outlive this, and is not told when it does not.
    if (document.documentElement.dataset.state === "connected") say("Your network is gone. The picture may be old.")
  },
})

function show(state: State): void {
  card.show(state)
  settings.showState(state)
  if (state.name !== "connected") {
    news.leave()
    return
  }
  news.follow()
  void readStatus().then(status => {
    card.setService(status?.service)
    settings.showStatus(status)
  })
  if (document.activeElement === document.body || document.activeElement === null) focusDesktop()
  // A reconnect nobody watches must not change the size under another viewer of the same desktop.
  if (!everConnected || document.hasFocus()) {
    resizer.forget()
    fitDesktop(0)
  }
  if (!everConnected) void firstFrame(screen).then(isShown => (isShown ? tellFirstFrame() : undefined))
  everConnected = true
}

// Keys held while the focus leaves the desktop would stay down there: noVNC lets go of them when the window loses focus.
screen.addEventListener("focusout", () => window.dispatchEvent(new Event("blur")))
new ResizeObserver(() => fitDesktop()).observe(screen)
window.addEventListener("focus", clipboard.returned)
connection.start()
