import assert from "node:assert/strict"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { startTestService } from "../support/service.ts"
import { waitUntil } from "../support/wait-until.ts"

/** Longer than the 5 s that grant would wait by itself, shorter than the service's own patience. */
const DELAY_MS = 6_000

describe("service: a GitHub that takes its time", () => {
  it("is waited for", async () => {
    let target = ""
    const slow = createServer((asked, answer) => {
      const url = new URL(asked.url ?? "", target)
      const onward = () => {
        const headers = { ...asked.headers, host: url.host }
        const sent = request(url, { method: asked.method, headers }, given => {
          answer.writeHead(given.statusCode ?? 502, given.headers)
          given.pipe(answer)
        })
        asked.pipe(sent)
      }
      setTimeout(onward, url.pathname.endsWith("/access_token") ? DELAY_MS : 0)
    })
    await new Promise<void>(resolve => slow.listen(0, "127.0.0.1", resolve))
    const { port } = slow.address() as AddressInfo
    const test = await startTestService({ FOOZOL_GITHUB_URL: `http://127.0.0.1:${port}` })
    try {
      target = test.cloud.cloud.signIn?.url ?? ""
      const token = await test.token(await waitUntil("she is in", () => test.signIn("ada")))
      assert.equal((await test.api(token, "GET", "/me")).body.login, "ada")
    } finally {
      await test.close()
      slow.closeAllConnections()
      slow.close()
    }
  })
})
