-- Begins an operation that goes on beside those of a workspace itself: neither its state nor its epoch changes.
-- Keys: holder (of this kind, of this workspace), operation, the workspace's operations, operations to do, workspace
-- Arguments: kind, operation id, operation (JSON), now (ms), prefix, how long the holder is remembered (s)
-- Answers {"begun", operation id}, {"already", id of the one that goes on}, or {"missing", ""}.
-- Keeps: of a workspace at most one of a kind at a time.
if redis.call("HEXISTS", KEYS[5], "info") == 0 then return { "missing", "" } end
local current = redis.call("HGET", KEYS[1], "operation")
if current then
  local state = redis.call("HGET", ARGV[5] .. "op:" .. current, "state")
  if state == "queued" or state == "running" then return { "already", current } end
end
local epoch = redis.call("HINCRBY", KEYS[1], "epoch", 1)
redis.call("HSET", KEYS[1], "operation", ARGV[2])
redis.call("EXPIRE", KEYS[1], ARGV[6])
redis.call("HSET", KEYS[2], "info", ARGV[3], "kind", ARGV[1], "state", "queued", "epoch", epoch)
redis.call("ZADD", KEYS[3], ARGV[4], ARGV[2])
redis.call("ZADD", KEYS[4], ARGV[4], ARGV[2])
return { "begun", ARGV[2] }
