import type { Logger } from "pino"
import type { Deliveries, Delivery } from "./deliveries.ts"
import type { Mailer } from "./mail.ts"
import type { PreferenceStore } from "./preferences.ts"
import { type Sent, sendWebhook } from "./webhook.ts"

export interface Deliverer {
  deliveries: Deliveries
  preferences: PreferenceStore
  /** Null where the operator has set no mail server. */
  mailer: Mailer | null
  /** Refuse webhooks outside the public internet. */
  onlyPublic: boolean
  log: Logger
  now: () => number
}

/**
 * Delivers everything that is due, a few at a time.
 * @param most tries of this round
 */
export async function deliverDue(deliverer: Deliverer, most = 50): Promise<void> {
  const lane = async () => {
    for (let tried = 0; tried < most / LANES; tried++) {
      const delivery = await deliverer.deliveries.take()
      if (!delivery) return
      await deliver(deliverer, delivery)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

/** One that does not answer must not hold up all others. */
const LANES = 5

async function deliver(deliverer: Deliverer, delivery: Delivery): Promise<void> {
  const { deliveries, log } = deliverer
  const { told, channel, attempts } = delivery
  const sent = await send(deliverer, delivery)
  if (sent === null || sent.ok) {
    await deliveries.delivered(delivery)
    return
  }
  const end = await deliveries.failed(delivery, sent.reason, sent.isHopeless)
  const facts = { notification: told.id, kind: told.kind, user: told.user, channel, attempts }
  log[end === "given-up" ? "warn" : "info"](facts, `a notification was not delivered: ${sent.reason}`)
}

/** @returns null where the user has taken the channel away meanwhile: nobody wants it any more */
async function send(deliverer: Deliverer, { channel, told }: Delivery): Promise<Sent | null> {
  const { preferences, mailer, onlyPublic, now } = deliverer
  if (channel === "webhook") {
    const target = await preferences.webhook(told.user)
    return target && sendWebhook(target, told, { now: now(), onlyPublic })
  }
  const { email } = await preferences.get(told.user)
  // A confirmation goes to the address that waits for it, all else to none that nobody has confirmed.
  const isWanted = told.kind === "confirm-address" ? told.facts.address === email?.address : email?.confirmed
  if (!email || !isWanted) return null
  if (!mailer) return { ok: false, reason: "This service has no mail server.", isHopeless: true }
  return mailer.send(email.address, told)
}
