import { createHash, createHmac } from "node:crypto"

/** A bucket of an S3-compatible storage, and who may use it. */
export interface Bucket {
  /** Address of the storage; the bucket is the first part of paths below it. */
  endpoint: string
  /** The same as machines reach it, which are given signed requests. */
  machineEndpoint: string
  region: string
  name: string
  accessKeyId: string
  secretAccessKey: string
}

/** One request that whoever has it can make, as it is and within minutes; it carries no credential. */
export interface SignedRequest {
  method: Method
  url: string
  /** To be sent along as they are. */
  headers: Record<string, string>
}
export type Method = "GET" | "HEAD" | "PUT" | "DELETE"

/** SHA-256 of nothing, hex: what a request without a body has. */
export const EMPTY_SHA256 = createHash("sha256").digest("hex")

const ALGORITHM = "AWS4-HMAC-SHA256"

/**
 * Signs one request (Amazon's Signature Version 4, in its headers). The storage refuses another method, object or body,
 * and the request itself after about 15 minutes. Pure.
 * @param request.sha256 of the body, hex
 * @param request.headers that must be sent too; names in lower case
 * @param at by the clock, ms since 1970
 */
export function signRequest(
  bucket: Bucket,
  request: { method: Method; key: string; sha256?: string; headers?: Record<string, string> },
  at: number,
): SignedRequest {
  const { method, key, sha256 = EMPTY_SHA256 } = request
  const { origin, host, pathname } = new URL(bucket.machineEndpoint)
  const path = `${pathname.replace(/\/+$/, "")}/${encodePath(`${bucket.name}/${key}`)}`
  const time = new Date(at).toISOString().replace(/[-:]|\.\d+/g, "")
  const scope = `${time.slice(0, 8)}/${bucket.region}/s3/aws4_request`
  const headers = { ...request.headers, host, "x-amz-content-sha256": sha256, "x-amz-date": time }
  const named = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))
  const names = named.map(([name]) => name).join(";")
  const canonical = [method, path, "", ...named.map(([name, value]) => `${name}:${value}`), "", names, sha256]
  const digest = createHash("sha256").update(canonical.join("\n")).digest("hex")
  const signature = mac(signingKey(bucket, scope), [ALGORITHM, time, scope, digest].join("\n")).toString("hex")
  const authorization = `${ALGORITHM} Credential=${bucket.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  const { host: _, ...sent } = headers
  return { method, url: `${origin}${path}`, headers: { ...sent, authorization } }
}

const signingKey = ({ secretAccessKey }: Bucket, scope: string): Buffer =>
  scope.split("/").reduce<Buffer>((key, part) => mac(key, part), Buffer.from(`AWS4${secretAccessKey}`))

const mac = (key: Buffer, text: string) => createHmac("sha256", key).update(text).digest()

/** Amazon's rule: all but letters, digits and `-._~` is encoded, and `/` parts names. */
const encodePath = (path: string) =>
  path
    .split("/")
    .map(part =>
      encodeURIComponent(part).replace(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join("/")
