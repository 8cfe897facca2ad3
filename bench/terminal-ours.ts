/** The agent's terminals alone, as the image bundles them: `terminal-ours.ts PORT TMUX-SOCKET HOME`. */
import { createHttp } from "../image-builder/agent/http.ts"
import { createRelay } from "../image-builder/agent/relay/relay.ts"
import { run } from "../image-builder/agent/run.ts"
import { openTerminalStream } from "../image-builder/agent/terminals/stream.ts"
import { createTerminals } from "../image-builder/agent/terminals/terminals.ts"
import { createViewerEvents } from "../image-builder/agent/viewer-events.ts"

const [port, socket = "", home = "/"] = process.argv.slice(2)
const log = { info: () => {}, warn: console.error }
const terminals = createTerminals({ socket, folder: () => home, run, log })
createHttp({
  relay: createRelay({ vnc: { host: "127.0.0.1", port: 9 }, authorize: async () => "admitted" }),
  ways: {
    "/terminal/stream": {
      deflates: true,
      open: (client, events, deflates) => openTerminalStream(client, terminals, events, deflates),
    },
  },
  events: createViewerEvents(),
  display: { size: async () => null, resize: async () => null },
  status: async () => ({}),
  stayOn: async () => true,
  firstFrame: () => {},
}).listen(Number(port), "127.0.0.1")
