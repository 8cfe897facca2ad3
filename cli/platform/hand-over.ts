import { randomBytes } from "node:crypto"
import { request } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { connect, type TLSSocket } from "node:tls"
import { InfraError } from "../../infra/errors.ts"
import {
  HAND_OVER_PATH,
  type HandOver,
  type Introduction,
  isProof,
  SIGNATURE_HEADER,
  signatureOf,
} from "../../infra/platform/hand-over.ts"
import type { KeptPlatform } from "./kept.ts"

/** Where the server is found from here, and its name. */
export interface ServerDoor {
  host: string
  address: string
  port: number
}

/** Between two tries, and how long one request may take. */
const PAUSE_MS = 1_000
const ANSWER_MS = 20_000

/** An answer of a server that has proven itself. */
type Known = Introduction & { fingerprint: string }

/**
 * Asks the server who it is and how far its service is.
 * @throws InfraError `server-away`, `server-unknown`
 */
export async function introduction(door: ServerDoor, kept: Pick<KeptPlatform, "birth">): Promise<Known> {
  const nonce = randomBytes(32).toString("base64url")
  const { status, text, fingerprint } = await ask(door, { path: `${HAND_OVER_PATH}?nonce=${nonce}` })
  if (status !== 200) throw away(door, `it answered ${status}`)
  const said = JSON.parse(text) as Introduction
  if (!isProof(String(said.proof), kept.birth, nonce, fingerprint))
    throw new InfraError(
      "server-unknown",
      "investigate",
      `What answers at ${door.address}:${door.port} is not the server that was made: nothing was handed over. Look who answers there.`,
    )
  return { ...said, fingerprint }
}

/**
 * Hands settings and secrets to the server, when it stands; a new one takes a minute or two.
 * @param waitMs how long it may take to answer
 */
export async function handOver(
  door: ServerDoor,
  kept: Pick<KeptPlatform, "birth" | "operatorKey">,
  given: HandOver,
  { waitMs, signal }: { waitMs: number; signal?: AbortSignal },
): Promise<void> {
  const body = JSON.stringify(given)
  for (const until = performance.now() + waitMs; ; ) {
    try {
      const { challenge, fingerprint } = await introduction(door, kept)
      const signature = `${challenge}.${signatureOf(kept.operatorKey, challenge, fingerprint, body)}`
      const headers = { [SIGNATURE_HEADER]: signature, "content-type": "application/json" }
      const { status, text } = await ask(door, { path: HAND_OVER_PATH, headers, body, fingerprint })
      if (status === 200) return
      // Its certificate may just have become another one.
      if (status === 403 && performance.now() < until) continue
      const { error = `it answered ${status}` } = JSON.parse(text) as { error?: string }
      throw new InfraError("not-taken", "fail", `The server did not take the settings: ${error}`)
    } catch (error) {
      if (!(error instanceof InfraError && error.id === "server-away") || performance.now() > until) throw error
    }
    await sleep(PAUSE_MS, undefined, signal ? { signal } : {})
  }
}

/** Waits until the service answers that it is ready. */
export async function serviceReady(
  door: ServerDoor,
  kept: Pick<KeptPlatform, "birth">,
  { waitMs, signal }: { waitMs: number; signal?: AbortSignal },
): Promise<void> {
  for (const until = performance.now() + waitMs; ; ) {
    const { service } = await introduction(door, kept).catch(error => {
      if (error instanceof InfraError && error.id === "server-away") return { service: "starts" as const }
      throw error
    })
    if (service === "ready") return
    if (performance.now() > until)
      throw new InfraError(
        "service-not-ready",
        "investigate",
        "The server has its settings, but its service is not ready: the provider's console shows its journal (`journalctl -u foozol-cloud`).",
      )
    await sleep(PAUSE_MS, undefined, signal ? { signal } : {})
  }
}

/**
 * One request over a connection of its own, whose certificate is known before anything is sent.
 * @param wanted.fingerprint the only certificate that is sent to
 */
async function ask(
  door: ServerDoor,
  wanted: { path: string; headers?: Record<string, string>; body?: string; fingerprint?: string },
): Promise<{ status: number; text: string; fingerprint: string }> {
  const socket = await open(door)
  try {
    const { fingerprint256: fingerprint = "" } = socket.getPeerX509Certificate() ?? {}
    if (wanted.fingerprint !== undefined && fingerprint !== wanted.fingerprint)
      throw away(door, "it shows another certificate than a moment ago")
    return await new Promise((resolve, reject) => {
      const { path, headers = {}, body = "" } = wanted
      const failed = (error: Error) => reject(away(door, error.message))
      const call = request(
        {
          ...{ path, method: body === "" ? "GET" : "POST", createConnection: () => socket, timeout: ANSWER_MS },
          headers: { host: door.host, connection: "close", ...headers, "content-length": Buffer.byteLength(body) },
        },
        response => {
          let text = ""
          response.setEncoding("utf8").on("data", part => {
            text += part
          })
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text, fingerprint }))
          response.on("error", failed)
        },
      )
      call.on("timeout", () => call.destroy(new Error("it does not answer")))
      call.on("error", failed)
      call.end(body)
    })
  } finally {
    socket.destroy()
  }
}

/** Who it is, is proven by what it says: a first certificate is one that the server has signed itself. */
function open(door: ServerDoor): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { address, port, host } = door
    const socket = connect({ host: address, port, servername: host, rejectUnauthorized: false, timeout: ANSWER_MS })
    socket.once("secureConnect", () => resolve(socket))
    socket.once("timeout", () => socket.destroy(new Error("it does not answer")))
    socket.once("error", error => reject(away(door, error.message)))
  })
}

const away = ({ address, port }: ServerDoor, why: string) =>
  new InfraError("server-away", "retry", `The platform's server cannot be asked at ${address}:${port}: ${why}.`)
