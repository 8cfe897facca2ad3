/** Most characters of a title and of a last line. */
export const [MOST_TITLE, MOST_LINE] = [100, 200]
/** Shorter values would take ordinary words for secrets. */
const LEAST_SECRET = 6

/** What looks like a credential, whoever has given it. */
const CREDENTIALS = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(sk|pk|rk|ghp|gho|ghu|ghs|ghr|github_pat|glpat|xox[a-z]|npm|hf|AIza|ya29|AKIA|ASIA)[-_.]?[A-Za-z0-9_.-]{12,}/g,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*)?/g,
  /\b(?<=(bearer|basic)\s)[A-Za-z0-9._~+/=-]{8,}/gi,
  /(?<=\b[\w-]*(password|passwd|secret|token|api[-_]?key)["']?\s*[=:]\s*["']?)[^\s"',;]{4,}/gi,
  /(?<=:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g,
]

/** Leaves out secrets: those the workspace was given, and what looks like one. Pure. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let said = text
  const known = secrets.filter(one => one.length >= LEAST_SECRET).sort((a, b) => b.length - a.length)
  for (const secret of known) said = said.replaceAll(secret, "***")
  for (const form of CREDENTIALS) said = said.replace(form, "***")
  return said
}

/** One line of at most so many characters, without what a terminal would take for orders. Pure. */
export function oneLine(text: string, most: number): string {
  const line = text.replace(/[\s\p{C}]+/gu, " ").trim()
  const signs = [...line.slice(0, most * 4)]
  return signs.length <= most && line.length <= most * 4
    ? line
    : `${signs
        .slice(0, most - 1)
        .join("")
        .trimEnd()}…`
}

/** The last line of a text that says something. */
export const lastLineOf = (text: string): string =>
  text
    .trimEnd()
    .split("\n")
    .findLast(line => /[\p{L}\p{N}]/u.test(line)) ?? ""
