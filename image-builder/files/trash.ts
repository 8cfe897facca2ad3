/// <reference lib="dom" />
import type { Trashed } from "../file-server/trash.ts"
import { element } from "../viewer/dom.ts"
import { call, Refusal } from "./api.ts"
import { textIn } from "./entries.ts"
import { countWords, timeWords } from "./words.ts"

/** The trash of the home, in a dialog. */
export function createTrashDialog(acts: { say: (text: string, kind?: "warning") => void; changed: () => void }) {
  const [dialog, list, empty] = [
    element<HTMLDialogElement>("trash"),
    element("trash-list"),
    element<HTMLButtonElement>("trash-empty"),
  ]

  async function show(): Promise<void> {
    const { trash } = await call<{ trash: Trashed[] }>("GET", "/files/trash")
    const words = `${countWords(trash.length, "thing")}. The trash takes up space on the disk until it is emptied.`
    element("trash-text").textContent = trash.length === 0 ? "The trash is empty." : words
    empty.hidden = trash.length === 0
    list.replaceChildren(...trash.map(line))
    if (!dialog.open) dialog.showModal()
  }

  function line({ id, path, deleted }: Trashed): HTMLElement {
    const one = document.createElement("li")
    const text = document.createElement("div")
    text.append(textIn("span", path), textIn("small", `Deleted ${timeWords(deleted, Date.now())}`))
    const back = textIn("button", "Put back") as HTMLButtonElement
    back.type = "button"
    back.addEventListener("click", () => void tell(async () => acts.say(`"${await restore(id)}" is back.`)))
    one.append(text, back)
    return one
  }

  async function restore(id: string): Promise<string> {
    const { path } = await call<{ path: string }>("POST", "/files/restore", { id })
    acts.changed()
    return path
  }

  async function tell(act: () => Promise<void>): Promise<void> {
    try {
      await act()
      if (dialog.open) await show()
    } catch (error) {
      acts.say(error instanceof Refusal ? error.message : String(error), "warning")
    }
  }

  empty.addEventListener("click", () => {
    void tell(async () => {
      empty.disabled = true
      await call("POST", "/files/empty").finally(() => {
        empty.disabled = false
      })
      acts.changed()
    })
  })
  return { open: () => tell(show), restore }
}
