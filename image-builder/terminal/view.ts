/// <reference lib="dom" />
import { type Given, readDropped, readPasted } from "../files/given.ts"
import { createEmulator } from "./emulator.ts"
import type { Channel, TerminalStream } from "./stream.ts"

/** A terminal the page has open; it goes on when it is not shown. */
export type View = ReturnType<typeof createView>

/** How long the window's size must hold before the terminal gets it, in ms. */
const SETTLE_MS = 120

export function createView(options: {
  id: string
  letters: number
  isTouch: boolean
  /** May anything be typed or changed now? */
  mayType: () => boolean
  /** What typed text becomes with the keys that are held down. */
  held: (bytes: Uint8Array) => Uint8Array
  copied: (text: string) => void
  focused: () => void
  /** Files were pasted or dropped onto it. */
  files: (given: Promise<Given>) => void
  /** A paste without text: some keys leave pictures out, which the clipboard itself has. */
  nothing: () => void
  ended: () => void
}) {
  const { id, mayType } = options
  const place = document.createElement("div")
  place.className = "view"
  let channel: Channel | undefined
  let wanted = ""
  let timer: ReturnType<typeof setTimeout> | undefined
  let opened: ReturnType<typeof createEmulator> | undefined

  const type = (bytes: Uint8Array) => {
    if (!mayType() || channel === undefined) return
    // Whoever types wants to see all of it.
    claim(false)
    channel.type(options.held(bytes))
  }
  const paste = (text: string) => {
    if (!mayType() || text === "") return
    claim(false)
    channel?.paste(text)
    opened?.terminal.scrollToBottom()
  }

  /** Asks for the size that fits. @param again also when it was asked for before, and somebody else has changed it */
  function claim(again: boolean): void {
    if (opened === undefined || !place.isConnected || document.hidden || !mayType()) return
    const size = opened.fit.proposeDimensions()
    if (size === undefined || Number.isNaN(size.cols) || Number.isNaN(size.rows)) return
    const [cols, rows] = [Math.min(500, Math.max(10, size.cols)), Math.min(300, Math.max(3, size.rows))]
    const { terminal } = opened
    const isSo = terminal.cols === cols && terminal.rows === rows
    if (isSo || (!again && wanted === `${cols}x${rows}`)) return
    wanted = `${cols}x${rows}`
    channel?.size(cols, rows)
  }

  const resizing = new ResizeObserver(() => {
    clearTimeout(timer)
    timer = setTimeout(() => claim(true), SETTLE_MS)
  })
  resizing.observe(place)
  place.addEventListener("focusin", options.focused)
  place.addEventListener("pointerdown", options.focused)
  // Pasted text goes its own way: tmux knows whether the program wants it in brackets.
  place.addEventListener(
    "paste",
    event => {
      event.preventDefault()
      event.stopPropagation()
      const [text, files] = [event.clipboardData?.getData("text/plain") ?? "", event.clipboardData?.files]
      // What was copied out of a document comes as text and as a picture of it.
      if (text === "" && files !== undefined && files.length > 0)
        options.files(Promise.resolve(readPasted(files, Date.now())))
      else if (text === "") options.nothing()
      else paste(text)
    },
    { capture: true },
  )
  place.addEventListener("dragover", event => {
    if (!event.dataTransfer?.types.includes("Files")) return
    event.preventDefault()
    place.dataset.over = "true"
  })
  for (const name of ["dragleave", "drop"]) place.addEventListener(name, () => delete place.dataset.over)
  place.addEventListener("drop", event => {
    if (!event.dataTransfer?.types.includes("Files")) return
    event.preventDefault()
    options.files(readDropped(event.dataTransfer))
  })

  return {
    id,
    place,
    paste,
    type,
    terminal: () => opened?.terminal,
    search: () => opened?.search,
    /** Puts it into its pane; the emulator needs a place to measure itself. */
    show: (pane: HTMLElement) => {
      pane.append(place)
      if (opened === undefined) {
        opened = createEmulator(place, { ...options, type })
        const { terminal } = opened
        terminal.attachCustomKeyEventHandler(event => {
          const isCopy = event.ctrlKey && event.shiftKey && event.key.toUpperCase() === "C"
          // The browser has other plans with these.
          if (isCopy) event.preventDefault()
          if (isCopy && event.type === "keydown") options.copied(terminal.getSelection())
          return !isPagesOwn(event)
        })
      }
      claim(true)
    },
    connect: (stream: TerminalStream) => {
      wanted = ""
      channel = stream.watch(id, {
        output: (bytes, _anew, taken) => (opened ? opened.terminal.write(bytes, taken) : taken()),
        size: (cols, rows) => {
          wanted = wanted === `${cols}x${rows}` ? wanted : ""
          opened?.terminal.resize(cols, rows)
        },
        ended: options.ended,
      })
      claim(true)
    },
    fit: () => claim(true),
    /** As if it was pasted. */
    give: (file: File) => options.files(Promise.resolve(readPasted([file], Date.now()))),
    letters: (size: number) => {
      if (opened === undefined) return
      opened.terminal.options.fontSize = size
      claim(true)
    },
    focus: () => opened?.terminal.focus(),
    close: () => {
      clearTimeout(timer)
      resizing.disconnect()
      channel?.leave()
      opened?.terminal.dispose()
      place.remove()
    },
  }
}

/** Keys that the page or the browser takes: copy, paste, search. */
function isPagesOwn(event: KeyboardEvent): boolean {
  const mark = event.ctrlKey && event.shiftKey && ["C", "V", "F"].includes(event.key.toUpperCase())
  return mark || (event.metaKey && ["c", "v"].includes(event.key)) || (event.shiftKey && event.key === "Insert")
}
