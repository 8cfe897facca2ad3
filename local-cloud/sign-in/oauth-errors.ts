/** What GitHub's web flow answers when it refuses: in the query of the callback, or as the answer for a code. */
export interface OAuthError {
  error: string
  error_description: string
  error_uri: string
}

const GUIDE = "https://docs.github.com/apps/managing-oauth-apps"
const AUTHORIZATION = `${GUIDE}/troubleshooting-authorization-request-errors/`
const ACCESS_TOKEN = `${GUIDE}/troubleshooting-oauth-app-access-token-request-errors/`

const problem = (error: string, error_description: string, error_uri: string): OAuthError => ({
  error,
  error_description,
  error_uri,
})

// The texts are those of docs.github.com, "Troubleshooting authorization request errors" and "Troubleshooting OAuth app
// access token request errors"; the addresses are whole, as GitHub's answers have them (its pages leave out the host).
const MISMATCH = "The redirect_uri MUST match the registered callback URL for this application."
export const redirectMismatch = problem("redirect_uri_mismatch", MISMATCH, `${AUTHORIZATION}#redirect-uri-mismatch`)
export const tokenRedirectMismatch = problem(
  "redirect_uri_mismatch",
  MISMATCH,
  `${AUTHORIZATION}#redirect-uri-mismatch2`,
)
export const accessDenied = problem(
  "access_denied",
  "The user has denied your application access.",
  `${AUTHORIZATION}#access-denied`,
)
export const incorrectClient = problem(
  "incorrect_client_credentials",
  "The client_id and/or client_secret passed are incorrect.",
  `${ACCESS_TOKEN}#incorrect-client-credentials`,
)
export const badCode = problem(
  "bad_verification_code",
  "The code passed is incorrect or expired.",
  `${ACCESS_TOKEN}#bad-verification-code`,
)

/** For what GitHub's pages name no answer for, that of the standard is given: RFC 6749 4.1.2.1, RFC 7636 4.4.1. */
export const invalidScope = (names: string[]) =>
  problem("invalid_scope", `The scopes requested are invalid: ${names.join(", ")}.`, AUTHORIZATION)
export const invalidChallenge = problem(
  "invalid_request",
  "code_challenge must be 43 characters and code_challenge_method must be S256.",
  AUTHORIZATION,
)
