/** The request budget as the last answer told it. Hetzner: 3,600 requests an hour and project, one more each second. */
export interface RequestBudget {
  limit: number
  remaining: number
  /** When the budget is full again. */
  resetAt: Date
}

/** What one request has shown of a provider. */
export interface Heard {
  /** It failed, was too busy, or did not answer; a refusal is none. */
  isFault: boolean
  /** Null where the provider does not tell: Google never does. */
  budget: RequestBudget | null
}
