/// <reference lib="dom" />
import { element } from "../viewer/dom.ts"
import type { Refusal } from "./api.ts"

type Answer = "number" | "replace" | null

/**
 * Asks what is to become of files whose names are taken, one after the other.
 * @returns a function for the files that were given together: an answer may be for all of them
 */
export function createTakenQuestion() {
  const dialog = element<HTMLDialogElement>("taken")
  let last: Promise<unknown> = Promise.resolve()

  function ask(name: string, { more }: Refusal, isOne: boolean): Promise<{ answer: Answer; all: boolean }> {
    const isFolder = more.taken === "folder"
    element("taken-title").textContent = isFolder ? "There is a folder of that name" : "There is a file of that name"
    element("taken-text").textContent =
      `"${name}" is there already. Keep both, and the new one is called "${more.free}".`
    element("taken-replace").hidden = isFolder
    element("taken-all-row").hidden = isOne
    element<HTMLInputElement>("taken-all").checked = false
    dialog.returnValue = "leave"
    dialog.showModal()
    return new Promise(resolve => {
      const closed = () => {
        const value = dialog.returnValue
        const answer = value === "number" || value === "replace" ? value : null
        resolve({ answer, all: element<HTMLInputElement>("taken-all").checked })
      }
      dialog.addEventListener("close", closed, { once: true })
    })
  }

  return (count: number) => {
    let forAll: { answer: Answer } | undefined
    return async (name: string, refusal: Refusal): Promise<Answer> => {
      const turn = last.then(async () => {
        // A folder cannot be replaced by a file.
        if (forAll !== undefined && !(forAll.answer === "replace" && refusal.more.taken === "folder"))
          return forAll.answer
        const { answer, all } = await ask(name, refusal, count === 1)
        if (all) forAll = { answer }
        return answer
      })
      last = turn.catch(() => {})
      return turn
    }
  }
}
