import { InfraError } from "../errors.ts"
import { Secret } from "../secret.ts"

const SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]

/**
 * A token for Google's APIs, good for an hour, for whoever speaks to them without Google's library.
 * @param credentialsFile key of a service account or what workload identity takes; left out: Google's own search
 * @throws InfraError `provider-unauthorized`
 */
export async function gcpAccessToken(credentialsFile?: string): Promise<Secret> {
  const { GoogleAuth } = await import("google-auth-library")
  const auth = new GoogleAuth({ scopes: SCOPES, ...(credentialsFile ? { keyFilename: credentialsFile } : {}) })
  const token = await auth.getAccessToken().catch(error => {
    throw refused(credentialsFile, String(error))
  })
  if (!token) throw refused(credentialsFile, "no token was answered")
  return new Secret(token)
}

const refused = (file: string | undefined, detail: string) =>
  new InfraError(
    "provider-unauthorized",
    "fail",
    file === undefined
      ? "There are no credentials for Google: set GOOGLE_OAUTH_ACCESS_TOKEN to what `gcloud auth print-access-token` prints (good for an hour), or FOOZOL_GCP_CREDENTIALS to the file of a service account's key."
      : `Google gives no token for ${file}: set FOOZOL_GCP_CREDENTIALS to the file of a service account's key that is valid, or GOOGLE_OAUTH_ACCESS_TOKEN to what \`gcloud auth print-access-token\` prints.`,
    detail,
  )
