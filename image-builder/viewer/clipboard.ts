/// <reference lib="dom" />
import { readClipboard, writeClipboard } from "./machine.ts"

type Options = {
  field: HTMLTextAreaElement
  send: (text: string) => void
  /** May this viewer send and take text at all right now? */
  shared: () => boolean
  say: (text: string) => void
}

/**
 * Text between the two clipboards. The desktop's text always reaches the panel's field; the browser's own clipboard
 * is written and read where the person has allowed it. Reading happens only when the person comes back to the page,
 * never on a reconnect.
 */
export function createClipboard({ field, send, shared, say }: Options) {
  let known: string | undefined
  /** What became of a text that the desktop could not take whole. */
  let maimed: string | undefined
  let heard = 0

  const give = async (text: string) => {
    known = text
    // VNC's own clipboard carries no more for sure, but comes before the keys that paste it.
    if (/^[\0-\x7f]*$/.test(text)) return send(text)
    if ((await writeClipboard(text)) || known !== text) return
    // Whoever comes back with the same text tries again.
    known = undefined
    // noVNC puts a question mark for what is not Latin-1; what the desktop then tells of must not come back for the whole.
    maimed = text.replaceAll(/[^\0-\xff]/gu, "?")
    say("Some characters cannot travel to this desktop’s clipboard now and arrive as “?”.")
    send(text)
  }
  const allowed = async () => {
    try {
      const answer = await navigator.permissions.query({ name: "clipboard-read" as PermissionName })
      return answer.state === "granted"
    } catch {
      // Browsers without this permission ask on every read, which must only follow a press of a button.
      return false
    }
  }
  const fromBrowser = async () => {
    const text = await navigator.clipboard.readText()
    if (text !== "" && text !== known) {
      field.value = text
      await give(text)
    }
    return text
  }

  return {
    /** The desktop copied something. */
    copied: async () => {
      const mine = ++heard
      const text = await readClipboard()
      // Of what was copied meanwhile only the last counts, and what came from here is here.
      if (mine !== heard || text === null || text === "" || text === known || text === maimed) return
      known = text
      field.value = text
      if (!shared()) return
      try {
        await navigator.clipboard.writeText(text)
      } catch {
        // Not allowed, or the page is not in front: the panel has the text.
      }
    },
    /** The person came back from elsewhere, perhaps with something copied. */
    returned: async () => {
      if (!shared() || !document.hasFocus() || !(await allowed())) return
      await fromBrowser().catch(() => {})
    },
    /** Buttons of the panel. */
    sendField: async () => {
      await give(field.value)
      say("Sent to the desktop. Paste it there.")
    },
    copyField: async () => {
      try {
        await navigator.clipboard.writeText(field.value)
        say("Copied to this device.")
      } catch {
        field.select()
        say("Your browser does not allow it here: the text is selected, copy it by hand.")
      }
    },
    pasteFromBrowser: async () => {
      try {
        say(
          (await fromBrowser()) === ""
            ? "This device’s clipboard has no text."
            : "Sent to the desktop. Paste it there.",
        )
      } catch {
        field.focus()
        say("Your browser does not allow it here: paste into the field, then send.")
      }
    },
  }
}
