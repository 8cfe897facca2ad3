import { X509Certificate } from "node:crypto"
import { readFile } from "node:fs/promises"
import { connect } from "node:tls"
import { pause } from "../backoff.ts"
import type { Run } from "../run.ts"

type Place = { host: string; port: number }

/** Between two looks, and how many at most: whatever is wrong with NGINX is not mended by waiting for ever. */
const LOOK_MS = 200
const LOOKS = 150

/** Waits until NGINX answers. */
export async function doorOpen(https: Place | null, signal: AbortSignal): Promise<void> {
  if (https !== null) await until(async () => (await shown(https)) !== null, signal)
}

/**
 * Has NGINX take the certificate anew, and waits until it shows it. Its older processes stay for as long as the streams
 * that they carry.
 * @throws when it does not
 */
export async function showCertificate(
  { run, https, folder }: { run: Run; https: Place | null; folder: string },
  signal: AbortSignal,
): Promise<void> {
  const result = await run("systemctl", ["reload", "nginx.service"])
  if (result.code !== 0) throw new Error(`NGINX did not take the certificate: ${result.stderr.trim()}`)
  if (https === null) return
  const { fingerprint256 } = new X509Certificate(await readFile(`${folder}/cert.pem`))
  if (!(await until(async () => (await shown(https)) === fingerprint256, signal)) && !signal.aborted)
    throw new Error("NGINX goes on showing the certificate of before")
}

async function until(test: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  for (let looks = 0; looks < LOOKS && !signal.aborted; looks++) {
    if (await test()) return true
    await pause(LOOK_MS, signal)
  }
  return false
}

/** Fingerprint of the certificate that is shown to visitors; null where nobody answers. */
function shown(place: Place): Promise<string | null> {
  return new Promise(resolve => {
    // Whether it is a good one is the browser's question.
    const socket = connect({ ...place, rejectUnauthorized: false })
    const end = (answer: string | null) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(3_000, () => end(null))
    socket.once("secureConnect", () => end(socket.getPeerX509Certificate()?.fingerprint256 ?? null))
    socket.once("error", () => end(null))
    socket.once("close", () => end(null))
  })
}
