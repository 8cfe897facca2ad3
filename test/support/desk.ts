/// <reference lib="dom" />
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Page } from "playwright-core"
import { HOST_FROM_MACHINES } from "../../local-cloud/host-address.ts"
import { waitUntil } from "./wait-until.ts"

/** Fraction of a picture's width at which the terminal can be clicked on every desktop. */
const TERMINAL_AT = 0.15

/** How many different colours a viewer's picture has, looked at point by point; 0 without a picture. */
export function coloursOf(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("#screen canvas")
    const { width = 0, height = 0 } = canvas ?? {}
    if (!canvas || width === 0 || height === 0) return 0
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, width, height).data ?? []
    const seen = new Set<number>()
    // One point in 53 finds the letters of a terminal, and is no multiple of a line's length.
    for (let at = 0; at < pixels.length; at += 4 * 53) {
      seen.add(((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0))
    }
    return seen.size
  })
}

/** Waits until a viewer shows more than one plain colour. */
export async function pictureIsThere(page: Page): Promise<void> {
  await page.waitForSelector("#screen canvas", { timeout: 600_000 })
  await waitUntil("the desktop's picture", async () => (await coloursOf(page)) >= 8, 600_000)
}

/** Listens for what machines of the local cloud send here; they call this machine's loopback by `HOST_FROM_MACHINES`. */
export async function startMailbox() {
  const mails: string[] = []
  const server = createServer((request, response) => {
    let text = ""
    request.setEncoding("utf8").on("data", part => {
      text += part
    })
    request.on("end", () => {
      mails.push(text.trim())
      response.end("thanks\n")
    })
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `${HOST_FROM_MACHINES}:${port}`,
    mails,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/**
 * Types a line into the terminal of a desktop, whose answer goes to the mailbox, and returns it. Typed again when
 * nothing comes: a terminal that has just been painted may not take keys yet.
 */
export async function runOnDesktop(
  page: Page,
  mailbox: Awaited<ReturnType<typeof startMailbox>>,
  command: string,
): Promise<string> {
  const before = mailbox.mails.length
  const box = await page.locator("#screen canvas").boundingBox()
  if (!box) throw new Error("The viewer shows no desktop.")
  for (let attempt = 0; attempt < 5; attempt++) {
    await page.mouse.click(box.x + box.width * TERMINAL_AT, box.y + box.height / 2)
    // What a line of which only a part arrived has begun.
    await page.keyboard.press("Control+c")
    await page.keyboard.press("Control+u")
    await page.keyboard.type(`{ ${command}; } | curl -s --data-binary @- ${mailbox.address}`, { delay: 40 })
    await page.keyboard.press("Enter")
    const answer = await waitUntil(
      "an answer from the terminal",
      () => mailbox.mails[before] !== undefined,
      40_000,
    ).catch(() => false)
    if (answer) return mailbox.mails[before] as string
  }
  throw new Error(`Typing into the terminal had no effect: ${command}`)
}
