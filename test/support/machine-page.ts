import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import type { MachineNginx } from "./machine-nginx.ts"
import type { TestAgent } from "./test-agent.ts"

/**
 * A page of a machine, entered with a ticket as from the service.
 * @param to where the ticket leads
 * @param faults gets what the page's scripts throw, and what its policy forbids
 */
export async function enterMachine(
  browser: Browser,
  {
    desk,
    nginx,
    to,
    token,
    faults,
  }: { desk: TestAgent; nginx: MachineNginx; to: string; token: string; faults: string[] },
  options: BrowserContextOptions,
): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    ignoreHTTPSErrors: true,
    ...options,
  })
  const page = await context.newPage()
  page.on("pageerror", error => faults.push(error.message))
  page.on("console", message => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text())
  })
  desk.service.tickets.set(`ticket-${token}`, token)
  await page.goto(`https://127.0.0.1:${nginx.port}/enter?ticket=ticket-${token}&to=${to}`)
  return { context, page }
}

/** Keeps a picture of the page where FOOZOL_SHOTS names a folder for them. */
export async function shootPage(page: Page, name: string): Promise<void> {
  const folder = process.env.FOOZOL_SHOTS
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
