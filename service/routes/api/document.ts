import { createDocument } from "zod-openapi"
import type { ApiRoute } from "./define.ts"
import { ProblemSchema } from "./schemas.ts"

const TEXTS: Record<number, string> = {
  400: "The request cannot be read",
  401: "Not signed in, or the token is not valid",
  403: "Not allowed with this token, not offered to you, or asked for by another site's page",
  404: "There is no such thing, or it is not yours",
  409: "Not possible in the present state",
  413: "The body is too large",
  415: "The body is no JSON",
  422: "The request is not valid",
  429: "Asked for too often",
  500: "A fault of the service",
  502: "The cloud provider refused",
  503: "Away for a moment",
}

/** The API as OpenAPI 3.1, made from what the routes themselves check. */
export function apiDocument(routes: ApiRoute[], url: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const given of routes) {
    const at = `/api/v1${given.path}`
    paths[at] = { ...paths[at], [given.method]: operation(given) }
  }
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "foozol Cloud",
      version: "1",
      description:
        "A computer in the cloud for every user. Make a token on your account page and send it as `Authorization: Bearer …`.",
    },
    servers: [{ url }],
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    paths,
  } as Parameters<typeof createDocument>[0])
}

function operation(given: ApiRoute): object {
  const hasInput = Boolean(given.body ?? given.params ?? given.query ?? given.headers)
  const errors = [
    ...(given.scope === null ? [] : [401, 403]),
    ...(given.body ? [400, 413, 415] : []),
    ...(hasInput ? [422] : []),
    ...[429, 500, 503],
    ...(given.errors ?? []),
  ]
  const failures = [...new Set(errors)].sort().map(status => [
    String(status),
    {
      description: TEXTS[status] ?? "An error",
      content: { "application/problem+json": { schema: ProblemSchema } },
    },
  ])
  const replies = Object.entries(given.replies).map(([status, { description, schema, type }]) => [
    status,
    {
      description,
      ...(schema || type
        ? {
            content: {
              ...(schema ? { "application/json": { schema } } : {}),
              // Without a schema: what a stream is as a whole, none can say.
              ...(type ? { [type]: {} } : {}),
            },
          }
        : {}),
    },
  ])
  const params = {
    ...(given.params ? { path: given.params } : {}),
    ...(given.query ? { query: given.query } : {}),
    ...(given.headers ? { header: given.headers } : {}),
  }
  return {
    operationId: given.id,
    tags: [given.tag],
    summary: given.summary,
    ...(given.description ? { description: given.description } : {}),
    security: given.scope === null ? [] : [{ token: [] }],
    ...(Object.keys(params).length > 0 ? { requestParams: params } : {}),
    ...(given.body ? { requestBody: { required: true, content: { "application/json": { schema: given.body } } } } : {}),
    responses: Object.fromEntries([...replies, ...failures]),
  }
}
