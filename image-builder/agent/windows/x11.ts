import { connect, type Socket } from "node:net"

/** What this agent needs of an X server: properties and places of windows, and to hear of changes. */
export interface XServer {
  root: number
  atom(name: string): Promise<number>
  /** Values of a property of 32-bit numbers; empty when the window has none. */
  numbers(window: number, property: string): Promise<number[]>
  /** A property of text, at its zero bytes cut into parts. */
  texts(window: number, property: string): Promise<string[]>
  setNumbers(window: number, property: string, values: number[]): Promise<void>
  /** Place of a window without its frame, as the display counts. */
  place(window: number): Promise<{ x: number; y: number; width: number; height: number }>
  /** Where the pointer is on the display. */
  pointer(): Promise<{ x: number; y: number }>
  /** Asks the window manager for something (EWMH): a message about a window, sent to the root window. */
  tell(window: number, message: string, values: number[]): Promise<void>
  /** Calls back whenever a property of the root window or its size has changed. */
  onRootChange(listener: () => void): void
  /** Calls back whenever a selection (`CLIPBOARD`) has another owner. @throws when the display cannot tell (XFixes) */
  onSelection(name: string, listener: () => void): Promise<void>
  /** Settles when the connection is gone. */
  closed: Promise<void>
  close(): void
}

const OPCODE = {
  attributes: 2,
  geometry: 14,
  intern: 16,
  change: 18,
  property: 20,
  send: 25,
  pointer: 38,
  translate: 40,
  extension: 98,
}
/** Of the extension XFixes, which has opcodes of its own below the one it is given. */
const [FIXES_VERSION, FIXES_SELECTION, SET_OWNER] = [0, 2, 1]
const [PROPERTY_CHANGE, STRUCTURE_NOTIFY, SUBSTRUCTURE] = [0x400000, 0x20000, 0x180000]
const EVENT_MASK = 0x800
const CARDINAL = 6
/** Longest property that is read, in 4-byte units. */
const MAX_PROPERTY = 4096
/** How long a display may take to answer the greeting, and to tell its size. */
const SETUP_MS = 5_000

type Reply = { resolve: (reply: Buffer) => void; reject: (error: Error) => void }

/** Connects to a display on this machine without credentials. @throws when it does not answer */
export async function openXServer(socketPath: string): Promise<XServer> {
  const socket = connect(socketPath)
  const replies = new Map<number, Reply>()
  const listeners: (() => void)[] = []
  const atoms = new Map<string, Promise<number>>()
  let fixesEvent: number | null = null
  const selectionListeners = new Map<number, () => void>()
  let sequence = 0
  // Its end is what is waited for; whatever it says about it comes to the same.
  socket.on("error", () => {})
  const root = await setUp(socket, socketPath)

  let buffered = Buffer.alloc(0)
  socket.on("data", chunk => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
    for (;;) {
      const length = messageLength(buffered)
      if (buffered.length < length) return
      take(buffered.subarray(0, length))
      buffered = buffered.subarray(length)
    }
  })
  const closed = new Promise<void>(resolve => {
    socket.once("close", () => {
      for (const reply of replies.values()) reply.reject(new Error("the display has closed the connection"))
      replies.clear()
      resolve()
    })
  })

  function take(message: Buffer): void {
    const kind = message.readUInt8()
    if (fixesEvent !== null && (kind & 0x7f) === fixesEvent) {
      selectionListeners.get(message.readUInt32LE(12))?.()
      return
    }
    if (kind > 1) {
      for (const listener of listeners) listener()
      return
    }
    const number = message.readUInt16LE(2)
    const reply = replies.get(number)
    replies.delete(number)
    if (kind === 1) reply?.resolve(message)
    else reply?.reject(new Error(`the display refused a request (${message.readUInt8(1)})`))
  }

  /** Sends a request; its length is its third and fourth byte, in units of four. */
  function send(opcode: number, data: number, body: Buffer): number {
    const padded = Buffer.concat([Buffer.alloc(4), body, Buffer.alloc(-body.length & 3)])
    padded.writeUInt8(opcode)
    padded.writeUInt8(data, 1)
    padded.writeUInt16LE(padded.length / 4, 2)
    socket.write(padded)
    sequence = (sequence + 1) & 0xffff
    return sequence
  }
  const ask = (opcode: number, data: number, body: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      if (socket.destroyed) return reject(new Error("the display is gone"))
      replies.set(send(opcode, data, body), { resolve, reject })
    })

  const atom = (name: string) => {
    const known = atoms.get(name) ?? ask(OPCODE.intern, 0, internBody(name)).then(reply => reply.readUInt32LE(8))
    atoms.set(name, known)
    return known
  }
  async function property(window: number, name: string): Promise<Buffer> {
    const reply = await ask(OPCODE.property, 0, words(window, await atom(name), 0, 0, MAX_PROPERTY))
    return reply.subarray(32, 32 + reply.readUInt32LE(16) * (reply.readUInt8(1) / 8))
  }

  return {
    root,
    atom,
    numbers: async (window, name) => {
      const bytes = await property(window, name)
      return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readUInt32LE(4 * index))
    },
    texts: async (window, name) => (await property(window, name)).toString().split("\0"),
    setNumbers: async (window, name, values) => {
      const head = words(window, await atom(name), CARDINAL, 32, values.length)
      send(OPCODE.change, 0, Buffer.concat([head, words(...values)]))
    },
    place: async window => {
      const [geometry, corner] = await Promise.all([
        ask(OPCODE.geometry, 0, words(window)),
        ask(OPCODE.translate, 0, words(window, root, 0)),
      ])
      const [x, y] = [corner.readInt16LE(12), corner.readInt16LE(14)]
      return { x, y, width: geometry.readUInt16LE(16), height: geometry.readUInt16LE(18) }
    },
    pointer: async () => {
      const reply = await ask(OPCODE.pointer, 0, words(root))
      return { x: reply.readInt16LE(16), y: reply.readInt16LE(18) }
    },
    tell: async (window, message, values) => {
      const event = Buffer.concat([words(0, window, await atom(message), ...values), Buffer.alloc(20)]).subarray(0, 32)
      event.writeUInt8(33)
      event.writeUInt8(32, 1)
      send(OPCODE.send, 0, Buffer.concat([words(root, SUBSTRUCTURE), event]))
    },
    onRootChange: listener => {
      if (listeners.push(listener) === 1)
        send(OPCODE.attributes, 0, words(root, EVENT_MASK, PROPERTY_CHANGE | STRUCTURE_NOTIFY))
    },
    onSelection: async (name, listener) => {
      const [fixes, selection] = await Promise.all([ask(OPCODE.extension, 0, internBody("XFIXES")), atom(name)])
      if (fixes.readUInt8(8) === 0) throw new Error("the display has no XFixes")
      const opcode = fixes.readUInt8(9)
      await ask(opcode, FIXES_VERSION, words(2, 0))
      fixesEvent = fixes.readUInt8(10)
      selectionListeners.set(selection, listener)
      send(opcode, FIXES_SELECTION, words(root, selection, SET_OWNER))
    },
    closed,
    close: () => socket.destroy(),
  }
}

/** The size of a display; null when it does not answer. */
export async function displaySize(socketPath: string): Promise<{ width: number; height: number } | null> {
  const server = await openXServer(socketPath).catch(() => null)
  if (server === null) return null
  const timer = setTimeout(server.close, SETUP_MS)
  try {
    const { width, height } = await server.place(server.root)
    return { width, height }
  } catch {
    return null
  } finally {
    clearTimeout(timer)
    server.close()
  }
}

/** The greeting: little-endian, version 11.0, no credentials. Resolves to the root window of the first screen. */
function setUp(socket: Socket, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      socket.destroy()
      reject(new Error(`no display answers at ${path}`))
    }
    socket.once("close", fail).setTimeout(SETUP_MS, fail)
    socket.write(Buffer.from([0x6c, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
    let text = Buffer.alloc(0)
    const hear = (chunk: Buffer) => {
      text = Buffer.concat([text, chunk])
      if (text.length < 8 || text.length < 8 + 4 * text.readUInt16LE(6)) return
      if (text.readUInt8() !== 1) return fail()
      socket.off("data", hear).off("close", fail).setTimeout(0, fail)
      socket.removeAllListeners("timeout")
      const screens = 40 + ((text.readUInt16LE(24) + 3) & ~3) + 8 * text.readUInt8(29)
      resolve(text.readUInt32LE(screens))
    }
    socket.on("data", hear)
  })
}

/** Events and errors have 32 bytes; replies say how much more they have. */
function messageLength(buffered: Buffer): number {
  if (buffered.length < 32) return 32
  return buffered.readUInt8() === 1 ? 32 + 4 * buffered.readUInt32LE(4) : 32
}

function internBody(name: string): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(name.length)
  return Buffer.concat([head, Buffer.from(name)])
}

/** Numbers of 32 bits; negative ones as they are. */
function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeInt32LE(value | 0, 4 * index)
  return bytes
}
