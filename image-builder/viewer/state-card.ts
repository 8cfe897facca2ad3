/// <reference lib="dom" />
import type { State } from "./connection.ts"
import { element } from "./dom.ts"

type Words = { title: string; text: string; mood: "busy" | "rest" | "stop"; link?: string; retry?: string }

const SERVICE_AWAY = "Nobody can be let in until it answers again. Your programs keep running on your workspace."

/** What the page shows. */
export type Shown = "desktop" | "terminal" | "page of files" | "page of agents"

function words(state: State, shown: Shown): Words {
  switch (state.name) {
    case "connecting":
      return { title: "Connecting", text: `Opening your ${shown}.`, mood: "busy" }
    case "connected":
      return { title: "Connected", text: "", mood: "busy" }
    case "offline":
      return { title: "You are offline", text: `The ${shown} comes back as soon as your network does.`, mood: "rest" }
    case "sleeping":
      return {
        title: "Your workspace sleeps",
        text: sleepWords(state.reason),
        mood: "rest",
        link: "Wake it up",
        retry: "Try again",
      }
    case "signed-out":
      return {
        title: "You were signed out",
        text: `This ${shown} was closed here. Your programs keep running on your workspace.`,
        mood: "stop",
        link: "Sign in again",
        retry: "Try again",
      }
    case "waiting":
      if (state.cause === "away")
        return { title: "The service is away", text: SERVICE_AWAY, mood: "busy", retry: "Try now" }
      if (state.cause === "starting")
        return {
          title: "Your workspace is starting",
          text: `The ${shown} is not up yet.`,
          mood: "busy",
          retry: "Try now",
        }
      return {
        title: "Connection lost",
        text: "Your programs keep running. Reconnecting.",
        mood: "busy",
        retry: "Try now",
      }
  }
}

/** Why it sleeps, and what of it; of one that was not merely stopped nothing is promised. */
function sleepWords(reason: string | undefined): string {
  if (reason === undefined) return "Everything is where you left it. Wake it up to go on."
  return /^It was stopped/.test(reason) ? `${reason} Everything is where you left it. Wake it up to go on.` : reason
}

/** The card over what is shown while there is no connection, and the last picture behind it where there is one. */
export function createStateCard(retry: () => void, shown: Shown = "desktop") {
  const [card, title, text] = [element("state"), element("state-title"), element("state-text")]
  const [link, again] = [element<HTMLAnchorElement>("state-link"), element<HTMLButtonElement>("state-retry")]
  const countdown = element("state-countdown")
  const frozen = document.querySelector<HTMLImageElement>("#frozen")
  let ticking: ReturnType<typeof setInterval> | undefined
  let service: string | undefined
  again.addEventListener("click", retry)

  const tick = (retryAt: number) => {
    const seconds = Math.ceil((retryAt - Date.now()) / 1000)
    countdown.textContent = seconds > 1 ? `Next try in ${seconds} s` : "Trying now"
  }
  return {
    show: (state: State) => {
      clearInterval(ticking)
      const { mood, link: linkText, retry: retryText, ...said } = words(state, shown)
      document.documentElement.dataset.state = state.name
      if (state.name === "signed-out") frozen?.removeAttribute("src")
      if (state.name === "connected") return
      card.dataset.mood = mood
      // Unchanged text is left alone, or a screen reader would say it again at every try.
      if (title.textContent !== said.title) title.textContent = said.title
      if (text.textContent !== said.text) text.textContent = said.text
      link.textContent = linkText ?? ""
      link.hidden = linkText === undefined || service === undefined
      again.textContent = retryText ?? ""
      again.hidden = retryText === undefined
      again.classList.toggle("quiet", !link.hidden)
      countdown.hidden = state.name !== "waiting"
      if (state.name !== "waiting") return
      tick(state.retryAt)
      ticking = setInterval(() => tick(state.retryAt), 500)
    },
    /** Where "wake" and "sign in" lead; the machine says it while it can. */
    setService: (address: string | null | undefined) => {
      if (!address || !/^https?:\/\//.test(address)) return
      service = address
      link.href = address
    },
    freeze: (picture: Blob) => {
      if (frozen === null || document.documentElement.dataset.state === "signed-out") return
      if (frozen.src !== "") URL.revokeObjectURL(frozen.src)
      frozen.src = URL.createObjectURL(picture)
    },
  }
}
