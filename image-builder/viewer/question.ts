/// <reference lib="dom" />
import { element } from "./dom.ts"

/** Asks a person something. @returns what was typed (or "" without a field), or null */
export function ask(question: {
  title: string
  text?: string
  yes: string
  /** What stands in the field at first; no field without it. */
  field?: string
}): Promise<string | null> {
  const dialog = element<HTMLDialogElement>("question")
  const field = element<HTMLInputElement>("question-field")
  element("question-title").textContent = question.title
  element("question-text").textContent = question.text ?? ""
  element("question-text").hidden = question.text === undefined
  element("question-yes").textContent = question.yes
  field.hidden = question.field === undefined
  field.value = question.field ?? ""
  dialog.returnValue = "no"
  dialog.showModal()
  if (question.field !== undefined) field.select()
  else element("question-yes").focus()
  return new Promise(resolve => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? field.value : null), { once: true })
  })
}

/** Enter in the field says yes; the first button of a form would be "Cancel". */
export function prepareQuestion(): void {
  element<HTMLInputElement>("question-field").addEventListener("keydown", event => {
    if (event.key !== "Enter") return
    event.preventDefault()
    element<HTMLDialogElement>("question").close("yes")
  })
}
