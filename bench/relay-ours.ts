/** The agent's relay alone on a TCP port, for bench/relay.ts, which bundles it as the image does. */
import { createHttp } from "../image-builder/agent/http.ts"
import { createRelay } from "../image-builder/agent/relay/relay.ts"
import { createViewerEvents } from "../image-builder/agent/viewer-events.ts"

const [port, target] = process.argv.slice(2).map(Number)
const relay = createRelay({
  vnc: { host: "127.0.0.1", port: target ?? 0 },
  authorize: () => Promise.resolve("admitted"),
})
const server = createHttp({
  relay,
  events: createViewerEvents(),
  display: { size: () => Promise.resolve(null), resize: () => Promise.resolve(null) },
  status: () => Promise.resolve({}),
  stayOn: () => Promise.resolve(true),
  firstFrame: () => {},
})
server.listen(port, "127.0.0.1")
