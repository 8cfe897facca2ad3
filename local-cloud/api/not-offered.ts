import { notFound, unsupported } from "../errors.ts"
import { page } from "./request.ts"
import type { Route } from "./routes.ts"

const KINDS = ["networks", "placement_groups", "floating_ips", "load_balancers", "load_balancer_types", "certificates"]

/** Kinds the local cloud does not have: their lists are empty, and making one is refused in so many words. */
export const notOfferedRoutes: Route[] = KINDS.flatMap((kind): Route[] => [
  { method: "GET", path: `/${kind}`, handle: (_, call) => page(call, kind, [], () => ({})) },
  {
    method: "GET",
    path: `/${kind}/:id`,
    handle: (_, call) => {
      throw notFound(kind, call.params.id ?? "")
    },
  },
  {
    method: "POST",
    path: `/${kind}`,
    handle: () => {
      throw unsupported(`the local cloud does not offer ${kind.replaceAll("_", " ")}`)
    },
  },
])
