/** What `/vnc/authorize` is measured against: Koa that answers 204 and asks nobody. Says at which port it listens. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import Koa from "koa"

const app = new Koa()
app.use(ctx => {
  if (ctx.path === "/vnc/authorize") ctx.status = 204
})
const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 15_000 }, app.callback())
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on("disconnect", () => process.exit(0))
