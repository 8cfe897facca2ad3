import { retryDelay } from "./backoff.ts"

export type Cause = "lost" | "away" | "starting"
export type State =
  | { name: "connecting" }
  | { name: "connected" }
  | { name: "waiting"; cause: Cause; retryAt: number }
  | { name: "offline" }
  /** With why it was stopped, as a sentence, where that is known. */
  | { name: "sleeping"; reason?: string }
  | { name: "signed-out" }

/** What a connection without a telling close code turned out to be, asked over plain HTTP. */
export type Verdict = Cause | "signed-out"

export type Stream = { close: () => void }
export type StreamEvents = { connected: () => void; closed: (code: number) => void }

export type World = {
  open: (events: StreamEvents) => Stream
  probe: () => Promise<Verdict>
  /** False while the tab is hidden or the network is gone: then nothing is tried. */
  awake: () => "yes" | "hidden" | "offline"
  now: () => number
  random: () => number
  show: (state: State) => void
}

const CLOSED: Record<number, Verdict | "sleeping"> = { 4401: "signed-out", 4410: "sleeping", 4503: "away" }
const GIVE_UP_CONNECTING = 15_000
const STABLE = 5_000

/** Keeps one stream to the desktop open, and says what is going on. Sends nothing itself. */
export function createConnection(world: World) {
  let stream: Stream | undefined
  let state: State = { name: "connecting" }
  let attempt = 0
  let connectedAt = Number.POSITIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined

  const enter = (next: State) => {
    state = next
    world.show(next)
  }
  const after = (delay: number, act: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(act, delay)
  }
  const drop = () => {
    clearTimeout(timer)
    const old = stream
    stream = undefined
    old?.close()
  }

  const connect = () => {
    drop()
    // The first try of all shows "connecting"; a later one leaves the words on screen until it is known how it went.
    if (state.name !== "waiting") enter({ name: "connecting" })
    let over = false
    const mine = world.open({
      connected: () => {
        if (stream !== mine) return
        clearTimeout(timer)
        connectedAt = world.now()
        enter({ name: "connected" })
      },
      closed: code => {
        if (over || stream !== mine) return
        over = true
        stream = undefined
        clearTimeout(timer)
        void closed(CLOSED[code])
      },
    })
    stream = mine
    after(GIVE_UP_CONNECTING, () => {
      if (stream !== mine) return
      drop()
      void closed(undefined)
    })
  }

  const closed = async (known: Verdict | "sleeping" | undefined) => {
    // Only a connection that held counts as success; else a stream that dies at birth would be retried without pause.
    if (world.now() - connectedAt > STABLE) attempt = 0
    connectedAt = Number.POSITIVE_INFINITY
    if (state.name === "connected") enter({ name: "waiting", cause: "lost", retryAt: world.now() })
    const before = state
    const verdict = known ?? (await world.probe())
    if (state !== before || stream !== undefined) return
    if (verdict === "sleeping" || verdict === "signed-out") enter({ name: verdict })
    else wait(verdict)
  }

  const wait = (cause: Cause) => {
    const delay = retryDelay(attempt++, world.random)
    if (world.awake() === "offline") enter({ name: "offline" })
    else enter({ name: "waiting", cause, retryAt: world.now() + delay })
    after(delay, () => {
      if (world.awake() === "yes") connect()
    })
  }

  const trying = () => state.name === "waiting" || state.name === "offline"

  return {
    start: connect,
    /** A person pressed the button. */
    retry: () => {
      attempt = 0
      connect()
    },
    /** The tab became visible, or the network came or went. */
    changed: () => {
      if (stream !== undefined || !trying()) return
      if (world.awake() === "yes") {
        attempt = 0
        connect()
      } else if (world.awake() === "offline") enter({ name: "offline" })
    },
    /** The network changed under an open stream, which may never notice: take a new one. */
    renew: () => {
      if (state.name === "connected") {
        enter({ name: "waiting", cause: "lost", retryAt: world.now() })
        connect()
      }
    },
    /** The machine said so on another way. */
    end: (name: "sleeping" | "signed-out", reason?: string) => {
      drop()
      enter(name === "sleeping" && reason !== undefined ? { name, reason } : { name })
    },
  }
}
