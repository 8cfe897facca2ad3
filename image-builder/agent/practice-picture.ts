import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

/**
 * Encodings of a picture (IANA's registry of RFB): as noVNC asks for them (tight with JPEG of quality 6 and compression
 * 2), and as plain clients do (hextile).
 */
const WAYS = [
  [1, 7, -260, 5, 0, -26, -254, -223, -224],
  [5, 0],
]
/** A picture has come whole when nothing more of it comes for so long; an emulated machine draws it within seconds. */
const QUIET_MS = 1_000
const LIMIT_MS = 30_000

/**
 * Has the VNC server draw the whole picture for a viewer that looks at nothing, once for each way in which viewers ask:
 * the next one gets it sooner on a machine that keeps what it has translated.
 * @throws when the server is not there or speaks otherwise
 */
export async function practisePicture(server: { host: string; port: number }): Promise<void> {
  for (const encodings of WAYS) {
    const socket = connect(server)
    try {
      await once(socket, "connect")
      const read = reader(socket)
      await read(12)
      socket.write("RFB 003.008\n")
      await read((await read(1)).readUInt8())
      // No password (the door asks for a token), and others may look as well.
      socket.write(Uint8Array.of(1))
      await read(4)
      socket.write(Uint8Array.of(1))
      const told = await read(24)
      await read(told.readUInt32BE(20))
      const list = Buffer.alloc(4 + 4 * encodings.length)
      list.writeUInt8(2)
      list.writeUInt16BE(encodings.length, 2)
      for (const [index, encoding] of encodings.entries()) list.writeInt32BE(encoding, 4 + 4 * index)
      socket.write(list)
      socket.write(Buffer.concat([Uint8Array.of(3, 0, 0, 0, 0, 0), told.subarray(0, 4)]))
      await read(16)
      socket.removeAllListeners("data")
      await quiet(socket)
    } finally {
      socket.destroy()
    }
  }
}

/** Reads so many bytes each time. Not by `readable`: with a part of them there, waiting for it would never let the rest in. */
function reader(socket: Socket): (length: number) => Promise<Buffer> {
  let here = Buffer.alloc(0)
  socket.on("data", part => {
    here = Buffer.concat([here, part])
  })
  return async length => {
    while (here.length < length) await once(socket, "data", { signal: AbortSignal.timeout(LIMIT_MS) })
    const [part, rest] = [here.subarray(0, length), here.subarray(length)]
    here = rest
    return part
  }
}

async function quiet(socket: Socket): Promise<void> {
  const end = performance.now() + LIMIT_MS
  let heard = performance.now()
  socket.on("data", () => {
    heard = performance.now()
  })
  while (performance.now() < end && performance.now() - heard < QUIET_MS) await sleep(QUIET_MS / 4)
}
