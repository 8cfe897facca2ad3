import { Redis } from "ioredis"

/**
 * A connection for BullMQ, which waits for Redis by itself; its workers block, and duplicate what they are given. It
 * connects at once: one that BullMQ has to connect gets a single try, and when that comes to nothing, as on a computer
 * too busy at the start, the queue is dead for as long as the process lives.
 */
export function queueConnection(url: string): Redis {
  const redis = endsAloud(new Redis(url, { maxRetriesPerRequest: null }))
  redis.on("error", () => {})
  return redis
}

/**
 * Told to disconnect while it waits for its next try, a connection of ioredis forgets the try and says nothing. BullMQ
 * waits for its word when a worker is closed: a service that was stopped in that moment would never have ended.
 */
function endsAloud(redis: Redis): Redis {
  const disconnect = redis.disconnect.bind(redis)
  const duplicate = redis.duplicate.bind(redis)
  redis.disconnect = (reconnect = false) => {
    const isWaiting = redis.status === "reconnecting" && !reconnect
    disconnect(reconnect)
    if (!isWaiting) return
    redis.status = "end"
    process.nextTick(() => redis.emit("end"))
  }
  redis.duplicate = override => endsAloud(duplicate(override))
  return redis
}
