import type { S3Client } from "@aws-sdk/client-s3"
import { InfraError } from "../errors.ts"
import { type Bucket, type Method, type SignedRequest, signRequest } from "./sign.ts"

/** Objects of a bucket, for the service itself. Every function throws InfraError `storage-unreachable`. */
export interface ObjectStorage {
  /** One request for somebody who has no credential; see `signRequest`. */
  sign(request: { method: Method; key: string; sha256?: string; headers?: Record<string, string> }): SignedRequest
  /** All below a prefix, with their bytes. */
  list(prefix: string): Promise<{ key: string; bytes: number }[]>
  /** Null where there is none. */
  read(key: string): Promise<string | null>
  write(key: string, text: string): Promise<void>
  /** Removes all below a prefix; succeeds where there is nothing. */
  removeAll(prefix: string): Promise<void>
}

/** Tries of one request, the first included; the client waits between them, longer each time. */
const TRIES = 3
/** Objects removed at once: not every storage takes many in one request. */
const AT_ONCE = 16

/** @param now by which requests are signed */
export function openObjectStorage(bucket: Bucket, now: () => number = Date.now): ObjectStorage {
  const Bucket = bucket.name
  let client: Promise<S3Client> | undefined
  // Amazon's client takes long to load: not before it is used.
  const sdk = () => import("@aws-sdk/client-s3")
  const open = async () => {
    const { S3Client } = await sdk()
    const { endpoint, region, accessKeyId, secretAccessKey } = bucket
    return new S3Client({
      ...{ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true, maxAttempts: TRIES },
      // Not every storage knows the newer ones.
      ...{ requestChecksumCalculation: "WHEN_REQUIRED", responseChecksumValidation: "WHEN_REQUIRED" },
    })
  }
  const clientOf = () => (client ??= open())

  async function ask<T>(request: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await request(await clientOf())
    } catch (error) {
      throw unreachable(bucket, error)
    }
  }

  const list: ObjectStorage["list"] = prefix =>
    ask(async client => {
      const { paginateListObjectsV2 } = await sdk()
      const found: { key: string; bytes: number }[] = []
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix })) {
        found.push(...(page.Contents ?? []).map(({ Key = "", Size = 0 }) => ({ key: Key, bytes: Size })))
      }
      return found
    })

  return {
    sign: request => signRequest(bucket, request, now()),
    list,
    read: Key =>
      ask(async client => {
        const { GetObjectCommand, NoSuchKey } = await sdk()
        try {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
          return (await Body?.transformToString()) ?? null
        } catch (error) {
          if (error instanceof NoSuchKey) return null
          throw error
        }
      }),
    write: (Key, text) =>
      ask(async client => {
        const { PutObjectCommand } = await sdk()
        await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from(text) }))
      }),
    async removeAll(prefix) {
      const left = await list(prefix)
      await ask(async client => {
        const { DeleteObjectCommand } = await sdk()
        const line = async () => {
          for (let one = left.pop(); one; one = left.pop()) {
            await client.send(new DeleteObjectCommand({ Bucket, Key: one.key }))
          }
        }
        await Promise.all(Array.from({ length: AT_ONCE }, line))
      })
    },
  }
}

function unreachable({ name: bucket }: Bucket, error: unknown): InfraError {
  const { name, message } = error as Error
  return new InfraError(
    "storage-unreachable",
    "retry",
    `The storage of home backups (bucket "${bucket}") did not do what it was asked (${name}): check the settings FOOZOL_BACKUP_S3_… and whether it is up.`,
    message,
  )
}
