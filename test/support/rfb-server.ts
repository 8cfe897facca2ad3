import { createServer, type Socket } from "node:net"

export type RfbInput =
  | { type: "key"; down: boolean; keysym: number }
  | { type: "pointer"; buttons: number; x: number; y: number }
  | { type: "cut-text"; text: string }

const WIDTH = 320
const HEIGHT = 240
/** Quarters of the picture, as red, green, blue: upper left, upper right, lower left, lower right. */
export const QUARTERS = [
  [220, 40, 40],
  [40, 180, 60],
  [40, 80, 220],
  [230, 200, 40],
] as const

/** Lengths of the client's messages of a fixed length; the others are told by their own fields. */
const FIXED: Record<number, number> = { 0: 20, 3: 10, 4: 8, 5: 6 }

/** A scripted RFB 3.8 server without a desktop: one picture, and a record of what the viewer sends. */
export async function startRfbServer() {
  const inputs: RfbInput[] = []
  const sockets = new Set<Socket>()
  let isHeld = false
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket)).on("error", () => {})
    serve(
      socket,
      input => inputs.push(input),
      () => isHeld,
    )
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("The RFB server has no port")
  return {
    port: address.port,
    inputs,
    connections: () => sockets.size,
    /** While true, nobody is sent a picture who asks for one for the first time. */
    hold: (held: boolean) => {
      isHeld = held
    },
    drop: () => {
      for (const socket of sockets) socket.destroy()
    },
    stop: () =>
      new Promise<void>(resolve => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

const LOOK_MS = 20

function serve(socket: Socket, record: (input: RfbInput) => void, isHeld: () => boolean): void {
  let buffered = Buffer.alloc(0)
  let step: "version" | "security" | "init" | "messages" = "version"
  let painted = false
  const take = (length: number): Buffer | undefined => {
    if (buffered.length < length) return undefined
    const taken = buffered.subarray(0, length)
    buffered = buffered.subarray(length)
    return taken
  }
  const advance = (): boolean => {
    if (step === "messages") return message()
    if (take(step === "version" ? 12 : 1) === undefined) return false
    // One security type, 1 (none); then its result, 0 (good); then the picture's size and format.
    if (step === "version") socket.write(Buffer.from([1, 1]))
    else socket.write(step === "security" ? Buffer.alloc(4) : serverInit())
    step = step === "version" ? "security" : step === "security" ? "init" : "messages"
    return true
  }
  const paint = (): void => {
    if (socket.destroyed) return
    if (isHeld()) setTimeout(paint, LOOK_MS)
    else socket.write(picture())
  }
  const message = (): boolean => {
    const type = buffered[0]
    if (type === undefined) return false
    const bytes = take(messageLength(buffered))
    if (bytes === undefined) return false
    if (type === 3 && !painted) {
      painted = true
      paint()
    }
    if (type === 4) record({ type: "key", down: bytes[1] === 1, keysym: bytes.readUInt32BE(4) })
    if (type === 5)
      record({ type: "pointer", buttons: bytes.readUInt8(1), x: bytes.readUInt16BE(2), y: bytes.readUInt16BE(4) })
    if (type === 6) record({ type: "cut-text", text: bytes.toString("latin1", 8) })
    return true
  }
  socket.write("RFB 003.008\n")
  socket.on("data", data => {
    buffered = Buffer.concat([buffered, data])
    while (advance());
  })
}

/** Infinity while too little has come to know. */
function messageLength(bytes: Buffer): number {
  const type = bytes.readUInt8(0)
  const fixed = FIXED[type]
  if (fixed !== undefined) return fixed
  if (type === 2) return bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + 4 * bytes.readUInt16BE(2)
  if (type === 6) return bytes.length < 8 ? Number.POSITIVE_INFINITY : 8 + bytes.readUInt32BE(4)
  throw new Error(`The viewer sent a message of type ${type}, which this server does not know`)
}

function serverInit(): Buffer {
  const name = Buffer.from("scripted")
  const head = Buffer.alloc(24)
  head.writeUInt16BE(WIDTH, 0)
  head.writeUInt16BE(HEIGHT, 2)
  // 32 bits a pixel, depth 24, little-endian, true colour, 255 for each, red lowest: as noVNC asks for.
  Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16]).copy(head, 4)
  head.writeUInt32BE(name.length, 20)
  return Buffer.concat([head, name])
}

function picture(): Buffer {
  const head = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, WIDTH >> 8, WIDTH & 255, HEIGHT >> 8, HEIGHT & 255, 0, 0, 0, 0])
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 4)
  for (let at = 0; at < WIDTH * HEIGHT; at++) {
    const right = at % WIDTH >= WIDTH / 2 ? 1 : 0
    const lower = at >= (WIDTH * HEIGHT) / 2 ? 2 : 0
    const [red, green, blue] = QUARTERS[right + lower] ?? QUARTERS[0]
    pixels.set([red, green, blue, 255], at * 4)
  }
  return Buffer.concat([head, pixels])
}
