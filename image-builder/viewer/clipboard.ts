/// <reference lib="dom" />

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

  const give = (text: string) => {
    known = text
    // The classic VNC clipboard carries Latin-1 only, and noVNC puts a question mark for anything else.
    if (/[^\0-\xff]/.test(text)) say("Some characters cannot travel to this desktop’s clipboard and arrive as “?”.")
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
      give(text)
    }
    return text
  }

  return {
    /** The desktop copied something. */
    received: async (text: string) => {
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
    sendField: () => {
      give(field.value)
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
