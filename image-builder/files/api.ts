/// <reference lib="dom" />

/** What the workspace did not do, and why, in a sentence for the person. */
export class Refusal extends Error {
  readonly id: string
  readonly status: number
  readonly more: Record<string, unknown>

  constructor(id: string, status: number, message: string, more: Record<string, unknown> = {}) {
    super(message)
    this.id = id
    this.status = status
    this.more = more
  }
}

/** Without an answer of the files' own program: the connection, the sign-in, or the service in between. */
export const isLost = ({ id }: Refusal) => id === "lost"

export const lost = (status = 0) => new Refusal("lost", status, "The workspace did not answer. Try again.")

/** Asks the workspace. @throws Refusal */
export async function call<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      cache: "no-store",
      redirect: "manual",
      ...(signal ? { signal } : {}),
      ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
    })
  } catch {
    throw lost()
  }
  return read<T>(answer.status, await answer.text().catch(() => ""))
}

/** What an answer says. @throws Refusal */
export function read<T>(status: number, text: string): T {
  let value: Record<string, unknown>
  try {
    value = JSON.parse(text)
  } catch {
    // NGINX's own pages.
    throw lost(status)
  }
  if (status >= 200 && status < 300) return value as T
  if (value.id === "refused") throw lost(status)
  throw new Refusal(String(value.id), status, String(value.message), value)
}

export const query = (values: Record<string, string | number>) =>
  new URLSearchParams(Object.entries(values).map(([name, value]) => [name, String(value)])).toString()
