/** The agent's way to the files alone, which admits everybody: `files-door.ts SOCKET PROGRAMS-SOCKET HOME`. */
import { createFilesDoor } from "../../image-builder/agent/files/door.ts"
import { createHttp } from "../../image-builder/agent/http.ts"
import { createRelay } from "../../image-builder/agent/relay/relay.ts"
import { createViewerEvents } from "../../image-builder/agent/viewer-events.ts"

const [at = "", socket = "", home = ""] = process.argv.slice(2)
const relay = createRelay({ vnc: { host: "127.0.0.1", port: 9 }, authorize: async () => "admitted" })
createHttp({
  relay,
  files: createFilesDoor({ relay, socket, home }),
  events: createViewerEvents(),
  display: { size: async () => null, resize: async () => null },
  status: async () => ({}),
  stayOn: async () => true,
  firstFrame: () => {},
}).listen(at)
