import type { Redis } from "ioredis"

/** Hears messages of Redis channels over one connection, however many listen. */
export interface Subscriber {
  /** Calls back with every message of a channel, until the returned function is called. Resolves when it listens. */
  listen(channel: string, hear: (message: string) => void): Promise<() => void>
}

/** @param redis a connection of its own: while it listens it can do nothing else */
export function createSubscriber(redis: Redis): Subscriber {
  const listeners = new Map<string, Set<(message: string) => void>>()
  redis.on("message", (channel: string, message: string) => {
    for (const hear of listeners.get(channel) ?? []) hear(message)
  })
  return {
    async listen(channel, hear) {
      const known = listeners.get(channel)
      const all = known ?? new Set()
      all.add(hear)
      const forget = () => {
        all.delete(hear)
        if (all.size > 0 || listeners.get(channel) !== all) return
        listeners.delete(channel)
        void redis.unsubscribe(channel).catch(() => {})
      }
      if (!known) listeners.set(channel, all)
      try {
        await redis.subscribe(channel)
      } catch (error) {
        forget()
        throw error
      }
      return forget
    },
  }
}
