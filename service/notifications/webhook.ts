import { createHmac } from "node:crypto"
import { request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { isIP } from "node:net"
import { z } from "zod"
import { isLoopback } from "../config/addresses.ts"
import type { Notification } from "./kinds.ts"
import { AddressRefused, isPublicAddress, lookupPublic } from "./public-address.ts"
import { textOf } from "./texts.ts"

/** How long one try may take, from the name's look-up to the answer. */
const TIMEOUT_MS = 10_000
const SECRET_PREFIX = "whsec_"

/** Where a user's webhook may be: https; on a service that itself lives on this machine alone, http there too. */
export function webhookUrl(serviceUrl: string) {
  const isLocal = isLoopback(serviceUrl)
  return z
    .url({ protocol: /^https?$/, error: "must be an https URL" })
    .max(2_000)
    .refine(url => !URL.canParse(url) || url.startsWith("https:") || (isLocal && isLoopback(url)), {
      error: "must be an https URL",
    })
    .refine(url => !URL.canParse(url) || (new URL(url).username === "" && new URL(url).password === ""), {
      error: "must carry no user name and password: requests are signed instead",
    })
    .refine(url => isLocal || !URL.canParse(url) || !isPrivateHost(new URL(url)), {
      error: "must be an address of the public internet",
    })
}

/** An address written out as numbers is known before anybody is asked for it. */
function isPrivateHost({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, "")
  return isIP(host) !== 0 && !isPublicAddress(host)
}

/** A new secret that a webhook's requests are signed with. @param bytes 32 random ones */
export const webhookSecret = (bytes: Buffer) => SECRET_PREFIX + bytes.toString("base64")

/** What a webhook is sent. */
export function webhookBody(told: Notification): string {
  const { id, kind, at, facts } = told
  const { subject, text } = textOf(told)
  return JSON.stringify({ id, kind, at: new Date(at).toISOString(), subject, text, facts })
}

/**
 * Headers that prove who sent a body, as the "Standard Webhooks" have them, so that ready libraries can check them: the
 * MAC (HMAC-SHA256, base64) is over `id.timestamp.body` under the secret's bytes.
 * @param now ms
 */
export function signed(secret: string, id: string, body: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64")
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${mac}` }
}

/** How a try ended; `reason` is for the webhook's owner. */
export type Sent = { ok: true } | { ok: false; reason: string; isHopeless: boolean }

/**
 * Sends a notification to a webhook, once. Redirects are failures: they could lead to where nothing may be sent.
 * @param options.onlyPublic refuse addresses outside the public internet
 */
export async function sendWebhook(
  { url, secret }: { url: string; secret: string },
  told: Notification,
  { now, onlyPublic }: { now: number; onlyPublic: boolean },
): Promise<Sent> {
  const target = new URL(url)
  if (onlyPublic && (isPrivateHost(target) || target.protocol !== "https:")) {
    return { ok: false, reason: "Its address is none of the public internet by https.", isHopeless: true }
  }
  const body = webhookBody(told)
  try {
    const status = await post(target, body, signed(secret, told.id, body, now), onlyPublic)
    if (status >= 200 && status < 300) return { ok: true }
    if (status === 410) return { ok: false, reason: "It answered 410: it wants no more.", isHopeless: true }
    const reason = status >= 300 && status < 400 ? `It answered ${status}; redirects are not followed.` : null
    return { ok: false, reason: reason ?? `It answered ${status}.`, isHopeless: false }
  } catch (error) {
    if (error instanceof AddressRefused) return { ok: false, reason: `${error.message}.`, isHopeless: false }
    return { ok: false, reason: reasonOf(error as NodeJS.ErrnoException), isHopeless: false }
  }
}

/** @returns the status; the rest of the answer is not read */
function post(target: URL, body: string, headers: Record<string, string>, onlyPublic: boolean): Promise<number> {
  const request = target.protocol === "https:" ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const sending = request(target, {
      method: "POST",
      // No connection is kept: the next one asks for the address anew.
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(onlyPublic ? { lookup: lookupPublic } : {}),
      headers: {
        ...headers,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "foozol-cloud",
      },
    })
    // Not once: one that was answered may break off, too.
    sending.on("error", reject)
    sending.once("response", answer => {
      resolve(answer.statusCode ?? 0)
      answer.destroy()
    })
    sending.end(body)
  })
}

/** What went wrong on the way, without addresses of ours. */
function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.name === "TimeoutError" || error.name === "AbortError") return "It did not answer in time."
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") return "Its name could not be found."
  if (error.code === "ECONNREFUSED") return "Nothing answers there."
  return `The connection failed (${error.code ?? "unknown"}).`
}
