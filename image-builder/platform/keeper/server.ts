import { randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import {
  HAND_OVER_PATH,
  type HandOver,
  type Introduction,
  isSignature,
  MOST_BYTES,
  proofOf,
  SIGNATURE_HEADER,
} from "../../../infra/platform/hand-over.ts"

/** A challenge is good for so long, and there are so many at most: who asks for more takes others' away. */
const CHALLENGE_MS = 60_000
const CHALLENGES = 64

export interface KeeperOptions {
  birth: string
  operatorKey: string
  /** SHA-256 of the certificate that is served, as Node has it. */
  fingerprint(): Promise<string>
  service(): Promise<Introduction["service"]>
  /** Puts in its place what was handed over. @throws Error in words for the operator, without a value */
  take(given: HandOver): Promise<void>
  now(): number
  heard(what: string): void
}

/** Says who this server is, and takes what its operator hands over. NGINX stands in front, and nobody else. */
export function createKeeperServer(options: KeeperOptions): Server {
  const challenges = new Map<string, number>()

  async function introduce(nonce: string): Promise<Introduction> {
    const challenge = randomBytes(32).toString("base64url")
    for (const [old, at] of challenges)
      if (challenges.size >= CHALLENGES || at < options.now() - CHALLENGE_MS) challenges.delete(old)
    challenges.set(challenge, options.now())
    const proof = proofOf(options.birth, nonce, await options.fingerprint())
    return { proof, challenge, service: await options.service() }
  }

  async function receive(request: IncomingMessage): Promise<[number, object]> {
    const body = await read(request)
    if (body === null) return [413, { error: "That is too much." }]
    const signature = String(request.headers[SIGNATURE_HEADER] ?? "")
    const challenge = signature.split(".")[0] ?? ""
    const at = challenges.get(challenge)
    // Used up, whatever comes of it.
    challenges.delete(challenge)
    const fingerprint = await options.fingerprint()
    const isFresh = at !== undefined && options.now() - at < CHALLENGE_MS
    const sign = signature.slice(challenge.length + 1)
    if (!isFresh || !isSignature(sign, options.operatorKey, { challenge, fingerprint, body })) {
      options.heard("refused what was handed over: the signature is not the operator's")
      return [403, { error: "That is not signed by this server's operator, or too late: hand over again." }]
    }
    try {
      await options.take(parsed(body))
      options.heard("took what its operator handed over")
      return [200, { taken: true }]
    } catch (error) {
      return [422, { error: (error as Error).message }]
    }
  }

  return createServer(async (request, response) => {
    const url = URL.parse(request.url ?? "", "http://keeper")
    if (url?.pathname !== HAND_OVER_PATH) return answer(response, 404, { error: "There is nothing here." })
    const nonce = url.searchParams.get("nonce") ?? ""
    try {
      if (request.method === "GET" && /^[\w-]{16,100}$/.test(nonce)) answer(response, 200, await introduce(nonce))
      else if (request.method === "POST") answer(response, ...(await receive(request)))
      else answer(response, 400, { error: "Ask with a nonce." })
    } catch (error) {
      options.heard(`failed: ${(error as Error).message}`)
      answer(response, 500, { error: "The server could not do that; its journal says why." })
    }
  })
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" })
  response.end(JSON.stringify(body))
}

async function read(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request) {
    bytes += part.length
    if (bytes > MOST_BYTES) return null
    parts.push(part)
  }
  return Buffer.concat(parts).toString("utf8")
}

function parsed(body: string): HandOver {
  const { service, certificate = null } = JSON.parse(body) as Partial<HandOver>
  if (typeof service !== "object" || service === null) throw new Error("There are no settings of the service in it.")
  return { service, certificate }
}
