import { spawn } from "node:child_process"

/** Opens an address where there is a display. */
export function openInBrowser(url: string): void {
  if (!process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return
  // Where it cannot be opened, the address has been printed.
  spawn("xdg-open", [url], { stdio: "ignore", detached: true })
    .on("error", () => {})
    .unref()
}
