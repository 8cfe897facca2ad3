import { Agent, request as send } from "node:https"

/** What the authority answers, as its client wants it. */
export interface Response {
  status: number
  headers: Record<string, string | string[] | undefined>
  /** JSON where it says so, else text. */
  data: unknown
}

interface Asked {
  url: string
  method: string
  headers: Record<string, string>
  data?: object
}

const USER_AGENT = "foozol-cloud"
/** The longest answer that is taken, in bytes; chains have a few thousand. */
const MOST = 1024 * 1024
const TIMEOUT_MS = 20_000

let agent = new Agent({ keepAlive: true })
let heard: (answer: Response) => void = () => {}
/** Each answer brings the number of the next request (RFC 8555, 6.5): to ask for one would double the ways. */
let nonce: string | undefined

/**
 * Begins anew.
 * @param trust certificates in PEM that the authority is trusted by; null for the public ones
 * @param hear is told of every answer
 */
export function begin(trust: string | null, hear: (answer: Response) => void): void {
  agent.destroy()
  agent = new Agent({ keepAlive: true, ...(trust === null ? {} : { ca: trust }) })
  heard = hear
  nonce = undefined
}

/** Gives connections back. */
export const end = (): void => agent.destroy()

/** In the place of acme-client's own HTTP client, which is most of what would have to be read at every start. */
export async function request(asked: Asked): Promise<Response> {
  if (asked.method === "head" && nonce !== undefined)
    return { status: 200, headers: { "replay-nonce": taken() }, data: "" }
  const answer = await ask(asked)
  heard(answer)
  const next = answer.headers["replay-nonce"]
  // That of an answer to its own question is used at once.
  if (asked.method !== "head" && typeof next === "string") nonce = next
  return answer
}

function taken(): string | undefined {
  const now = nonce
  nonce = undefined
  return now
}

function ask({ url, method, headers, data }: Asked): Promise<Response> {
  return new Promise((resolve, reject) => {
    const body = data === undefined ? undefined : Buffer.from(JSON.stringify(data))
    const more = body === undefined ? {} : { "content-length": String(body.length) }
    const to = { method: method.toUpperCase(), agent, headers: { ...headers, "user-agent": USER_AGENT, ...more } }
    const call = send(url, to, async response => {
      try {
        let text = ""
        response.setEncoding("utf8")
        for await (const part of response) {
          text += part
          if (text.length > MOST) throw new Error("it answers too much")
        }
        const isJson = /^application\/([\w.-]+\+)?json/.test(response.headers["content-type"] ?? "")
        resolve({ status: response.statusCode ?? 0, headers: response.headers, data: isJson ? JSON.parse(text) : text })
      } catch (error) {
        reject(lost(error as Error))
      }
    })
    call.setTimeout(TIMEOUT_MS, () => call.destroy(new Error("it did not answer in time")))
    // Not once: one that was given up may break off, too.
    call.on("error", error => reject(lost(error)))
    call.end(body)
  })
}

/** So that an authority that cannot be reached is told from one that refuses. */
export const isLost = (error: unknown): error is Error => error instanceof Error && Object.hasOwn(error, "lost")

const lost = (error: Error): Error => Object.assign(error, { lost: true })
