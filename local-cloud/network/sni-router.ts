import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { pipeline } from "node:stream"
import { longestPeek, parseClientHello } from "./client-hello.ts"

/** Where a machine's HTTPS port is found on this host. */
export interface MachineAddress {
  address: string
  port: number
}

/** Settings of the router. */
export interface SniRouterOptions {
  /** 8443 by default; 0 takes a free one. */
  port?: number
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string
  /** Finds a machine by its full host name, in lower case; null when no machine has that name. */
  lookup: (host: string) => MachineAddress | null
  /** Milliseconds a client has to say where it wants to go; 10,000 by default. */
  helloTimeout?: number
}

/** A running router. */
export interface SniRouter {
  port: number
  /** Stops listening and cuts all connections. */
  close(): Promise<void>
}

const unrecognizedName = 112
const internalError = 80

/**
 * Listens for TLS on one port of the loopback and leads each connection to the machine named in its ClientHello,
 * untouched: so `https://<name>.<zone>.localhost:8443` reaches machines from any browser of this host without settings.
 */
export async function startSniRouter(options: SniRouterOptions): Promise<SniRouter> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, client => {
    keep(client)
    // Errors end the connection; `close` follows and is what counts.
    client.on("error", () => {})
    peek(client, options.helloTimeout ?? 10_000, (serverName, first) => {
      const target = find(serverName, options.lookup)
      if (target === null) return refuse(client, unrecognizedName)
      keep(forward(client, first, target))
    })
  })
  server.listen(options.port ?? 8443, options.host ?? "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A browser knows that `*.localhost` is this host, so any name may be said with `.localhost` behind it. */
function find(serverName: string | null, lookup: SniRouterOptions["lookup"]): MachineAddress | null {
  if (serverName === null) return null
  const found = lookup(serverName)
  if (found !== null || !serverName.endsWith(".localhost")) return found
  return lookup(serverName.slice(0, -".localhost".length))
}

/** Collects the ClientHello without consuming it: `then` gets the name and all bytes read so far. */
function peek(client: Socket, limit: number, then: (serverName: string | null, first: Buffer) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  const timer = setTimeout(() => client.destroy(), limit)
  const stop = (): void => {
    clearTimeout(timer)
    client.off("data", receive)
    client.off("end", cut)
    client.off("close", stop)
  }
  const cut = (): void => {
    stop()
    client.destroy()
  }
  const receive = (chunk: Buffer): void => {
    bytes = Buffer.concat([bytes, chunk])
    const hello = parseClientHello(bytes.subarray(0, longestPeek))
    if (hello.kind === "invalid") cut()
    if (hello.kind !== "hello") return
    stop()
    client.pause()
    then(hello.serverName, bytes)
  }
  client.on("data", receive)
  client.on("end", cut)
  client.on("close", stop)
}

function forward(client: Socket, first: Buffer, target: MachineAddress): Socket {
  const upstream = connect({
    host: target.address,
    port: target.port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
  })
  // The pipelines stop listening when they end; a late reset must not become an unheard error.
  upstream.on("error", () => {})
  const gone = (): void => {
    upstream.destroy()
  }
  const fail = (): void => refuse(client, internalError)
  client.once("close", gone)
  upstream.once("error", fail)
  upstream.once("connect", () => {
    client.off("close", gone)
    upstream.off("error", fail)
    upstream.write(first)
    // Each direction ends by itself, and an error in one of them ends both.
    pipeline(client, upstream, error => error && client.destroy())
    pipeline(upstream, client, error => error && upstream.destroy())
  })
  return upstream
}

/** Tells the client why in TLS's own way (a fatal alert), so that it need not guess, and closes. */
function refuse(client: Socket, alert: number): void {
  client.resume()
  client.end(Buffer.from([21, 3, 1, 0, 2, 2, alert]), () => client.destroy())
}
