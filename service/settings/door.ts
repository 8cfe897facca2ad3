import { z } from "zod"
import { flag, httpUrl, list, whole } from "./shapes.ts"

/** How the service is reached, by whom, and what each may have. */
export const door = {
  FOOZOL_URL: httpUrl
    .default("http://127.0.0.1:8080")
    .describe("address of the service as users' browsers reach it; https except on this machine"),
  FOOZOL_LISTEN: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[\w.-]+):\d{1,5}$/, "must be HOST:PORT")
    .default("127.0.0.1:8080")
    .describe("address and port the service listens on"),
  FOOZOL_MACHINE_URL: httpUrl.optional().describe("address of the service as machines reach it; FOOZOL_URL if unset"),
  FOOZOL_TRUST_PROXY: flag
    .default(false)
    .describe("true when a reverse proxy in front sets X-Forwarded-For; without one, anybody could"),
  FOOZOL_METRICS_LISTEN: z
    .string()
    .regex(/^(off|(\[[0-9a-f:]+\]|[\w.-]+):\d{1,5})$/, "must be HOST:PORT or off")
    .default("127.0.0.1:9464")
    .describe("address and port of /metrics, or off"),
  FOOZOL_ROLES: z
    .string()
    .transform(list)
    .pipe(z.array(z.enum(["web", "worker"])).min(1))
    .default(["web", "worker"])
    .describe("what this process does: web, worker, or both"),
  FOOZOL_REDIS_URL: z
    .url({ protocol: /^(rediss?|unix)$/, error: "must be a redis:// or rediss:// URL" })
    .default("redis://127.0.0.1:6379")
    .describe("the Redis that keeps logins, tokens, workspaces and operations; it must be append-only"),
  FOOZOL_SECRET: z
    .string({ error: "is missing: at least 32 random characters, for instance of `openssl rand -base64 48`" })
    .min(32, "must have at least 32 characters, for instance of `openssl rand -base64 48`")
    .describe("the secret all keys are derived from; `foozol-cloud secrets rotate` changes it"),
  FOOZOL_SECRET_PREVIOUS: z
    .string()
    .transform(text => text.split("\n").flatMap(line => line.trim() || []))
    .pipe(z.array(z.string().min(32, "must be secrets of at least 32 characters, one a line, the newest first")))
    .default([])
    .describe("the secret from before (or several, one a line, newest first), accepted until `secrets rotate` is done"),
  FOOZOL_GITHUB_CLIENT_ID: z
    .string({ error: "is missing: the client id of your GitHub OAuth app" })
    .min(1)
    .describe("client id of your GitHub OAuth app; its callback URL is FOOZOL_URL and `/login/github/callback`"),
  FOOZOL_GITHUB_CLIENT_SECRET: z
    .string({ error: "is missing: a client secret of your GitHub OAuth app" })
    .min(1)
    .describe("a client secret of that app"),
  FOOZOL_GITHUB_URL: httpUrl
    .default("https://github.com")
    .describe("GitHub, a GitHub Enterprise Server, or the local cloud's stand-in"),
  FOOZOL_ALLOW: z
    .string()
    .transform(list)
    .pipe(
      z
        .array(
          z.string().regex(/^(everyone|(user|org):[A-Za-z0-9-]{1,39})$/, "must be everyone, user:NAME or org:NAME"),
        )
        .min(1),
    )
    .describe("who may sign in: `everyone`, or a list such as `user:NAME, org:NAME`"),
  FOOZOL_OPERATORS: z
    .string()
    .transform(list)
    .default([])
    .describe("GitHub login names of those who may see and end what others have"),
  FOOZOL_SIGN_UP_CAP: whole(0, 10_000_000).default(0).describe("how many users there may be at most; 0: no limit"),
  FOOZOL_QUOTA_DESKTOP: whole(0, 1000).default(1).describe("workspaces of the profile desktop a user may have"),
  FOOZOL_QUOTA_TOTAL: whole(1, 1000).default(3).describe("workspaces a user may have in all"),
  FOOZOL_LOGIN_IDLE_HOURS: whole(1, 24 * 90)
    .default(72)
    .describe("hours without use after which a login ends"),
  FOOZOL_LOGIN_MAX_HOURS: whole(1, 24 * 365)
    .default(24 * 30)
    .describe("hours after which a login ends in any case"),
}
