import { connect } from "node:tls"
import { hostPort } from "../../local-cloud/machines/qemu/forwards.ts"

/** The public key (hexadecimal) that a machine shows at its door. @throws while there is none */
export function publicKeyAt(host: string, servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: hostPort(443), servername, rejectUnauthorized: false }, () => {
      const { pubkey } = socket.getPeerCertificate()
      socket.destroy()
      pubkey === undefined ? reject(new Error("it has no key")) : resolve(pubkey.toString("hex"))
    })
    socket.setTimeout(5_000, () => socket.destroy(new Error("it does not answer")))
    socket.once("error", reject)
  })
}
