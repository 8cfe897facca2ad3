/**
 * The ends of a relay under load, each in a process of its own: what sends behind it, and what receives before it.
 * Started by bench/relay.ts with a role; answers over the channel to its parent.
 */
import { once } from "node:events"
import { connect, createServer, type Server, type Socket } from "node:net"

/** 1 MB/s as a desktop sends it: 50 pictures a second. */
const [PICTURE, PICTURE_MS] = [20_000, 20]
/** Time in which a viewer can say that it wants no pictures. */
const QUIET_MS = 500
const [role, port = "0", count = "1", seconds = "1"] = process.argv.slice(2)
const say = (message: object) => process.send?.(message)

if (role === "source") say({ flood: await listen(flood), paced: await listen(paced) })
else if (role === "echo") say({ echo: await listen(socket => socket.on("data", bytes => socket.write(bytes))) })
else if (role === "stream") say(await receive(Number(port), Number(count), Number(seconds)))
else if (role === "ping") say({ samples: await ping(Number(port), Number(count)) })
process.on("disconnect", () => process.exit(0))

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer({ noDelay: true }, socket => {
    socket.on("error", () => {})
    serve(socket)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as { port: number }).port
}

function flood(socket: Socket): void {
  const bytes = Buffer.alloc(256 * 1024, 7)
  const go = () => {
    while (!socket.destroyed && socket.write(bytes));
  }
  socket.on("drain", go)
  go()
}

/** Pictures to whoever only looks, an echo to whoever speaks: both kinds of viewers of one relay process. */
function paced(socket: Socket): void {
  const bytes = Buffer.alloc(PICTURE, 7)
  // By the clock, not by the tick: a late timer sends what it missed.
  const began = performance.now() + QUIET_MS + Math.random() * PICTURE_MS
  let sent = 0
  const timer = setInterval(() => {
    for (const due = (performance.now() - began) / PICTURE_MS; sent < due; sent++) socket.write(bytes)
  }, PICTURE_MS)
  socket.on("close", () => clearInterval(timer))
  socket.on("data", bytes => {
    clearInterval(timer)
    socket.write(bytes)
  })
}

/** A WebSocket client that looks at nothing but the handshake. */
async function open(to: number, take: (bytes: number) => void): Promise<Socket> {
  const buffer = Buffer.allocUnsafe(256 * 1024)
  let greeted = false
  const socket = connect({
    port: to,
    host: "127.0.0.1",
    noDelay: true,
    onread: {
      buffer,
      callback: size => {
        if (greeted) take(size)
        else if (!buffer.toString("latin1", 0, 12).startsWith("HTTP/1.1 101")) throw new Error("the relay refused")
        else {
          greeted = true
          socket.emit("greeted")
        }
        return true
      },
    },
  })
  socket.write(
    `GET /vnc HTTP/1.1\r\nHost: 127.0.0.1:${to}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\nX-Foozol-Token: t\r\n\r\n`,
  )
  await once(socket, "greeted")
  return socket
}

async function receive(to: number, viewers: number, forSeconds: number): Promise<object> {
  let bytes = 0
  const add = (size: number) => {
    bytes += size
  }
  for (let i = 0; i < viewers; i++) await open(to, add)
  await new Promise(resolve => setTimeout(resolve, 1_500))
  const [began, before] = [performance.now(), bytes]
  say({ began: true })
  await new Promise(resolve => setTimeout(resolve, forSeconds * 1_000))
  return { bytes: bytes - before, seconds: (performance.now() - began) / 1_000 }
}

/** Sends one pointer event after the other, each when the last one came back; milliseconds each took. */
async function ping(to: number, times: number): Promise<number[]> {
  let [waited, arrived] = [0, () => {}]
  const socket = await open(to, size => {
    waited -= size
    if (waited <= 0) arrived()
  })
  const echo = async (payload: Buffer) => {
    // A mask of zeros leaves the payload as it is, and costs the relay the same.
    const frame = Buffer.concat([Buffer.from([0x82, 0x80 | payload.length, 0, 0, 0, 0]), payload])
    waited = 2 + payload.length
    const back = new Promise<void>(resolve => {
      arrived = resolve
    })
    const began = performance.now()
    socket.write(frame)
    await back
    return performance.now() - began
  }
  await echo(Buffer.from("RFB 003.008\n\x01\x01", "latin1"))
  const event = Buffer.from([5, 0, 1, 2, 3, 4])
  for (let i = 0; i < 1_000; i++) await echo(event)
  const samples: number[] = []
  for (let i = 0; i < times; i++) samples.push(await echo(event))
  return samples
}
