import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { type Browser, chromium } from "playwright-core"

/** The system's Chromium, or undefined where there is none. */
export function findChromium(): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap(folder => ["chromium", "chromium-browser", "google-chrome"].map(name => join(folder, name)))
    .find(path => existsSync(path))
}

export const CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]

/** How long a browser may take for anything: there to end a broken test, not to measure a busy computer. */
const LIMIT_MS = 180_000

/** @param home its home directory, where it is not the usual one */
export async function launchChromium(executablePath: string, home?: string): Promise<Browser> {
  const env = home === undefined ? {} : { env: { ...process.env, HOME: home } as Record<string, string> }
  const args = CHROMIUM_ARGUMENTS
  const browser = await chromium.launch({ executablePath, headless: true, timeout: LIMIT_MS, args, ...env })
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async options => {
    const context = await newContext(options)
    context.setDefaultTimeout(LIMIT_MS)
    return context
  }
  return browser
}

/** Has a Chromium with this home directory trust a certificate authority, as its settings page would. */
export function trustAuthority(home: string, pem: string): void {
  const store = join(home, ".pki", "nssdb")
  mkdirSync(store, { recursive: true })
  writeFileSync(join(home, "authority.pem"), pem)
  const certutil = (...args: string[]) => execFileSync("certutil", ["-d", `sql:${store}`, ...args], { stdio: "ignore" })
  certutil("-N", "--empty-password")
  certutil("-A", "-t", "C,,", "-n", "authority of the test", "-i", join(home, "authority.pem"))
}
