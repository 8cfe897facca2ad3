/**
 * A viewer of a terminal, ours or ttyd's, in a process of its own: `terminal-load.ts ROLE KIND PORT …`. Answers over
 * the channel to its parent.
 */
import { once } from "node:events"
import type { Socket } from "node:net"
import xterm from "@xterm/headless"
import WebSocket from "ws"
import { fromLike } from "../image-builder/agent/terminals/like.ts"
import { HEADER, KIND, message, say } from "../image-builder/agent/terminals/protocol.ts"

export const COLS = 120
export const ROWS = 40
type Kind = "ours" | "ttyd"
interface Viewer {
  type(text: string): void
  /** Hears output; the function is to be called when it is taken. */
  onOutput(hear: (bytes: Buffer, taken: () => void) => void): void
  /** Looks at the other terminals too, as far as one page may; says how many those are. */
  watchAll(): Promise<number>
  /** Bytes of the connection since it was upgraded. */
  wire(): number
}

const [role, kind, port = "0", ...more] = process.argv.slice(2)
const tell = (given: object) => process.send?.(given)
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** As a browser offers it: compression too. */
async function open(kind: Kind, port: number): Promise<Viewer> {
  const [path, protocol] = kind === "ours" ? ["/terminal/stream", "binary"] : ["/ws", "tty"]
  const headers = kind === "ours" ? { "x-foozol-token": "t" } : {}
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol, { headers, perMessageDeflate: true })
  let below: Socket | undefined
  socket.on("upgrade", response => {
    below = response.socket
  })
  await once(socket, "open")
  let hear: (bytes: Buffer, taken: () => void) => void = (_, taken) => taken()
  let total = 0
  let ids: string[] = []
  let isWatching = false
  let last: Uint8Array = new Uint8Array()
  const taken = (bytes: number) => {
    total += bytes
    const payload = Buffer.alloc(8)
    payload.writeDoubleBE(total)
    socket.send(message(KIND.taken, 1, payload))
  }
  // As the page does: not for every byte.
  let unsaid = 0
  const take = (bytes: number) => {
    unsaid += bytes
    if (unsaid < 8_192) return
    taken(unsaid)
    unsaid = 0
  }
  const isReady = new Promise<void>(resolve => {
    socket.on("message", (data: Buffer) => {
      if (kind === "ttyd") {
        // '0' is output; titles and preferences come in others.
        if (data[0] !== 0x30) return
        resolve()
        hear(data.subarray(1), () => {})
      } else if (data[0] === KIND.json) {
        const word = JSON.parse(data.subarray(HEADER).toString())
        if (word.is === "terminals") ids = word.all.map((one: { id: string }) => one.id)
        if (word.is !== "terminals" || word.all.length === 0 || isWatching) return
        isWatching = true
        socket.send(say({ do: "watch", channel: 1, id: word.all[0].id }))
        socket.send(say({ do: "size", channel: 1, cols: COLS, rows: ROWS }))
      } else {
        const told = data.subarray(HEADER)
        const payload = data[0] === KIND.like ? Buffer.from(fromLike(last, told)) : told
        if (data[0] !== KIND.anew) last = payload
        resolve()
        hear(payload, () => take(payload.length))
      }
    })
  })
  if (kind === "ttyd") socket.send(JSON.stringify({ AuthToken: "", columns: COLS, rows: ROWS }))
  await isReady
  await pause(500)
  const before = below?.bytesRead ?? 0
  return {
    type: text => socket.send(kind === "ours" ? message(KIND.bytes, 1, Buffer.from(text)) : Buffer.from(`0${text}`)),
    onOutput: given => {
      hear = given
    },
    watchAll: async () => {
      ids.slice(1, 16).forEach((id, at) => {
        socket.send(say({ do: "watch", channel: at + 2, id }))
      })
      await pause(3_000)
      return ids.length
    },
    wire: () => (below?.bytesRead ?? 0) - before,
  }
}

/** One key after the other, each when the last one's echo was there; milliseconds each took. */
async function echo(viewer: Viewer, count: number): Promise<number[]> {
  const samples: number[] = []
  let wanted = 0
  let come: () => void = () => {}
  viewer.onOutput((bytes, taken) => {
    if (bytes.includes(wanted)) come()
    taken()
  })
  for (let at = 0; at < count; at++) {
    // A line is ended before it is full.
    if (at % 60 === 59) {
      viewer.type("\r")
      await pause(30)
    }
    // Capital letters, since those of control sequences are few; and no letter twice in a row.
    wanted = 0x47 + (at % 4)
    const back = new Promise<void>(resolve => {
      come = resolve
    })
    const began = performance.now()
    viewer.type(String.fromCharCode(wanted))
    await back
    samples.push(performance.now() - began)
    await pause(4)
  }
  return samples
}

/** How long after Ctrl-C, in the middle of a flood, the shell's next word stands on the screen; milliseconds. */
async function interrupt(viewer: Viewer, forMs: number): Promise<{ ms: number; bytes: number }> {
  const emulator = new xterm.Terminal({ cols: COLS, rows: ROWS, scrollback: 1_000, allowProposedApi: true })
  let done: () => void = () => {}
  const isThere = () => {
    const { active } = emulator.buffer
    const lines = Array.from({ length: ROWS }, (_, row) => active.getLine(active.baseY + row)?.translateToString(true))
    return lines.some(line => line?.includes("STOPPED"))
  }
  viewer.onOutput((bytes, taken) =>
    emulator.write(bytes, () => {
      taken()
      if (isThere()) done()
    }),
  )
  // An interactive shell would end the whole line with its first command.
  viewer.type(`clear; sh -c 'trap : INT; yes "a line of a flood that goes on and on"; echo STOP""PED'\r`)
  await pause(forMs)
  const stopped = new Promise<void>(resolve => {
    done = resolve
  })
  const began = performance.now()
  viewer.type("\x03")
  await stopped
  return { ms: performance.now() - began, bytes: viewer.wire() }
}

const viewer = await open(kind as Kind, Number(port))
tell({ ready: true })
if (role === "echo") {
  const count = Number(more[0])
  viewer.type("cat\r")
  await pause(500)
  const samples = await echo(viewer, count)
  viewer.type("\x03")
  await pause(200)
  tell({ samples })
} else if (role === "interrupt") tell(await interrupt(viewer, Number(more[0])))
else if (role === "bytes") {
  viewer.onOutput((_, taken) => taken())
  viewer.type(`clear; ${more[1]}; echo\r`)
  await pause(Number(more[0]) * 1_000)
  tell({ bytes: viewer.wire() })
} else if (role === "many") tell({ many: await viewer.watchAll() })
process.on("disconnect", () => process.exit(0))
