import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import WebSocket from "ws"

/** Encodings asked for: hextile, plain pixels as well, and to be told of another size of the display. */
const ENCODINGS = [5, 0, -223]
/** Hextile's marks of a tile. */
const [PLAIN, BACKGROUND, FOREGROUND, PARTS, COLOURED] = [1, 2, 4, 8, 16]

/** Someone who looks at a machine's desktop: the picture, keys and pointer. */
export interface RfbClient {
  width: number
  height: number
  /** Colour of each pixel, 0xRRGGBB, line by line. */
  pixels: Uint32Array
  /** Asks for the picture and waits for it; what has not changed is left out when `changes` is true. */
  look(changes?: boolean): Promise<void>
  type(text: string): void
  click(x: number, y: number): void
  /** Takes hold of what is at the first point and lets go of it at the second, about as fast as a hand does. */
  drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void>
  close(): void
}

/**
 * Connects through NGINX and the relay as a viewer does; resolves when the handshake is done.
 * @param servername by which a router finds the machine, where the URL has an address
 */
export async function openRfbClient(
  url: string,
  headers: Record<string, string>,
  servername?: string,
): Promise<RfbClient> {
  const options = { headers, rejectUnauthorized: false, perMessageDeflate: false, ...(servername && { servername }) }
  const socket = new WebSocket(url, "binary", options)
  const read = reader(socket)
  await once(socket, "open")
  await read(12)
  socket.send(Buffer.from("RFB 003.008\n"))
  await read((await read(1)).readUInt8())
  socket.send(Buffer.from([1]))
  await read(4)
  socket.send(Buffer.from([1]))
  const init = await read(24)
  await read(init.readUInt32BE(20))
  // 32 bits a pixel, little-endian, red highest.
  socket.send(Buffer.from([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]))
  const encodings = Buffer.alloc(4 + 4 * ENCODINGS.length)
  encodings.writeUInt8(2)
  encodings.writeUInt16BE(ENCODINGS.length, 2)
  for (const [index, encoding] of ENCODINGS.entries()) encodings.writeInt32BE(encoding, 4 + 4 * index)
  socket.send(encodings)

  const key = (keysym: number, down: boolean) => {
    const message = Buffer.from([4, Number(down), 0, 0, 0, 0, 0, 0])
    message.writeUInt32BE(keysym, 4)
    socket.send(message)
  }
  const pointer = (buttons: number, x: number, y: number) =>
    socket.send(Buffer.from([5, buttons, x >> 8, x & 255, y >> 8, y & 255]))
  const [width, height] = [init.readUInt16BE(0), init.readUInt16BE(2)]
  const client: RfbClient = {
    width,
    height,
    pixels: new Uint32Array(width * height),
    async look(changes = false) {
      const { width: w, height: h } = client
      socket.send(Buffer.from([3, Number(changes), 0, 0, 0, 0, w >> 8, w & 255, h >> 8, h & 255]))
      while (!(await takeMessage(client, read)));
    },
    type: text => {
      for (const letter of text) {
        const keysym = letter === "\n" ? 0xff0d : (letter.codePointAt(0) ?? 0)
        key(keysym, true)
        key(keysym, false)
      }
    },
    click: (x, y) => {
      pointer(0, x, y)
      pointer(1, x, y)
      pointer(0, x, y)
    },
    drag: async (from, to) => {
      // The first movement only says that it is a drag, so it is a small one.
      const parts = [0, 0, 0.002, 0.25, 0.5, 0.75, 1, 1, 1]
      for (const [index, part] of parts.entries()) {
        const between = (a: number, b: number) => Math.round(a + (b - a) * part)
        const isHeld = index > 0 && index < parts.length - 1
        pointer(isHeld ? 1 : 0, between(from.x, to.x), between(from.y, to.y))
        await sleep(150)
      }
    },
    close: () => socket.terminate(),
  }
  return client
}

type Read = (length: number) => Promise<Buffer>

/** Takes one message of the server; true when it was an update of the picture. */
async function takeMessage(client: RfbClient, read: Read): Promise<boolean> {
  const type = (await read(1)).readUInt8()
  if (type === 2) return false
  if (type === 3) {
    await read((await read(7)).readUInt32BE(3))
    return false
  }
  if (type !== 0) throw new Error(`The VNC server sent a message of type ${type}, which was not asked for.`)
  const rectangles = (await read(3)).readUInt16BE(1)
  for (let index = 0; index < rectangles; index++) {
    const head = await read(12)
    const [x = 0, y = 0, width = 0, height = 0] = [0, 2, 4, 6].map(at => head.readUInt16BE(at))
    const encoding = head.readInt32BE(8)
    if (encoding === -223) Object.assign(client, { width, height, pixels: new Uint32Array(width * height) })
    else if (encoding === 5) await takeTiles(client, read, { x, y, width, height })
    else if (encoding === 0) copy(client, await read(4 * width * height), { x, y, width, height })
    else throw new Error(`The VNC server sent the encoding ${encoding}, which was not asked for.`)
  }
  return true
}

type Area = { x: number; y: number; width: number; height: number }

async function takeTiles(client: RfbClient, read: Read, area: Area): Promise<void> {
  let [background, foreground] = [0, 0]
  const colour = async () => (await read(4)).readUInt32LE() & 0xffffff
  for (let y = area.y; y < area.y + area.height; y += 16) {
    for (let x = area.x; x < area.x + area.width; x += 16) {
      const width = Math.min(16, area.x + area.width - x)
      const height = Math.min(16, area.y + area.height - y)
      const marks = (await read(1)).readUInt8()
      if (marks & PLAIN) {
        copy(client, await read(4 * width * height), { x, y, width, height })
        continue
      }
      if (marks & BACKGROUND) background = await colour()
      fill(client, background, { x, y, width, height })
      if (marks & FOREGROUND) foreground = await colour()
      if (!(marks & PARTS)) continue
      const parts = (await read(1)).readUInt8()
      for (let part = 0; part < parts; part++) {
        const its = marks & COLOURED ? await colour() : foreground
        const place = await read(2)
        const [at, size] = [place.readUInt8(0), place.readUInt8(1)]
        fill(client, its, { x: x + (at >> 4), y: y + (at & 15), width: (size >> 4) + 1, height: (size & 15) + 1 })
      }
    }
  }
}

function fill({ pixels, width: line }: RfbClient, colour: number, { x, y, width, height }: Area): void {
  for (let row = y; row < y + height; row++) pixels.fill(colour, row * line + x, row * line + x + width)
}

function copy({ pixels, width: line }: RfbClient, bytes: Buffer, { x, y, width, height }: Area): void {
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      pixels[(y + row) * line + x + column] = bytes.readUInt32LE(4 * (row * width + column)) & 0xffffff
}

/** Reads exactly as many bytes as are asked for, in the order of asking. */
function reader(socket: WebSocket): Read {
  let chunks: Buffer[] = []
  let waiting = 0
  let wake = () => {}
  let ended: Error | undefined
  const end = (error?: Error) => {
    ended ??= error ?? new Error("The desktop's stream has ended.")
    wake()
  }
  socket.on("message", data => {
    chunks.push(data as Buffer)
    waiting += (data as Buffer).length
    wake()
  })
  socket.on("close", () => end())
  socket.on("error", end)
  return async length => {
    while (waiting < length) {
      if (ended) throw ended
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    const [first] = chunks
    if (first === undefined || first.length < length) chunks = [Buffer.concat(chunks)]
    const all = chunks[0] ?? Buffer.alloc(0)
    waiting -= length
    if (all.length === length) chunks.shift()
    else chunks[0] = all.subarray(length)
    return all.subarray(0, length)
  }
}
