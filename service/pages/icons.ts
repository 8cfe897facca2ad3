import { type Html, html, trusted } from "./html.ts"

/** Path data on a 24 by 24 grid, drawn with a stroke. */
const PATHS = {
  alert: "M12 8v5M12 16.5v.01M10.3 4.2 2.8 17.2a2 2 0 0 0 1.7 3h15a2 2 0 0 0 1.7-3L13.7 4.2a2 2 0 0 0-3.4 0z",
  arrow: "M5 12h14M13 6l6 6-6 6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  chevron: "M7 10l5 5 5-5",
  clock: "M12 7v5l3 2M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  cross: "M7 7l10 10M17 7L7 17",
  dash: "M8 12h8",
  disk: "M5 5h11l3 3v11H5zM8 5v5h7V5M8 19v-5h8v5",
  external: "M14 5h5v5M19 5l-8 8M17 14v4a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h4",
  globe: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3.5 9h17M3.5 15h17M12 3c-5 5.5-5 12.5 0 18M12 3c5 5.5 5 12.5 0 18",
  info: "M12 11v5M12 8v.01M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  key: "M14.5 9.5a4 4 0 1 0-3.5 4l1.5 1.5h2v2h2v2h3v-3.5l-5.3-5.3M9.5 8.5v.01",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  machine: "M4 5h16v11H4zM9 20h6M12 16v4",
  play: "M8 5.5v13l10.5-6.5z",
  plus: "M12 5v14M5 12h14",
  retry: "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
  stop: "M7 7h10v10H7z",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  user: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  window: "M4 5h16v14H4zM4 9h16M7 7v.01M9.5 7v.01",
} as const
export type IconName = keyof typeof PATHS

/** An icon beside words that say the same; hidden from screen readers. */
export const icon = (name: IconName): Html =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="${PATHS[name]}"/></svg>`

/** The product's mark, as the viewer on the machine shows it. */
export const mark = (): Html =>
  trusted(
    '<span class="mark"><svg viewBox="0 0 32 32" aria-hidden="true" focusable="false"><path d="M9 11l6 5-6 5M17 22h7"/></svg></span>',
  )

/** The mark as a file of its own, for the browser's tab. */
export const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><defs><linearGradient id="g" x1="0" y1="0" x2=".5" y2="1"><stop stop-color="#44918e"/><stop offset="1" stop-color="#245a61"/></linearGradient></defs><rect width="32" height="32" rx="9" fill="url(#g)"/><path d="M9 11l6 5-6 5M17 22h7" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>`
