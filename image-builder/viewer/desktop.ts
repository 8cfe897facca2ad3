/// <reference lib="dom" />
import RFB from "@novnc/novnc"
import type { Stream, StreamEvents } from "./connection.ts"
import { QUALITY, type Settings } from "./settings.ts"

export type DesktopEvents = StreamEvents & {
  /** The last picture of a stream that ended, to be shown while the next one is on its way. */
  lastPicture: (picture: Blob) => void
}

export type Desktop = Stream & {
  apply: (settings: Settings, viewOnly: boolean) => void
  sendKey: (keysym: number, code: string, down?: boolean) => void
  sendText: (text: string) => void
  focus: () => void
}

/**
 * One stream: a WebSocket of ours, because noVNC tells nobody the close code, with noVNC on top.
 * Connecting sends the handshake and what the picture needs: no key and no pointer event.
 */
export function openDesktop(target: HTMLElement, url: string, events: DesktopEvents): Desktop {
  const socket = new WebSocket(url, ["binary"])
  let code = 1006
  let shown = false
  // Registered before noVNC's own handler, so the code is known when noVNC reports the end.
  socket.addEventListener("close", event => {
    code = event.code
  })
  const rfb = new RFB(target, socket, { shared: true })
  rfb.scaleViewport = true
  rfb.showDotCursor = true
  rfb.background = "transparent"

  rfb.addEventListener("connect", () => {
    shown = true
    events.connected()
  })
  rfb.addEventListener("disconnect", () => {
    if (shown) rfb.toBlob(picture => picture && events.lastPicture(picture), "image/jpeg", 0.6)
    events.closed(code)
  })

  return {
    close: () => rfb.disconnect(),
    focus: () => rfb.focus({ preventScroll: true }),
    sendKey: (keysym, key, down) => rfb.sendKey(keysym, key, down),
    sendText: text => rfb.clipboardPasteFrom(text),
    apply: (settings, viewOnly) => {
      rfb.viewOnly = viewOnly
      rfb.qualityLevel = QUALITY[settings.quality].qualityLevel
      rfb.compressionLevel = QUALITY[settings.quality].compressionLevel
    },
  }
}
