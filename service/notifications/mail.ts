import { createTransport } from "nodemailer"
import { z } from "zod"
import { isLoopback } from "../config/addresses.ts"
import type { Notification } from "./kinds.ts"
import { textOf } from "./texts.ts"
import type { Sent } from "./webhook.ts"

/** An address people are written to. Line ends and lists have no place in it. */
export const EmailAddress = z.email({ error: "must be an e-mail address" }).max(254)

export interface Mailer {
  send(to: string, told: Notification): Promise<Sent>
  close(): void
}

/** How long a server may take for each step. */
const TIMEOUT_MS = 20_000

/**
 * Sends mails through the operator's server.
 * @param smtp.url `smtp://` (with STARTTLS, which is required unless the server is this machine) or `smtps://`
 * @param site address of the service, for the foot of each mail
 */
export function createMailer(smtp: { url: string; from: string }, site: string): Mailer {
  const { protocol, hostname, port, username, password } = new URL(smtp.url)
  const secure = protocol === "smtps:"
  const host = hostname || "localhost"
  const transport = createTransport({
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && !isLoopback(`http://${host}`),
    ...(username ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } } : {}),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // What a mail says is text alone: nothing in it is ever read from a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const siteHost = new URL(site).hostname
  return {
    async send(to, told) {
      const { subject, text } = textOf(told)
      const foot = told.kind === "confirm-address" ? "" : `\n\nWhat is sent where: ${site}/account/notifications`
      try {
        await transport.sendMail({
          ...{ from: smtp.from, to, subject, text: `${text}\n\n${site}${foot}\n` },
          // The same for a mail that is sent again, so that mail programs show it once.
          messageId: `<${encodeURIComponent(told.id)}@${siteHost}>`,
          headers: { "Auto-Submitted": "auto-generated" },
        })
        return { ok: true }
      } catch (error) {
        const { responseCode, code } = error as { responseCode?: number; code?: string }
        // 5xx to the recipient or the message is the server's last word; to us, the operator can mend it.
        const isHopeless = code === "EENVELOPE" && responseCode !== undefined && responseCode >= 550
        const reason = responseCode
          ? `The mail server answered ${responseCode}.`
          : `The mail server could not be reached (${code ?? "unknown"}).`
        return { ok: false, reason, isHopeless }
      }
    },
    close: () => transport.close(),
  }
}
