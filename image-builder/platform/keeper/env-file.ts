/** What may be handed over as the service's environment: nothing by which a program could be made to load another. */
const NAME = /^(FOOZOL|HCLOUD|AWS|GOOGLE|OTEL)_[A-Z0-9_]{1,60}$/

/**
 * An environment as systemd reads it from a file. Pure.
 * @throws Error naming what cannot be written, without its value
 */
export function envFile(settings: Record<string, string>): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    if (!NAME.test(name)) throw new Error(`${name.slice(0, 80)} is no setting of the service`)
    if (typeof value !== "string" || value.includes("\0")) throw new Error(`the value of ${name} is no text`)
    return `${name}="${value.replace(/["\\$`]/g, "\\$&")}"\n`
  })
  return lines.sort().join("")
}
