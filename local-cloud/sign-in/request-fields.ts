import type { Context } from "koa"

/** A field of a form's or a JSON body, when it is a text. */
export function field(koa: Context, name: string): string | null {
  const body: unknown = koa.request.body
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, name)) return null
  const value = (body as Record<string, unknown>)[name]
  return typeof value === "string" ? value : null
}

/** Where the request came in, by its Host header, such as `http://127.0.0.1:8446`. Koa's own `origin` is the header of that name. */
export const originOf = (koa: Context) => `http://${koa.host}`
