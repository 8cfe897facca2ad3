-- Notes whom a workspace's machine shall ask for its certificate, and what that uses of the authorities' allowances.
-- Keys: what is used (hash), workspace (hash), who waits (sorted set), who was given a turn at the new authority (sorted
--   set) and at the one before (sorted set), whom the one it is given to gave one (set), what the ledger is to get (list)
-- Arguments: version that the decision rests on, workspace, what is kept of it (JSON), since when it waits (ms, or ""),
--   now (ms), the new authority's field and value (or ""), the one before's field and value (or ""), line for the ledger
--   of a certificate that was given (or ""), what its owner is told of the wait (JSON, or "")
-- Answers 1, or 0 when something has changed meanwhile: it is to be decided anew; -1 for a workspace that is not known.
-- Keeps: no two decisions rest on the same room.
if redis.call("HGET", KEYS[1], "version") ~= ARGV[1] then return 0 end
if redis.call("HEXISTS", KEYS[2], "info") == 0 then return -1 end
redis.call("HINCRBY", KEYS[1], "version", 1)
redis.call("HSET", KEYS[2], "authority", ARGV[3])
if ARGV[4] == "" then
  redis.call("ZREM", KEYS[3], ARGV[2])
  redis.call("HDEL", KEYS[2], "certificateWait")
else
  redis.call("ZADD", KEYS[3], ARGV[4], ARGV[2])
  redis.call("HSET", KEYS[2], "certificateWait", ARGV[11])
end
if ARGV[8] ~= "" then
  -- Only what was counted goes back.
  if redis.call("ZREM", KEYS[5], ARGV[2]) == 1 then redis.call("HSET", KEYS[1], ARGV[8], ARGV[9]) end
end
if ARGV[6] ~= "" then
  redis.call("HSET", KEYS[1], ARGV[6], ARGV[7])
  redis.call("ZADD", KEYS[4], ARGV[5], ARGV[2])
end
if ARGV[10] ~= "" then
  redis.call("ZREM", KEYS[5], ARGV[2])
  if redis.call("SADD", KEYS[6], ARGV[2]) == 1 then redis.call("RPUSH", KEYS[7], ARGV[10]) end
end
return 1
