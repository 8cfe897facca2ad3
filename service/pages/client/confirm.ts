/// <reference lib="dom" />

/** The button that deletes, or restores, works once the name has been typed; the service checks it again. */
const input = document.getElementById("confirm") as HTMLInputElement
const button = document.querySelector("[data-confirmed]") as HTMLButtonElement
const expected = document.getElementById("expected")?.textContent ?? ""

function check(): void {
  button.disabled = input.value.trim() !== expected
}
input.addEventListener("input", check)
addEventListener("pageshow", check)
check()
