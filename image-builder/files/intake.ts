/// <reference lib="dom" />
import { element } from "../viewer/dom.ts"
import { type Given, readChosen, readDropped, readPasted } from "./given.ts"

/** Every way in which files get to the page: dropped anywhere, chosen, pasted. */
export function createIntake(acts: { give: (given: Given) => void; folder: () => string; unreadable: () => void }) {
  const [drop, files, folder] = [element("drop"), field("field-files"), field("field-folder")]
  // Each element that is passed tells that it is entered and left.
  let inside = 0
  const show = (is: boolean) => {
    drop.hidden = !is
    if (!is) inside = 0
    element("drop-folder").textContent = acts.folder() || "your home"
  }
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") === true

  window.addEventListener("dragenter", event => {
    if (!hasFiles(event)) return
    inside++
    show(true)
  })
  window.addEventListener("dragleave", () => {
    inside--
    if (inside <= 0) show(false)
  })
  window.addEventListener("dragover", event => {
    if (hasFiles(event)) event.preventDefault()
  })
  window.addEventListener("drop", event => {
    if (!hasFiles(event) || event.dataTransfer === null) return
    event.preventDefault()
    show(false)
    readDropped(event.dataTransfer).then(acts.give, acts.unreadable)
  })
  window.addEventListener("paste", event => {
    const pasted = event.clipboardData?.files
    if (!pasted || pasted.length === 0 || document.querySelector("dialog[open]") !== null) return
    event.preventDefault()
    acts.give(readPasted(pasted, Date.now()))
  })
  for (const one of [files, folder]) {
    one.addEventListener("change", () => {
      if (one.files) acts.give(readChosen(one.files))
      // The same file can be chosen again.
      one.value = ""
    })
  }
  return { chooseFiles: () => files.click(), chooseFolder: () => folder.click() }
}

const field = (id: string) => element<HTMLInputElement>(id)
