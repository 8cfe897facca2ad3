import { randomUUID } from "node:crypto"
import { backendEnvironment } from "../../infra/cloud-config.ts"
import { InfraError } from "../../infra/errors.ts"
import { openStateFiles } from "../../infra/state-files/open.ts"

/** How one is made at Hetzner, whose API knows no buckets. */
const HOW =
  "At Hetzner: Console, Object Storage, Create Bucket (private, with object lock off), then Security, S3 Credentials; FOOZOL_BACKEND_URL=s3://BUCKET/state?region=fsn1&endpoint=fsn1.your-objectstorage.com&use_path_style=true, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."

/**
 * Tries the bucket that the state is to lie in, with an object that goes away again: read, list, and that of two writers
 * one is first, on which locks rest. Nothing is tried where the state lies in a folder.
 * @throws InfraError `bucket` saying what is wrong and how one is made
 */
export async function checkBucket(env: NodeJS.ProcessEnv): Promise<void> {
  const url = env.FOOZOL_BACKEND_URL ?? ""
  if (!url.startsWith("s3://")) return
  const files = openStateFiles(url, backendEnvironment(env))
  if (!files) return
  const name = `.foozol/check-${randomUUID()}`
  const wrong = (what: string) => new InfraError("bucket", "fail", `The bucket of FOOZOL_BACKEND_URL ${what}. ${HOW}`)
  try {
    if (!(await files.writeNew(name, "one"))) throw wrong("refuses a new object")
    if (await files.writeNew(name, "two"))
      throw wrong("knows no conditional writes, so two hosts could work on one stack at once: take another storage")
    if ((await files.read(name)) !== "one") throw wrong("does not return what was written")
    if (!(await files.list(".foozol")).some(one => one.endsWith(name.slice(8))))
      throw wrong("does not list what it has")
  } catch (error) {
    if (error instanceof InfraError && error.id === "bucket") throw error
    throw wrong(`cannot be used: ${(error as Error).message}`)
  } finally {
    await files.remove(name).catch(() => {})
  }
}
