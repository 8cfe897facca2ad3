import assert from "node:assert/strict"
import { createPrivateKey, generateKeyPairSync } from "node:crypto"
import { formsIn, keyForms } from "../support/key-forms.ts"

describe("support: a private key is found in whatever form it stands somewhere", () => {
  const fresh = () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }) as string

  it("in PEM, old and new, as a JSON text too, in DER, as a JWK, in hexadecimal, in Base64 of anything", () => {
    for (let round = 0; round < 50; round++) {
      const pem = fresh()
      const key = createPrivateKey(pem)
      const der = key.export({ type: "pkcs8", format: "der" })
      const forms = keyForms(pem)
      const stands: Record<string, Buffer | string> = {
        pem,
        "pem in JSON": JSON.stringify({ key: pem }),
        sec1: key.export({ type: "sec1", format: "pem" }) as string,
        der: Buffer.concat([Buffer.from("before"), der]),
        jwk: JSON.stringify(key.export({ format: "jwk" })),
        hex: der.toString("hex"),
        HEX: der.toString("hex").toUpperCase(),
        ...Object.fromEntries(
          [0, 1, 2].flatMap(shift => {
            const within = Buffer.concat([Buffer.alloc(shift, "x"), der, Buffer.from("after")])
            return (["base64", "base64url"] as const).map(form => [`${form} ${shift}`, within.toString(form)])
          }),
        ),
      }
      for (const [what, text] of Object.entries(stands)) assert.notDeepEqual(formsIn(text, forms), [], what)
    }
  })

  it("and in nothing else: another key, its public half", () => {
    const forms = keyForms(fresh())
    assert.deepEqual(formsIn(fresh(), forms), [])
    const pem = fresh()
    const { x, y } = createPrivateKey(pem).export({ format: "jwk" })
    assert.deepEqual(formsIn(JSON.stringify({ x, y }), keyForms(pem)), [])
  })
})
