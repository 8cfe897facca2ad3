import type { Campaign } from "./campaign.ts"
import { freezes } from "./freezes.ts"
import { deploys, kills, lifeKills } from "./kills.ts"
import { redisOutages } from "./redis-outages.ts"
import { tokens } from "./tokens.ts"
import { weather } from "./weather.ts"

/** Every campaign, by the name it is asked for. */
export const CAMPAIGNS = new Map<string, Campaign>([
  ["kills", kills],
  ["life-kills", lifeKills],
  ["deploys", deploys],
  ["freezes", freezes],
  ["redis", redisOutages],
  ["weather", weather],
  ["tokens", tokens],
])
