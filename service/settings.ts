import { z } from "zod"
import { certificates } from "./settings/certificates.ts"
import { door } from "./settings/door.ts"
import { life } from "./settings/life.ts"
import { machines } from "./settings/machines.ts"
import { providers } from "./settings/providers.ts"
import { records } from "./settings/records.ts"
import { traces } from "./settings/traces.ts"

/**
 * Every setting of the service, by the environment variable it is read from. `describe` is what README and
 * `foozol-cloud service settings` print.
 */
export const Settings = z.object({
  ...door,
  ...providers,
  ...certificates,
  ...machines,
  ...life,
  ...records,
  ...traces,
})
