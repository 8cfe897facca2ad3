/** Raised when the settings make no sense; its message names every wrong one and what it must be. */
export class ConfigError extends Error {
  override name = "ConfigError"
}
