/** A small OpenAPI document that has in it whatever the readable page must cope with. */
export const apiDescription = {
  openapi: "3.1.0",
  info: {
    title: "foozol Cloud",
    version: "1",
    description: "Workspaces, operations and tokens.\n\nErrors are `application/problem+json`.",
  },
  servers: [{ url: "https://cloud.example.com" }],
  tags: [
    { name: "Workspaces", description: "A workspace is one user's computer." },
    { name: "Operations", description: "One durable unit of work on a workspace." },
  ],
  paths: {
    "/api/v1/workspaces": {
      get: {
        tags: ["Workspaces"],
        summary: "List workspaces",
        operationId: "listWorkspaces",
        responses: {
          200: {
            description: "All of yours",
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  properties: { workspaces: { type: "array", items: { $ref: "#/components/schemas/Workspace" } } },
                  required: ["workspaces"],
                },
              },
            },
          },
          401: { $ref: "#/components/responses/Problem" },
        },
      },
      post: {
        tags: ["Workspaces"],
        summary: "Create a workspace",
        description: "Answers as soon as it is recorded; follow the operation to its end.",
        operationId: "createWorkspace",
        parameters: [
          {
            name: "Idempotency-Key",
            in: "header",
            description: "The same key with the same request gives the same workspace.",
            schema: { type: "string", maxLength: 255 },
          },
        ],
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: {
                type: "object",
                required: ["profile", "sizeClass", "region"],
                properties: {
                  profile: { type: "string", enum: ["browser", "desktop"], description: "What it is for." },
                  sizeClass: { type: "string", enum: ["small", "medium", "large"] },
                  region: { type: "string", example: "fsn1" },
                  name: { type: "string", maxLength: 64 },
                  secrets: { type: "object", additionalProperties: { type: "string" }, writeOnly: true },
                },
              },
            },
          },
        },
        responses: {
          202: {
            description: "Recorded",
            content: { "application/json": { schema: { $ref: "#/components/schemas/Workspace" } } },
          },
          409: { $ref: "#/components/responses/Problem" },
        },
      },
    },
    "/api/v1/operations/{id}/events": {
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      get: {
        tags: ["Operations"],
        summary: "Follow an operation",
        operationId: "followOperation",
        parameters: [{ name: "Last-Event-ID", in: "header", schema: { type: "string" } }],
        responses: {
          200: { description: "Events", content: { "text/event-stream": { schema: { type: "string" } } } },
        },
      },
    },
    "/api/v1/workspaces/{id}": {
      delete: {
        summary: "Delete a workspace",
        deprecated: true,
        parameters: [{ $ref: "#/components/parameters/Id" }],
        responses: { 204: { description: "Gone" } },
      },
    },
  },
  components: {
    parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "string" }, example: "w-1" } },
    responses: {
      Problem: {
        description: "What went wrong",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
    schemas: {
      Workspace: {
        type: "object",
        required: ["id", "state"],
        properties: {
          id: { type: "string", example: "w-7f3k2m" },
          state: { type: "string", enum: ["PROVISIONING", "RUNNING"] },
          price: { anyOf: [{ type: "object", properties: { monthly: { type: "number" } } }, { type: "null" }] },
          parent: { $ref: "#/components/schemas/Workspace" },
        },
      },
      Problem: {
        type: "object",
        properties: {
          id: { type: "string" },
          detail: { type: ["string", "null"] },
          status: { type: "integer", minimum: 400 },
        },
      },
    },
    securitySchemes: { token: { type: "http", scheme: "bearer" } },
  },
  security: [{ token: [] }],
}
