/**
 * How certificate authorities are called in CAA records, by the host of their directory: from each one's own
 * documentation on CAA.
 */
const ISSUERS: [RegExp, string][] = [
  [/(^|\.)letsencrypt\.org$/, "letsencrypt.org"],
  [/(^|\.)pki\.goog$/, "pki.goog"],
  [/(^|\.)zerossl\.com$/, "sectigo.com"],
  [/(^|\.)buypass\.com$/, "buypass.com"],
  [/(^|\.)ssl\.com$/, "ssl.com"],
]

/** The name by which a directory's authority goes in CAA records; null where that is not known here. Pure. */
export function issuerOf(directory: string): string | null {
  const host = URL.parse(directory)?.hostname ?? ""
  return ISSUERS.find(([pattern]) => pattern.test(host))?.[1] ?? null
}
