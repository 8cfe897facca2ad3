import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"

/** What `openssl s_client` saw of a server. */
export interface TlsLook {
  /** `TLSv1.3` and the like; null where no connection came about. */
  protocol: string | null
  cipher: string | null
  /** Everything it has printed: the handshake, and what the server answered. */
  text: string
}

/**
 * Connects as openssl does, with more arguments of `s_client`. Weak ciphers and old protocols are offered too, where
 * this system's openssl still knows them.
 * @param send what is sent once it is connected
 * @param until what ends it when it is printed; without, it ends when it is connected
 */
export async function lookAtTls(
  at: { port: number; host: string },
  args: string[],
  send = "",
  until?: RegExp,
): Promise<TlsLook> {
  const to = ["-connect", `127.0.0.1:${at.port}`, "-servername", at.host]
  const child = spawn("openssl", ["s_client", ...to, ...args], { stdio: ["pipe", "pipe", "pipe"], timeout: 30_000 })
  child.stdin.on("error", () => {})
  let all = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", part => {
      all += part
      if (until?.test(all)) child.stdin.end()
    })
  }
  child.stdin.write(send)
  if (until === undefined) child.stdin.end()
  await once(child, "close")
  const [, protocol = null, cipher = null] = /^New, (\S+), Cipher is (\S+)$/m.exec(all) ?? []
  const isOpen = cipher !== null && cipher !== "(NONE)"
  const exact = /^\s*Protocol\s*: (\S+)$/m.exec(all)?.[1] ?? protocol
  return { protocol: isOpen ? exact : null, cipher: isOpen ? cipher : null, text: all }
}

/** Ciphers of TLS 1.2 and before that this openssl can offer. */
export async function oldCiphers(): Promise<string[]> {
  const child = spawn("openssl", ["ciphers", "-s", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])
  return (await text(child.stdout))
    .trim()
    .split(":")
    .filter(name => !/PSK|SRP/.test(name))
}
