import { request as httpRequest, type IncomingMessage } from "node:http"
import { request as httpsRequest } from "node:https"
import type { Readable } from "node:stream"
import { reasonOf } from "../log.ts"
import type { Folder } from "./order.ts"

/** What the agent asks of the service, by the key of its workspace. */
export interface HomeChannel {
  /** The repository's password. @throws Refused, or when the service is away */
  password(id: string): Promise<string>
  /** One request to the storage, signed. @throws Refused, or when the service is away */
  sign(id: string, wish: { method: string; name: string; sha256?: string }): Promise<SignedRequest>
  /** @throws Refused, or when the service is away */
  list(id: string, folder: Folder): Promise<{ name: string; size: number }[]>
}
export interface SignedRequest {
  url: string
  headers: Record<string, string>
}

/** The service, or the storage, does not do it: trying again is of no use. */
export class Refused extends Error {
  override name = "Refused"
}

/** A storage that says nothing for so long has broken off. */
const SILENCE_MS = 60_000
/** Signed requests are good for some 15 minutes. */
const SIGNED_MS = 5 * 60_000
/** Signed requests that are remembered: one object is read in many parts. */
const MOST_SIGNED = 1_000

/** The objects of one repository: each request is signed by the service, and goes straight to the storage. */
export function createStorage(channel: HomeChannel, id: string, signal: AbortSignal) {
  const reads = new Map<string, { signed: SignedRequest; until: number }>()

  async function signedRead(name: string): Promise<SignedRequest> {
    const known = reads.get(name)
    if (known && known.until > performance.now()) return known.signed
    const signed = await channel.sign(id, { method: "GET", name })
    if (reads.size >= MOST_SIGNED) reads.clear()
    reads.set(name, { signed, until: performance.now() + SIGNED_MS })
    return signed
  }

  /** @returns null where there is no such object. @throws Refused, or when it broke off */
  async function ask(
    method: string,
    { url, headers }: SignedRequest,
    body?: { bytes: number; stream: Readable },
  ): Promise<IncomingMessage> {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest
    const more = body === undefined ? {} : { "content-length": String(body.bytes) }
    return new Promise<IncomingMessage>((resolve, reject) => {
      const asked = send(url, { method, headers: { ...headers, ...more }, signal, timeout: SILENCE_MS }, resolve)
      asked.once("timeout", () => asked.destroy(new Error("the storage fell silent")))
      // Not once: one that was given up may break off, too.
      asked.on("error", reject)
      if (body === undefined) return void asked.end()
      body.stream.once("close", () => {
        if (!body.stream.readableEnded) asked.destroy(new Error("it was cut off"))
      })
      body.stream.pipe(asked)
    })
  }

  /** @throws Refused for what stays as it is, Error for what may pass */
  async function fault(answer: IncomingMessage): Promise<never> {
    let text = ""
    for await (const part of answer) if (text.length < 4_096) text += part
    const code = /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1]
    const status = answer.statusCode ?? 0
    const said = `the storage answered ${status}${code ? ` ${code}` : ""}`
    // A request that has grown too old on its way is signed anew.
    const passes = status === 408 || status === 429 || status >= 500 || code === "RequestTimeTooSkewed"
    throw passes ? new Error(said) : new Refused(said)
  }

  async function size(name: string): Promise<number | null> {
    const answer = await ask("HEAD", await channel.sign(id, { method: "HEAD", name }))
    answer.resume()
    if (answer.statusCode === 404) return null
    if (answer.statusCode !== 200) return fault(answer)
    return Number(answer.headers["content-length"])
  }

  return {
    size,
    list: (folder: Folder) => channel.list(id, folder),
    /** @returns the storage's own answer, 200 or 206; null where there is no such object */
    async read(name: string, range: string | undefined): Promise<IncomingMessage | null> {
      const { url, headers } = await signedRead(name)
      const answer = await ask("GET", { url, headers: { ...headers, ...(range ? { range } : {}) } })
      if (answer.statusCode === 200 || answer.statusCode === 206) return answer
      reads.delete(name)
      if (answer.statusCode !== 404) return fault(answer)
      answer.resume()
      return null
    },
    /** Writes what is not there yet. Objects are named by their content: one that is there is the same. */
    async write(name: string, bytes: number, stream: Readable, sha256: string): Promise<void> {
      const answer = await ask("PUT", await channel.sign(id, { method: "PUT", name, sha256 }), { bytes, stream })
      if (answer.statusCode === 200) return void answer.resume()
      if (answer.statusCode !== 412) return fault(answer)
      answer.resume()
      if ((await size(name)) !== bytes) throw new Refused(`${name} is there already, and another one`)
    },
    async remove(name: string): Promise<void> {
      const answer = await ask("DELETE", await channel.sign(id, { method: "DELETE", name }))
      if (answer.statusCode !== 204 && answer.statusCode !== 200 && answer.statusCode !== 404) return fault(answer)
      answer.resume()
    },
  }
}
export type Storage = ReturnType<typeof createStorage>

/** In words for the workspace's owner. */
export const inWords = (error: unknown) =>
  error instanceof Refused
    ? `The backup storage does not take it (${error.message}): ask the operator.`
    : `The backup storage, or the service, could not be reached (${reasonOf(error)}).`
