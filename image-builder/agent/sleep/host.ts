import { request } from "node:http"

/**
 * What the local cloud answers beside a machine's metadata (local-cloud/machines/qemu/standby.ts); other providers have
 * nothing there.
 */
const HOST = "http://169.254.169.254/foozol/v1"
const ANSWER_MS = 1_000

/** What makes a machine that goes on from a kept memory right again: who it is, the time (ms since 1970), 128 hexadecimal digits of randomness. */
export interface Woken {
  machine: string
  now: number
  seed: string
}

/** Asks the host. @throws when there is no answer within a second, or it is no JSON */
export function askHost(
  path: "standby" | "sleep",
  method: "GET" | "POST" = "GET",
): Promise<{ status: number; said: unknown }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${HOST}/${path}`, { method, agent: false, timeout: ANSWER_MS }, response => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", part => (text += part))
      response.on("end", () => {
        const status = response.statusCode ?? 0
        try {
          resolve({ status, said: status >= 200 && status < 300 ? JSON.parse(text) : null })
        } catch (error) {
          reject(error)
        }
      })
      response.on("error", reject)
    })
    asked.on("timeout", () => asked.destroy(new Error("no answer")))
    asked.on("error", reject)
    asked.end()
  })
}
