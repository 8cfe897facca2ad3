/// <reference lib="dom" />
import { element } from "./dom.ts"

/** Says that the workspace is about to stop, until that is called off, with the button that calls it off. */
export function createStopBanner({ stayOn, say }: { stayOn: () => Promise<boolean>; say: (text: string) => void }) {
  const [banner, text] = [element("stop-banner"), element("stop-banner-text")]
  const button = element<HTMLButtonElement>("stop-banner-stay")
  button.addEventListener("click", async () => {
    button.disabled = true
    // Where it was heard, the service answers by calling the stop off, which hides this.
    if (await stayOn()) say("Your workspace has been told that you are here.")
    else say("The service could not be told. Use the desktop: that keeps your workspace on as well.")
    button.disabled = false
  })
  return {
    show: (words: string) => {
      // Unchanged text is left alone, or a screen reader would say it again.
      if (text.textContent !== words) text.textContent = words
      banner.hidden = false
    },
    hide: () => {
      banner.hidden = true
    },
  }
}
