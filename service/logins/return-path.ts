/** Where pages lead when nothing else is said. */
export const HOME = "/"

/**
 * A place of our own to go to after sign-in: path and query of it, or HOME for whatever could lead elsewhere
 * (`//host`, `/\host`, control characters, whole addresses).
 */
export function returnPath(given: unknown): string {
  if (typeof given !== "string" || given.length > 500 || !/^\/(?![/\\])[\x21-\x7e]*$/.test(given)) return HOME
  if (given.includes("\\") || !URL.canParse(given, "http://own.invalid")) return HOME
  const url = new URL(given, "http://own.invalid")
  return url.host === "own.invalid" && !url.pathname.startsWith("//") ? `${url.pathname}${url.search}` : HOME
}
