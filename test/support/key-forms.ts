import { createPrivateKey } from "node:crypto"

/** A form in which the secret part of a key could stand somewhere. */
export interface KeyForm {
  form: string
  bytes: Buffer
}

/** How the secret part of an elliptic key could stand in bytes or a text: raw as in DER, in hexadecimal, in Base64 of anything it is within. */
export function keyForms(pem: string): KeyForm[] {
  const { d = "" } = createPrivateKey(pem).export({ format: "jwk" })
  return formsOfBytes(Buffer.from(d, "base64url"))
}

/** The same of any bytes. */
export function formsOfBytes(secret: Buffer): KeyForm[] {
  const text = (form: string, one: string): KeyForm => ({ form, bytes: Buffer.from(one) })
  const hex = secret.toString("hex")
  const windows = [0, 1, 2].flatMap(offset => {
    // Whatever stands before it, it begins at one of three places of a group of four characters.
    const whole = Buffer.concat([Buffer.alloc(offset), secret]).toString("base64")
    const inner = whole.slice(offset === 0 ? 0 : offset + 1, Math.floor((offset + secret.length) / 3) * 4)
    const url = inner.replaceAll("+", "-").replaceAll("/", "_")
    return [text(`Base64 at ${offset}`, inner), ...(url === inner ? [] : [text(`Base64 for URLs at ${offset}`, url)])]
  })
  return [
    { form: "bytes", bytes: secret },
    text("hexadecimal", hex),
    text("HEXADECIMAL", hex.toUpperCase()),
    ...windows,
  ]
}

/** The forms that are in there. What breaks Base64 into lines, as PEM does, is taken out first. */
export function formsIn(haystack: Buffer | string, forms: KeyForm[]): string[] {
  const whole = Buffer.from(haystack)
  const joined = Buffer.from(whole.toString("latin1").replace(/\\r|\\n|[\r\n]/g, ""), "latin1")
  return forms.filter(({ bytes }) => whole.includes(bytes) || joined.includes(bytes)).map(({ form }) => form)
}
