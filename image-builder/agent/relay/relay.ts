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
  maxTransfers?: number
}

/** Where a stream leads: to the desktop, unless it is told otherwise. */
export interface Way {
  /** May its messages be compressed? */
  deflates: boolean
  open(client: Socket, events: StreamEvents, deflates: boolean): Stream
}

/** What is carried for a token without a WebSocket, such as a file. */
export interface Transfer {
  /** Ends it in the middle: it may not go on. */
  cut(): void
}

export interface Relay {
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, way?: Way): Promise<void>
  /**
   * Admits a transfer under the same rules as a stream, and keeps an eye on it.
   * @returns what to call when it is over, or the HTTP status to refuse it with
   */
  hold(token: string, transfer: Transfer): Promise<(() => void) | number>
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
  transfers: Set<Transfer>
  lastGoodAt: number
  asking: boolean
}

/** The way from viewers to the VNC server: who may use it, who does, and since when nobody does. */
export function createRelay(options: RelayOptions): Relay {
  const { now = Date.now, clock = monotonic, graceMs = GRACE_MS, maxStreams = 200, maxTransfers = 64 } = options
  const guests = new Map<string, Guest>()
  // A push can come between the service's yes and the stream's beginning. Tokens live 30 minutes.
  const revoked = new Map<string, number>()
  let revokedAllAt = Number.NEGATIVE_INFINITY
  let [coming, holding, lastInput]: [number, number, number | null] = [0, 0, null]

  const streams = () => [...guests.values()].flatMap(guest => [...guest.streams])
  const viewers = () => [...guests.values()].reduce((sum, guest) => sum + guest.streams.size, 0)

  function closeGuest(hash: string, code: number, reason: string): void {
    const guest = guests.get(hash)
    for (const stream of guest?.streams ?? []) stream.close(code, reason)
    for (const transfer of guest?.transfers ?? []) transfer.cut()
    guests.delete(hash)
  }

  /** The status to refuse a token with that was asked about at a time; 0 admits. */
  function refusalOf(answer: Admission, hash: string, asked: number): number {
    const gone = revoked.has(hash) || revokedAllAt >= asked
    return answer === "admitted" && gone ? 401 : statusOf(answer)
  }

  function guestOf(token: string, hash: string, asked: number): Guest {
    const fresh = () => ({ token, streams: new Set<Stream>(), transfers: new Set<Transfer>() })
    const guest = guests.get(hash) ?? { ...fresh(), lastGoodAt: asked, asking: false }
    guests.set(hash, guest)
    guest.lastGoodAt = Math.max(guest.lastGoodAt, asked)
    return guest
  }

  function forget(hash: string, guest: Guest): void {
    const isEmpty = guest.streams.size + guest.transfers.size === 0
    if (isEmpty && guests.get(hash) === guest) guests.delete(hash)
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
          if (guest?.streams.delete(stream)) forget(hash, guest)
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
      const status = refusalOf(answer, hash, asked)
      if (status !== 0 || stream === null || socket.destroyed) {
        stream?.close(STREAM_CLOSED.signedOut, "")
        return refuse(socket, status || 502)
      }
      guestOf(token, hash, asked).streams.add(stream)
      socket.write(acceptance({ ...shake, deflates }))
      stream.start(head)
    } finally {
      coming--
    }
  }

  async function hold(token: string, transfer: Transfer): Promise<(() => void) | number> {
    const held = [...guests.values()].reduce((sum, guest) => sum + guest.transfers.size, 0)
    if (token === "" || token.length > 4096) return 401
    if (held + holding >= maxTransfers) return 503
    holding++
    const [hash, asked] = [hashToken(token), clock()]
    const answer = await options.authorize(token).finally(() => holding--)
    const status = refusalOf(answer, hash, asked)
    if (status !== 0) return status
    const guest = guestOf(token, hash, asked)
    guest.transfers.add(transfer)
    return () => {
      if (guest.transfers.delete(transfer)) forget(hash, guest)
    }
  }

  const rechecking = setInterval(() => void recheck(), options.recheckMs ?? 10_000)
  const probing = setInterval(() => {
    for (const stream of streams()) stream.probe()
  }, options.probeMs ?? 25_000)

  return {
    upgrade,
    hold,
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
