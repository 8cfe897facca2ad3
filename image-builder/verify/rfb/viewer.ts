import { setTimeout as sleep } from "node:timers/promises"
import { WebSocket } from "ws"
import { CheckFailure } from "../check.ts"
import { connectTls, type Door } from "../door.ts"
import { type ByteReader, createByteReader } from "./byte-reader.ts"
import { type Frame, newFrame, putRectangle } from "./frame.ts"
import { type Stroke, strokes } from "./keys.ts"

/** How a stream ended: the WebSocket's code, and when by the clock of `performance.now()`. */
export interface Closed {
  code: number
  at: number
}

/** A person's viewer without a window: it keeps the picture current, and sends keys and the pointer. */
export interface Viewer {
  /** The picture as it is now; the same object changes with every update, and is another one after a resize. */
  frame(): Frame
  /** Updates that have come so far. */
  updates(): number
  /** Asks for the whole picture again. */
  refresh(): void
  type(text: string): Promise<void>
  /** Presses keys together, in this order, and lets go in the other. */
  chord(...keysyms: number[]): Promise<void>
  /** Moves the pointer without a button. */
  point(at: { x: number; y: number }): void
  click(at: { x: number; y: number }): Promise<void>
  closed: Promise<Closed>
  isOpen(): boolean
  close(): void
}

const ENCODINGS = { raw: 0, copyRectangle: 1, desktopSize: -223 }
/** Between two characters: a fast typist. */
const STROKE_MS = 15

/** Opens a stream as the viewer page does. @throws CheckFailure with the status when the machine refuses it */
export async function openViewer(
  door: Door,
  options: { token: string; limit: number; origin?: string },
): Promise<Viewer> {
  const socket = await openSocket(door, options)
  const reader = createByteReader()
  const closed = new Promise<Closed>(resolve => socket.once("close", code => resolve({ code, at: performance.now() })))
  socket.on("message", data => reader.push(data as Buffer))
  closed.then(({ code }) => reader.end(new CheckFailure(`The stream was closed with the code ${code}`)))
  const late = setTimeout(() => socket.terminate(), options.limit)
  let frame: Frame
  try {
    frame = await shakeHands(socket, reader)
  } catch (error) {
    socket.terminate()
    throw error
  } finally {
    clearTimeout(late)
  }
  let updates = 0
  const update = (isIncremental: boolean) => {
    const message = Buffer.alloc(10)
    message.set([3, isIncremental ? 1 : 0])
    message.writeUInt16BE(frame.width, 6)
    message.writeUInt16BE(frame.height, 8)
    socket.send(message)
  }
  async function follow(): Promise<void> {
    for (let isWhole = true; ; ) {
      update(!isWhole)
      const next = await readUpdate(reader, frame)
      isWhole = next !== frame
      frame = next
      updates++
    }
  }
  follow().catch(() => socket.terminate())

  // In one message: were the release late, a slow machine would take the key as held, and repeat it.
  const press = async (keys: Stroke[]) => {
    socket.send(Buffer.concat(keys.map(keyEvent)))
    await sleep(STROKE_MS)
  }
  const pointer = (x: number, y: number, buttons: number) => {
    const message = Buffer.alloc(6)
    message.set([5, buttons])
    message.writeUInt16BE(x, 2)
    message.writeUInt16BE(y, 4)
    socket.send(message)
  }
  return {
    frame: () => frame,
    updates: () => updates,
    closed,
    refresh: () => update(false),
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () => socket.close(),
    type: async text => {
      for (const keys of strokes(text)) await press(keys)
    },
    chord: (...keysyms) =>
      press([
        ...keysyms.map(keysym => ({ keysym, down: true })),
        ...keysyms.toReversed().map(keysym => ({ keysym, down: false })),
      ]),
    point: ({ x, y }) => pointer(x, y, 0),
    click: async ({ x, y }) => {
      for (const buttons of [0, 1, 0]) {
        pointer(x, y, buttons)
        await sleep(50)
      }
    },
  }
}

function keyEvent({ keysym, down }: Stroke): Buffer {
  const message = Buffer.alloc(8)
  message.set([4, down ? 1 : 0])
  message.writeUInt32BE(keysym, 4)
  return message
}

function openSocket(door: Door, options: { token: string; limit: number; origin?: string }): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${door.name}/vnc`, ["binary"], {
      createConnection: () => connectTls(door),
      origin: options.origin ?? `https://${door.name}`,
      headers: { cookie: `__Host-foozol=${options.token}` },
      perMessageDeflate: false,
      handshakeTimeout: options.limit,
    })
    socket.once("open", () => resolve(socket))
    socket.on("error", reject)
    socket.once("unexpected-response", (request, response) => {
      request.destroy()
      reject(new CheckFailure(`The upgrade of /vnc was answered with ${response.statusCode}`))
    })
  })
}

/** RFB 3.8 without a password of its own: NGINX has decided already. */
async function shakeHands(socket: WebSocket, reader: ByteReader): Promise<Frame> {
  const version = (await reader.take(12)).toString("latin1")
  if (!version.startsWith("RFB 003."))
    throw new CheckFailure(`The stream began with ${JSON.stringify(version)}, not RFB`)
  socket.send(Buffer.from("RFB 003.008\n", "latin1"))
  const count = (await reader.take(1))[0] ?? 0
  const kinds = await reader.take(count)
  if (!kinds.includes(1))
    throw new CheckFailure(`VNC wants a password of its own (kinds ${[...kinds].join(", ") || "none"})`)
  socket.send(Buffer.of(1))
  if ((await reader.take(4)).readUInt32BE() !== 0) throw new CheckFailure("VNC refused the connection")
  socket.send(Buffer.of(1))
  const head = await reader.take(24)
  await reader.take(head.readUInt32BE(20))
  // 32 bits a pixel, depth 24, little-endian, true colour: as the display has it, so nothing is converted.
  socket.send(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]))
  const wanted = Object.values(ENCODINGS)
  const encodings = Buffer.alloc(4 + 4 * wanted.length)
  encodings.set([2, 0, 0, wanted.length])
  for (const [index, encoding] of wanted.entries()) encodings.writeInt32BE(encoding, 4 + 4 * index)
  socket.send(encodings)
  return newFrame(head.readUInt16BE(0), head.readUInt16BE(2))
}

/** Reads messages up to the next update of the picture, and answers the frame: another one when its size changed. */
async function readUpdate(reader: ByteReader, frame: Frame): Promise<Frame> {
  for (;;) {
    const type = (await reader.take(1))[0]
    if (type === 0) {
      const count = (await reader.take(3)).readUInt16BE(1)
      let now = frame
      for (let index = 0; index < count; index++) now = await readRectangle(reader, now)
      return now
    }
    if (type === 2) continue
    if (type === 1) await reader.take(6 * (await reader.take(5)).readUInt16BE(3))
    else if (type === 3) await reader.take((await reader.take(7)).readUInt32BE(3))
    else throw new CheckFailure(`VNC sent a message of the unknown type ${type}`)
  }
}

async function readRectangle(reader: ByteReader, frame: Frame): Promise<Frame> {
  const head = await reader.take(12)
  const [x, y, width, height] = [0, 2, 4, 6].map(offset => head.readUInt16BE(offset)) as [
    number,
    number,
    number,
    number,
  ]
  const encoding = head.readInt32BE(8)
  if (encoding === ENCODINGS.desktopSize) return newFrame(width, height)
  if (encoding === ENCODINGS.raw) putRectangle(frame, { x, y, width, height }, await reader.take(width * height * 4))
  else if (encoding === ENCODINGS.copyRectangle) {
    const from = await reader.take(4)
    const source = { x: from.readUInt16BE(0), y: from.readUInt16BE(2) }
    const lines = Array.from({ length: height }, (_, row) => {
      const start = ((source.y + row) * frame.width + source.x) * 4
      return frame.pixels.subarray(start, start + width * 4)
    })
    putRectangle(frame, { x, y, width, height }, Buffer.concat(lines))
  } else throw new CheckFailure(`VNC sent pixels in the encoding ${encoding}, which nobody asked for`)
  return frame
}
