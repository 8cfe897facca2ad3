import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

/** An event of QEMU, such as `SHUTDOWN` or `BLOCK_JOB_COMPLETED`. */
export interface QmpEvent {
  event: string
  data?: Record<string, unknown>
}

/** A connection to a running QEMU. */
export interface Qmp {
  /** Runs a command and returns its answer; throws with QEMU's own words when it refuses or goes away. */
  execute(command: string, args?: Record<string, unknown>): Promise<unknown>
  /** Runs a command of the human monitor and returns what it prints. */
  human(line: string): Promise<string>
  /** Calls the listener for each event until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void
  /** Resolves when the connection is gone, whoever closed it. */
  readonly closed: Promise<void>
  close(): void
}

interface Reply {
  id?: number
  return?: unknown
  error?: { desc: string }
  event?: string
  QMP?: unknown
}

// Generous: an emulated machine on a busy host answers late, and a hung one must not hang us for ever.
const answerLimit = 60_000

/**
 * Connects to the QMP socket at `path`. QEMU creates it while it starts: tried until `isAlive` says that it has ended
 * or `limit` milliseconds are over.
 */
export async function connectQmp(path: string, isAlive: () => boolean, limit = 60_000): Promise<Qmp> {
  const deadline = Date.now() + limit
  for (;;) {
    try {
      return await openQmp(await openSocket(path), Math.max(1000, deadline - Date.now()))
    } catch (cause) {
      if (!isAlive()) throw new Error("QEMU ended before it could be reached.", { cause })
      if (Date.now() > deadline) throw new Error(`QEMU does not answer at ${path}.`, { cause })
      await sleep(20)
    }
  }
}

function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once("connect", () => resolve(socket))
    socket.once("error", reject)
  })
}

async function openQmp(socket: Socket, greetingLimit: number): Promise<Qmp> {
  const pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  const listeners = new Set<(event: QmpEvent) => void>()
  const greeting = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let lastId = 0
  let rest = ""

  const receive = (reply: Reply): void => {
    if (reply.QMP !== undefined) greeting.resolve()
    else if (reply.event !== undefined) for (const listener of listeners) listener(reply as QmpEvent)
    else if (reply.id !== undefined) {
      const waiter = pending.get(reply.id)
      pending.delete(reply.id)
      if (reply.error === undefined) waiter?.resolve(reply.return)
      else waiter?.reject(new Error(reply.error.desc))
    }
  }
  socket.setEncoding("utf8")
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) if (line.trim() !== "") receive(JSON.parse(line))
  })
  socket.on("error", () => socket.destroy())
  socket.on("close", () => {
    const gone = new Error("The machine went off.")
    greeting.reject(gone)
    for (const waiter of pending.values()) waiter.reject(gone)
    pending.clear()
    closed.resolve()
  })

  const execute = (command: string, args?: Record<string, unknown>): Promise<unknown> => {
    if (socket.destroyed) return Promise.reject(new Error("The machine went off."))
    const id = ++lastId
    const answer = Promise.withResolvers<unknown>()
    const timer = setTimeout(() => answer.reject(new Error(`QEMU gave no answer to ${command}.`)), answerLimit)
    pending.set(id, answer)
    socket.write(`${JSON.stringify({ execute: command, id, ...(args && { arguments: args }) })}\n`)
    return answer.promise.finally(() => {
      clearTimeout(timer)
      pending.delete(id)
    })
  }
  // QEMU talks to one client at a time: while another one is connected, no greeting comes.
  const timer = setTimeout(
    () => greeting.reject(new Error("QEMU sends no greeting; another client is connected.")),
    greetingLimit,
  )
  try {
    await greeting.promise
    await execute("qmp_capabilities")
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return {
    execute,
    human: async line => String(await execute("human-monitor-command", { "command-line": line })).trim(),
    onEvent: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    closed: closed.promise,
    close: () => socket.destroy(),
  }
}
