import { z } from "zod"

export const list = (text: string) => text.split(/[\s,]+/).filter(part => part !== "")
export const flag = z.enum(["true", "false"]).transform(text => text === "true")
export const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most)
export const httpUrl = z
  .url({ protocol: /^https?$/, error: "must be an http or https URL" })
  .transform(text => text.replace(/\/+$/, ""))
export const name = z.string().regex(/^[a-z][a-z0-9-]{1,31}$/, "must be a name of the provider, in lower case")
