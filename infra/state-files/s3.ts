import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3"
import { InfraError } from "../errors.ts"
import type { StateFiles } from "./contract.ts"

/** Tries of one request, the first included; the client waits between them, longer each time. */
const TRIES = 5

/**
 * The objects below a prefix of a bucket, at Amazon or at whatever speaks its protocol and knows conditional writes.
 * @param backendUrl as the engine takes it: `s3://BUCKET/PREFIX?region=…&endpoint=…&use_path_style=true&profile=…`
 * @param env `AWS_ACCESS_KEY_ID` and the like; without them the client looks where Amazon's own tools look
 */
export function s3Files(backendUrl: string, env: Record<string, string>): StateFiles {
  const url = new URL(backendUrl)
  const bucket = url.hostname
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "")
  const key = (name: string) => (prefix === "" ? name : `${prefix}/${name}`)
  const client = new S3Client({ ...clientSettings(url.searchParams, env), maxAttempts: TRIES })

  /** @throws InfraError `state-unreachable` in the place of whatever the client throws */
  async function ask<T>(request: () => Promise<T>, otherwise?: { status: number; value: T }): Promise<T> {
    try {
      return await request()
    } catch (error) {
      if (error instanceof S3ServiceException && otherwise && error.$metadata.httpStatusCode === otherwise.status) {
        return otherwise.value
      }
      throw unreachable(bucket, error)
    }
  }

  const read = (name: string) =>
    ask<string | null>(
      async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key(name) }))
        return Body?.transformToString() ?? null
      },
      { status: 404, value: null },
    )

  const replace = (name: string, text: string) =>
    ask(async () => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key(name), Body: Buffer.from(text) }))
    })
  const remove = (name: string) =>
    ask(async () => {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key(name) }))
    })

  return {
    ...{ read, replace, remove },
    isThere: async name => (await read(name)) !== null,
    // A bucket knows no moving: the copy is there before the other one goes.
    async move(name, to) {
      await replace(to, (await read(name)) ?? "")
      await remove(name)
    },
    list: folder =>
      ask(async () => {
        const found: string[] = []
        for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${key(folder)}/` })) {
          found.push(...(page.Contents ?? []).map(({ Key = "" }) => Key.slice(key("").length)))
        }
        return found
      }),
    writeNew: (name, text) =>
      ask(
        async () => {
          // Refused by the storage itself where the object is there: of two writers one is first.
          await client.send(
            new PutObjectCommand({ Bucket: bucket, Key: key(name), Body: Buffer.from(text), IfNoneMatch: "*" }),
          )
          return true
        },
        { status: 412, value: false },
      ),
  }
}

/**
 * Does a bucket keep what is overwritten and deleted in it? Nothing else is a backup of the stacks in it.
 * @throws InfraError `state-unreachable`, also where whoever asks may not know
 */
export async function keepsVersions(backendUrl: string, env: Record<string, string>): Promise<boolean> {
  const { hostname: Bucket, searchParams } = new URL(backendUrl)
  const client = new S3Client({ ...clientSettings(searchParams, env), maxAttempts: TRIES })
  try {
    return (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status === "Enabled"
  } catch (error) {
    throw unreachable(Bucket, error)
  } finally {
    client.destroy()
  }
}

/** The engine's own parameters (gocloud.dev/blob/s3blob), as far as they say where and as whom. */
function clientSettings(given: URLSearchParams, env: Record<string, string>) {
  const endpoint = given.get("endpoint")
  const region = given.get("region") ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION
  const profile = given.get("profile") ?? env.AWS_PROFILE
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env
  const isOn = (name: string) => ["true", "1"].includes(given.get(name) ?? "")
  const scheme = isOn("disableSSL") || isOn("disable_https") ? "http" : "https"
  return {
    ...(region ? { region } : {}),
    ...(profile ? { profile } : {}),
    ...(endpoint ? { endpoint: /^https?:/.test(endpoint) ? endpoint : `${scheme}://${endpoint}` } : {}),
    forcePathStyle: isOn("use_path_style") || isOn("s3ForcePathStyle"),
    ...(accessKeyId && secretAccessKey
      ? {
          credentials: {
            ...{ accessKeyId, secretAccessKey },
            ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
          },
        }
      : {}),
  }
}

function unreachable(bucket: string, error: unknown): InfraError {
  const { name, message } = error as Error
  const said = error instanceof S3ServiceException ? `${error.$metadata.httpStatusCode} ${name}` : name
  return new InfraError(
    "state-unreachable",
    "retry",
    `The storage of the engine's state (bucket "${bucket}") did not do what it was asked (${said}): check FOOZOL_BACKEND_URL and its credentials, and whether it is up.`,
    message,
  )
}
