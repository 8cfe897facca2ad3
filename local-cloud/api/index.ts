import { actionRoutes } from "./actions.ts"
import { catalogRoutes } from "./catalog-routes.ts"
import { firewallRoutes } from "./firewalls.ts"
import { imageRoutes } from "./images.ts"
import { notOfferedRoutes } from "./not-offered.ts"
import { primaryIpRoutes } from "./primary-ips.ts"
import type { Route } from "./routes.ts"
import { rrsetRoutes } from "./rrsets.ts"
import { serverActionRoutes } from "./server-actions.ts"
import { serverRoutes } from "./servers.ts"
import { sshKeyRoutes } from "./ssh-keys.ts"
import { volumeRoutes } from "./volumes.ts"
import { zoneRoutes } from "./zones.ts"

/** Every route of the API. Fixed paths come before those with a parameter at the same place. */
export const ROUTES: Route[] = [
  ...actionRoutes,
  ...catalogRoutes,
  ...serverRoutes,
  ...serverActionRoutes,
  ...imageRoutes,
  ...firewallRoutes,
  ...primaryIpRoutes,
  ...sshKeyRoutes,
  ...volumeRoutes,
  ...rrsetRoutes,
  ...zoneRoutes,
  ...notOfferedRoutes,
]
