import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { type Admission, GRACE_MS, hashToken, judge, monotonic, STREAM_CLOSED, statusOf } from "../admission.ts"
import { acceptance, readHandshake, refuse } from "./handshake.ts"
import { openStream, type Stream, type StreamEvents } from "./stream.ts"

export interface RelayOptions {
  vnc: { host: string; port: number }
  authorize(token: string): Promise<Admission>
  /** Wall clock in milliseconds, for what is told to others. */
  now?: () => number
  /** Clock for spans. */
  clock?: () => number
  recheckMs?: number
  graceMs?: number
  probeMs?: number
  maxStreams?: number
}

/** Where a stream leads: to the desktop, unless it is told otherwise. */
export interface Way {
  /** May its messages be compressed? */
  deflates: boolean
  open(client: Socket, events: StreamEvents, deflates: boolean): Stream
}

export interface Relay {
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, way?: Way): Promise<void>
  viewers(): number
  /** Wall clock of the last key or pointer event of any viewer. */
  lastInputAt(): number | null
  /** A person has said in another way that they are here: it counts as input. */
  noteInput(): void
  /** Ends the streams of a token now, and remembers it for what is just coming in. */
  revoke(tokenHash: string): void
  revokeAll(): void
  /** Ends all streams with a code of its own. */
  closeAll(code: number, reason: string): void
  /** Asks about every token at once; for when pushed messages may have been lost. */
  recheck(): Promise<void>
  close(): void
}

/** All streams that were opened with one token. */
interface Guest {
  token: string
  streams: Set<Stream>
  lastGoodAt: number
  asking: boolean
}

/** The way from viewers to the VNC server: who may use it, who does, and since when nobody does. */
export function createRelay(options: RelayOptions): Relay {
  const { now = Date.now, clock = monotonic, graceMs = GRACE_MS, maxStreams = 200 } = options
  const guests = new Map<string, Guest>()
  // A push can come between the service's yes and the stream's beginning. Tokens live 30 minutes.
  const revoked = new Map<string, number>()
  let revokedAllAt = Number.NEGATIVE_INFINITY
  let [coming, lastInput]: [number, number | null] = [0, null]

  const streams = () => [...guests.values()].flatMap(guest => [...guest.streams])
  const viewers = () => [...guests.values()].reduce((sum, guest) => sum + guest.streams.size, 0)

  function closeGuest(hash: string, code: number, reason: string): void {
    for (const stream of guests.get(hash)?.streams ?? []) stream.close(code, reason)
    guests.delete(hash)
  }

  async function check(hash: string, guest: Guest): Promise<void> {
    const late = judge("unknown", guest.lastGoodAt, clock(), graceMs)
    if (late !== null) return closeGuest(hash, late, "the service is away")
    if (guest.asking) return
    guest.asking = true
    const asked = clock()
    const answer = await options.authorize(guest.token)
    guest.asking = false
    if (guests.get(hash) !== guest) return
    if (answer === "admitted") guest.lastGoodAt = asked
    const code = judge(answer, guest.lastGoodAt, clock(), graceMs)
    if (code !== null) closeGuest(hash, code, code === STREAM_CLOSED.signedOut ? "signed out" : "the service is away")
  }

  async function recheck(): Promise<void> {
    for (const [hash, at] of revoked) if (clock() - at > 30 * 60_000) revoked.delete(hash)
    await Promise.all([...guests].map(([hash, guest]) => check(hash, guest)))
  }

  const toDesktop: Way = { deflates: false, open: (client, events) => openStream(client, options.vnc, events) }

  /** Connects to the VNC server while the service is asked; resolves to null when the server does not answer. */
  function reach(client: Socket, hash: string, way: Way, deflates: boolean): Promise<Stream | null> {
    return new Promise(resolve => {
      const events = {
        open: () => resolve(stream),
        input: () => {
          lastInput = now()
        },
        closed: () => {
          resolve(null)
          const guest = guests.get(hash)
          if (guest?.streams.delete(stream) && guest.streams.size === 0) guests.delete(hash)
        },
      }
      const stream: Stream = way.open(client, events, deflates)
    })
  }

  async function upgrade(request: IncomingMessage, socket: Socket, head: Buffer, way = toDesktop): Promise<void> {
    // Whoever leaves early must not bring down the process.
    const ignore = () => {}
    socket.on("error", ignore)
    const shake = readHandshake(request)
    const token = request.headers["x-foozol-token"]
    if ("status" in shake) return refuse(socket, shake.status)
    if (typeof token !== "string" || token === "" || token.length > 4096) return refuse(socket, 401)
    if (viewers() + coming >= maxStreams) return refuse(socket, 503)
    coming++
    try {
      const [hash, asked] = [hashToken(token), clock()]
      const deflates = way.deflates && shake.deflates
      const [answer, stream] = await Promise.all([options.authorize(token), reach(socket, hash, way, deflates)])
      const gone = revoked.has(hash) || revokedAllAt >= asked
      const status = answer === "admitted" && gone ? 401 : statusOf(answer)
      if (status !== 0 || stream === null || socket.destroyed) {
        stream?.close(STREAM_CLOSED.signedOut, "")
        return refuse(socket, status || 502)
      }
      const guest = guests.get(hash) ?? { token, streams: new Set(), lastGoodAt: asked, asking: false }
      guests.set(hash, guest)
      guest.lastGoodAt = Math.max(guest.lastGoodAt, asked)
      guest.streams.add(stream)
      socket.write(acceptance({ ...shake, deflates }))
      stream.start(head)
    } finally {
      coming--
    }
  }

  const rechecking = setInterval(() => void recheck(), options.recheckMs ?? 10_000)
  const probing = setInterval(() => {
    for (const stream of streams()) stream.probe()
  }, options.probeMs ?? 25_000)

  return {
    upgrade,
    viewers,
    lastInputAt: () => lastInput,
    noteInput: () => {
      lastInput = now()
    },
    revoke: hash => {
      revoked.set(hash, clock())
      closeGuest(hash, STREAM_CLOSED.signedOut, "signed out")
    },
    revokeAll: () => {
      revokedAllAt = clock()
      for (const hash of [...guests.keys()]) closeGuest(hash, STREAM_CLOSED.signedOut, "signed out")
    },
    closeAll: (code, reason) => {
      for (const hash of [...guests.keys()]) closeGuest(hash, code, reason)
    },
    recheck,
    close: () => {
      clearInterval(rechecking)
      clearInterval(probing)
      for (const hash of [...guests.keys()]) closeGuest(hash, 1001, "the agent ends")
    },
  }
}
