import type { AddressInfo } from "node:net"
import { SMTPServer } from "smtp-server"

export interface ReceivedMail {
  from: string
  to: string[]
  /** Who had signed in to send it. */
  user: string | undefined
  /** Headers and text as they came over the line. */
  raw: string
  /** Its text, with line breaks of the transport taken out. */
  text: string
}

/** A mail server on loopback that takes mails of one user; it refuses recipients as a test says. */
export async function startMailServer({ user = "cloud", password = "p@ss word" } = {}) {
  const mails: ReceivedMail[] = []
  const state = { mails, url: "", visits: 0, signIns: 0, refuse: null as number | null, port: 0, close }
  const server = new SMTPServer({
    // It offers no TLS, which is good enough on loopback alone.
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onConnect(_session, answer) {
      state.visits++
      answer()
    },
    onAuth(auth, _session, answer) {
      state.signIns++
      const isRight = auth.username === user && auth.password === password
      answer(isRight ? null : new Error("wrong user or password"), { user: auth.username })
    },
    onRcptTo(_address, _session, answer) {
      answer(state.refuse === null ? null : Object.assign(new Error("no"), { responseCode: state.refuse }))
    },
    onData(stream, session, answer) {
      let raw = ""
      stream.setEncoding("utf8").on("data", (part: string) => {
        raw += part
      })
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope
        const from = mailFrom ? mailFrom.address : ""
        mails.push({ from, to: rcptTo.map(one => one.address), user: session.user, raw, text: textOf(raw) })
        answer()
      })
    },
  })
  server.on("error", () => {})
  await new Promise<void>(resolve => void server.listen(0, "127.0.0.1", () => resolve()))
  state.port = (server.server.address() as AddressInfo).port
  state.url = `smtp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${state.port}`
  function close(): Promise<void> {
    return new Promise(resolve => void server.close(() => resolve()))
  }
  return state
}

function textOf(raw: string): string {
  const body = raw.slice(raw.indexOf("\r\n\r\n") + 4)
  if (!/^Content-Transfer-Encoding: quoted-printable/im.test(raw)) return body
  const bytes = body
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, "latin1").toString("utf8")
}
