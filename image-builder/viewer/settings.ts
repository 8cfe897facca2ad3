/// <reference lib="dom" />

const CHOICES = {
  sizing: ["match", "sharp", "scale"],
  quality: ["low", "medium", "high"],
  shareClipboard: [true, false],
} as const

export type Settings = {
  /** Resize the desktop to the window, the same with every pixel of a dense screen, or leave its size and scale. */
  sizing: "match" | "sharp" | "scale"
  quality: "low" | "medium" | "high"
  shareClipboard: boolean
}

export const QUALITY = {
  low: { qualityLevel: 2, compressionLevel: 9 },
  medium: { qualityLevel: 6, compressionLevel: 4 },
  high: { qualityLevel: 9, compressionLevel: 1 },
} as const

const KEY = "foozol.viewer"
const DEFAULTS: Settings = { sizing: "match", quality: "medium", shareClipboard: true }

/** Storage may be full, blocked or hold what an older version wrote: each value is taken only if it is a known one. */
export function readSettings(storage: Pick<Storage, "getItem">): Settings {
  const settings: Record<string, unknown> = { ...DEFAULTS }
  try {
    const stored = JSON.parse(storage.getItem(KEY) ?? "{}")
    for (const [name, choices] of Object.entries(CHOICES))
      if ((choices as readonly unknown[]).includes(stored?.[name])) settings[name] = stored[name]
  } catch {
    // Unreadable settings are no settings.
  }
  return settings as Settings
}

export function writeSettings(storage: Pick<Storage, "setItem">, settings: Settings): void {
  try {
    storage.setItem(KEY, JSON.stringify(settings))
  } catch {
    // The choice then lasts as long as the page.
  }
}
