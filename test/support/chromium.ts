import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { type Browser, chromium } from "playwright-core"

/** The system's Chromium, or undefined where there is none. */
export function findChromium(): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap(folder => ["chromium", "chromium-browser", "google-chrome"].map(name => join(folder, name)))
    .find(path => existsSync(path))
}

export function launchChromium(executablePath: string): Promise<Browser> {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
  return chromium.launch({ executablePath, headless: true, args })
}
