import { z } from "zod"

/** A switch in a query: `true` or `false`. */
export const yesOrNo = z.enum(["true", "false"]).transform(text => text === "true")
