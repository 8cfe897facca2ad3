import { ROUTES } from "../../local-cloud/api/index.ts"
import type { ApiDescription } from "./api-description.ts"
import type { TestCloud } from "./local-cloud.ts"

// biome-ignore lint/suspicious/noExplicitAny: answers are judged by the description; a walk reads what it needs of them
type Body = any

/** Calls of the API, each judged by the description and counted for its route. */
export interface ApiWalk {
  /** A call that must answer with this status, and this code when it is an error. */
  expect(status: number, method: string, path: string, body?: unknown, code?: string): Promise<Body>
  /** Answers the description has no form for or that differ from it. */
  readonly deviations: string[]
  /** Names of routes such as `GET /servers/:id` that never answered with success. */
  neverSucceeded(): string[]
  neverCalled(): string[]
}

interface Known {
  name: string
  method: string
  pattern: RegExp
  template: string
  statuses: Set<number>
}

export function createApiWalk(cloud: TestCloud, description: ApiDescription): ApiWalk {
  const deviations: string[] = []
  // In the order of the router, where the first that fits answers.
  const routes = ROUTES.map(
    ({ method, path }): Known => ({
      name: `${method} ${path}`,
      method,
      pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`),
      template: path.replace(/:\w+/g, "{}"),
      statuses: new Set(),
    }),
  )
  const without = (fits: (statuses: number[]) => boolean) =>
    routes.filter(route => fits([...route.statuses])).map(route => route.name)
  return {
    deviations,
    neverCalled: () => without(statuses => statuses.length === 0),
    neverSucceeded: () => without(statuses => statuses.every(status => status >= 400)),
    async expect(status, method, path, body, code) {
      const answer = await cloud.call(method, path, body)
      const said = answer.body as Body
      if (answer.status !== status || said?.error?.code !== code) {
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(said)}, not ${status} ${code ?? ""}`)
      }
      const pathname = path.split("?")[0] ?? ""
      const route = routes.find(one => one.method === method && one.pattern.test(pathname))
      if (!route) throw new Error(`${method} ${path} is no route`)
      route.statuses.add(status)
      for (const problem of description.problems(method, route.template, status, said)) {
        deviations.push(`${method} ${path} ${status}: ${problem}`)
      }
      return said
    },
  }
}
