import { type Check, expect } from "../check.ts"
import { shake } from "../door.ts"
import { answers } from "./boot.ts"

const needs = [answers.name]
/** The machine's clock may differ from this computer's. */
const CLOCKS_DIFFER_MS = 120_000

export const tls: Check[] = [
  {
    name: "door: TLS 1.2 and 1.3, nothing older",
    level: "quick",
    needs,
    async run({ door, patience }) {
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const socket = await shake(door, { minVersion: version, maxVersion: version }, patience)
        expect(socket.getProtocol() === version, `${version} was asked for and ${socket.getProtocol()} spoken`)
        socket.destroy()
      }
      // The lowest security level: it must be the machine that refuses, not this computer's OpenSSL.
      const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const
      const words = await shake(door, old, patience).then(
        socket => {
          socket.destroy()
          return null
        },
        error => String(error.message),
      )
      expect(words !== null, "TLS 1.1 is spoken")
      expect(/alert|version|closed|ECONNRESET|hang up/i.test(words), `TLS 1.1 failed on this side: ${words}`)
      return "TLS 1.1 is refused"
    },
  },
  {
    name: "door: the certificate bears the machine's name and was made on it",
    level: "quick",
    needs,
    async run({ door, patience, startedAt }) {
      const socket = await shake(door, {}, patience)
      const certificate = socket.getPeerCertificate()
      socket.destroy()
      const names = certificate.subjectaltname ?? ""
      expect(names.split(", ").includes(`DNS:${door.name}`), `The certificate is for "${names}", not for ${door.name}`)
      const madeAt = Date.parse(certificate.valid_from)
      expect(
        madeAt > startedAt - CLOCKS_DIFFER_MS,
        `The certificate is from ${certificate.valid_from}, before the machine's first start: it came with the image`,
      )
      return `${names}, made ${Math.round((madeAt - startedAt) / 1000)} s after power on`
    },
  },
]
