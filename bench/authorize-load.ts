/**
 * The load on `/vnc/authorize`, in a process of its own: a client of bare sockets that does as little as one can, so
 * that what is measured gets the machine. Every request shows the next one of all tokens. Started by bench/authorize.ts;
 * takes orders and answers over the channel to its parent.
 */
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { Worker } from "node:worker_threads"
import type { Admission } from "./authorize-tokens.ts"

const CONNECTIONS = 50

/** One measurement: as fast as it goes, or so many requests a second. */
export interface Order {
  port: number
  path: string
  seconds: number
  rate: number | null
}

/** What came of it; latencies in ms, from the moment a request was due. Empty where no rate was given. */
export interface Result {
  requests: number
  seconds: number
  latencies: number[]
}

let admissions: Admission[] = []
let place = 0

process.on("message", async (message: { admissions: Admission[] } | Order) => {
  if ("admissions" in message) admissions = message.admissions
  else process.send?.(await measure(message))
})
process.on("disconnect", () => process.exit(0))

async function measure(order: Order): Promise<Result> {
  const requests = admissions.map(({ token, key }) =>
    Buffer.from(
      `GET ${order.path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\nX-Foozol-Token: ${token}\r\n\r\n`,
      "latin1",
    ),
  )
  const next = () => requests[place++ % requests.length] as Buffer
  return order.rate === null ? flood(order, next) : paced(order, order.rate, next)
}

/** Every connection asks again as soon as it is answered. */
async function flood({ port, seconds }: Order, next: () => Buffer): Promise<Result> {
  let answered = 0
  let over = false
  const sockets = await open(port, socket => {
    answered++
    if (!over) socket.write(next())
  })
  for (const socket of sockets) socket.write(next())
  const began = performance.now()
  await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
  const [requests, took] = [answered, (performance.now() - began) / 1_000]
  over = true
  for (const socket of sockets) socket.destroy()
  return { requests, seconds: took, latencies: [] }
}

/**
 * One request every 1/rate seconds, whether or not the earlier ones are answered; those that find no free connection
 * wait for one, and that wait counts.
 */
async function paced({ port, seconds }: Order, rate: number, next: () => Buffer): Promise<Result> {
  const total = rate * seconds
  const latencies: number[] = []
  const due: number[] = []
  const sentFor = new Map<Socket, number>()
  const done = Promise.withResolvers<void>()
  const idle: Socket[] = []
  const send = (socket: Socket, intended: number) => {
    sentFor.set(socket, intended)
    socket.write(next())
  }
  idle.push(
    ...(await open(port, socket => {
      latencies.push(performance.now() - (sentFor.get(socket) ?? 0))
      const waiting = due.shift()
      if (waiting === undefined) idle.push(socket)
      else send(socket, waiting)
      if (latencies.length === total) done.resolve()
    })),
  )
  const sockets = [...idle]
  const began = performance.now() + 20
  let asked = 0
  const tick = () => {
    for (const elapsed = performance.now() - began; asked < total && elapsed >= (asked / rate) * 1_000; asked++) {
      const intended = began + (asked / rate) * 1_000
      // The one that waited longest, so that all are in use.
      const socket = idle.shift()
      if (socket) send(socket, intended)
      else due.push(intended)
    }
  }
  const clock = pacer(1_000 / rate, tick)
  await done.promise
  await clock.terminate()
  for (const socket of sockets) socket.destroy()
  return { requests: total, seconds, latencies }
}

/** A thread that sleeps and knocks: the timers of an event loop know whole milliseconds only. */
function pacer(interval: number, tick: () => void): Worker {
  const code = `
    const { parentPort } = require("node:worker_threads")
    const nobody = new Int32Array(new SharedArrayBuffer(4))
    for (let next = performance.now(); ; next += ${interval}) {
      Atomics.wait(nobody, 0, 0, Math.max(0, next - performance.now()))
      parentPort.postMessage(0)
    }`
  return new Worker(code, { eval: true }).on("message", tick)
}

/** Opens the connections; calls back with each answer, of which only that it is a bodyless 204 matters. */
async function open(port: number, answered: (socket: Socket) => void): Promise<Socket[]> {
  const sockets = Array.from({ length: CONNECTIONS }, () => {
    const buffer = Buffer.allocUnsafe(4_096)
    let size = 0
    const socket: Socket = connect({
      ...{ port, host: "127.0.0.1", noDelay: true },
      onread: {
        buffer: () => buffer.subarray(size),
        callback(bytes) {
          size += bytes
          // "\r\n\r\n" ends it: there is never more than one answer under way.
          if (size < 4 || buffer.readUInt32BE(size - 4) !== 0x0d0a0d0a) return true
          if (buffer.toString("latin1", 9, 12) !== "204") fail(buffer.toString("latin1", 0, size))
          size = 0
          answered(socket)
          return true
        },
      },
    })
    socket.on("error", error => fail(error.message))
    socket.on("end", () => fail("the connection was closed"))
    return socket
  })
  await Promise.all(sockets.map(socket => once(socket, "connect")))
  return sockets
}

function fail(what: string): never {
  console.error(`The load met something else than a 204 on a connection that is kept: ${what}`)
  process.exit(1)
}
