-- Takes an operation up for one worker.
-- Keys: operation, workspace, lease of the workspace, operations to do
-- Arguments: operation id, the worker's token, length of the lease (ms), now (ms)
-- Answers {"claimed", epoch}, {"busy"} while another operation of the workspace is still held, or {"over"}.
-- Keeps: at most one worker at a time acts on a workspace; each claim has an epoch of its own, so that a worker that
--   lost its lease without noticing can write nothing.
local op = redis.call("HMGET", KEYS[1], "state", "startedAt")
if op[1] ~= "queued" and op[1] ~= "running" then
  redis.call("ZREM", KEYS[4], ARGV[1])
  return { "over" }
end
if redis.call("HGET", KEYS[2], "operation") ~= ARGV[1] then
  redis.call("HSET", KEYS[1], "state", "cancelled", "finishedAt", ARGV[4])
  redis.call("ZREM", KEYS[4], ARGV[1])
  return { "over" }
end
if not redis.call("SET", KEYS[3], ARGV[2], "NX", "PX", ARGV[3]) then return { "busy" } end
local epoch = redis.call("HINCRBY", KEYS[2], "epoch", 1)
redis.call("HSET", KEYS[1], "state", "running", "epoch", epoch)
redis.call("HINCRBY", KEYS[1], "attempts", 1)
if not op[2] then redis.call("HSET", KEYS[1], "startedAt", ARGV[4]) end
return { "claimed", epoch }
