import type { Campaign } from "./campaign.ts"
import { freezes } from "./freezes.ts"
import { hour } from "./hour.ts"
import { deploys, kills, lifeKills } from "./kills.ts"
import { lostHosts } from "./lost-hosts.ts"
import { pool } from "./pool.ts"
import { redisOutages } from "./redis-outages.ts"
import { states } from "./states.ts"
import { streams } from "./streams.ts"
import { tokens } from "./tokens.ts"
import { weather } from "./weather.ts"
import { wipes } from "./wipes.ts"

/** Every campaign, by the name it is asked for. */
export const CAMPAIGNS = new Map<string, Campaign>([
  ["kills", kills],
  ["life-kills", lifeKills],
  ["deploys", deploys],
  ["freezes", freezes],
  ["hosts", lostHosts],
  ["redis", redisOutages],
  ["weather", weather],
  ["tokens", tokens],
  ["wipes", wipes],
  ["states", states],
  ["pool", pool],
  ["streams", streams],
  ["hour", hour],
])
