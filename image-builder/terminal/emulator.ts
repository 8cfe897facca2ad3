/// <reference lib="dom" />
import { FitAddon } from "@xterm/addon-fit"
import { SearchAddon } from "@xterm/addon-search"
import { Unicode11Addon } from "@xterm/addon-unicode11"
import { WebLinksAddon } from "@xterm/addon-web-links"
import { type ITheme, Terminal } from "@xterm/xterm"

/** The desktop's terminal has the same colours (rootfs/etc/X11/app-defaults/XTerm). */
const THEME: ITheme = {
  background: "#111a24",
  foreground: "#d7dfe8",
  cursor: "#5fc2b6",
  cursorAccent: "#111a24",
  selectionBackground: "#2f6f73aa",
  black: "#1d2a38",
  red: "#f07178",
  green: "#7fd1a6",
  yellow: "#e6c074",
  blue: "#6fb1f2",
  magenta: "#c39af0",
  cyan: "#5fc2b6",
  white: "#c8d3df",
  brightBlack: "#5b6c7e",
  brightRed: "#ff8b92",
  brightGreen: "#98e5bd",
  brightYellow: "#f5d595",
  brightBlue: "#8fc6ff",
  brightMagenta: "#d6b6ff",
  brightCyan: "#83ddd1",
  brightWhite: "#f3f6f9",
}

/** Lines that have scrolled away and can be looked at again. */
const SCROLLBACK = 10_000

/** An emulator in its place, with what a person expects of one. */
export function createEmulator(
  place: HTMLElement,
  options: { letters: number; isTouch: boolean; type: (bytes: Uint8Array) => void; copied: (text: string) => void },
) {
  const terminal = new Terminal({
    allowProposedApi: true,
    cursorBlink: false,
    fontFamily: 'ui-monospace, "JetBrains Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
    fontSize: options.letters,
    lineHeight: 1.15,
    scrollback: SCROLLBACK,
    theme: THEME,
  })
  const fit = new FitAddon()
  const search = new SearchAddon()
  terminal.loadAddon(fit)
  terminal.loadAddon(search)
  terminal.loadAddon(new Unicode11Addon())
  terminal.loadAddon(new WebLinksAddon((_, address) => openLink(address)))
  terminal.unicode.activeVersion = "11"
  leaveAnswersToTmux(terminal)
  terminal.open(place)

  const encoder = new TextEncoder()
  terminal.onData(text => options.type(encoder.encode(text)))
  terminal.onBinary(text => options.type(Uint8Array.from(text, one => one.charCodeAt(0))))
  // Copied when the selection is made; the browser allows it as part of the press.
  place.addEventListener("mouseup", () => {
    const text = terminal.getSelection()
    if (text !== "") options.copied(text)
  })
  return { terminal, fit, search }
}

const openLink = (address: string) => {
  if (/^https?:\/\//.test(address)) window.open(address, "_blank", "noopener,noreferrer")
}

/** Programs ask their terminal what it is. tmux has answered; an answer from each viewer would be typed into them. */
function leaveAnswersToTmux({ parser }: Terminal): void {
  const swallow = () => true
  for (const prefix of ["", ">", "="]) parser.registerCsiHandler({ ...(prefix && { prefix }), final: "c" }, swallow)
  for (const prefix of ["", "?"]) {
    parser.registerCsiHandler({ ...(prefix && { prefix }), final: "n" }, swallow)
    parser.registerCsiHandler({ ...(prefix && { prefix }), intermediates: "$", final: "p" }, swallow)
  }
  parser.registerCsiHandler({ prefix: ">", final: "q" }, swallow)
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow)
  for (const number of [4, 10, 11, 12]) parser.registerOscHandler(number, data => data.includes("?"))
}
