import { createServer, type IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"

export interface ReceivedHook {
  headers: IncomingHttpHeaders
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what they know
  body: any
}

/** A program that takes webhooks on loopback; it answers what a test says. */
export async function startWebhookReceiver() {
  const hooks: ReceivedHook[] = []
  const receiver = { hooks, url: "", status: 204, headers: {} as Record<string, string>, silent: false, close }
  const server = createServer(async (request, response) => {
    const text = (await request.toArray()).map(String).join("")
    hooks.push({ headers: request.headers, text, body: JSON.parse(text) })
    if (!receiver.silent) response.writeHead(receiver.status, receiver.headers).end()
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  function close(): void {
    server.closeAllConnections()
    server.close()
  }
  return receiver
}
