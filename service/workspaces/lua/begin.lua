-- Begins an operation on a workspace: new state, new epoch, and the operation among those to do.
-- Keys: workspace, operation, the workspace's operations, operations to do, changes of state
-- Arguments: kind, state meanwhile ("": the one it has), states it may begin in (comma at both ends), operation id, operation (JSON),
--   now (ms), must the workspace have failed in this kind (1/0), prefix, does it give way to what goes on (1/0), what must
--   not have changed: field, value, …
-- Answers {"begun", operation id, id of the operation that was overtaken or ""}, {"already", operation id}, {"missing"},
--   {"changed"}, {"busy", kind of what goes on} or {"illegal", state}.
-- Keeps: only legal moves; the same wish twice is one operation; an operation that was overtaken can write no more;
--   the change is told in the same step, so that the ledger misses none.
local hash = redis.call("HMGET", KEYS[1], "state", "operation", "failedKind")
local state, current = hash[1], hash[2]
if not state then return { "missing" } end
for i = 10, #ARGV, 2 do
  if (redis.call("HGET", KEYS[1], ARGV[i]) or "") ~= ARGV[i + 1] then return { "changed" } end
end
local overtaken = ARGV[8] .. "op:" .. current
local before = redis.call("HMGET", overtaken, "state", "kind")
local isGoing = before[1] == "queued" or before[1] == "running"
if isGoing and before[2] == ARGV[1] then return { "already", current } end
if isGoing and ARGV[9] == "1" then return { "busy", before[2] } end
local again = ARGV[7] == "1" and state == "FAILED" and hash[3] == ARGV[1]
if not again and not string.find(ARGV[3], "," .. state .. ",", 1, true) then return { "illegal", state } end
local epoch = redis.call("HINCRBY", KEYS[1], "epoch", 1)
redis.call("HSET", KEYS[1], "operation", ARGV[4])
if ARGV[2] ~= "" then
  redis.call("HSET", KEYS[1], "state", ARGV[2], "since", ARGV[6])
  local facts = redis.call("HMGET", KEYS[1], "info", "place")
  redis.call("XADD", KEYS[5], "*", "info", facts[1], "from", state, "to", ARGV[2], "epoch", epoch, "at", ARGV[6],
    "operation", ARGV[4], "place", facts[2] or "")
  redis.call("HDEL", KEYS[1], "failure", "failedKind")
end
redis.call("HSET", KEYS[2], "info", ARGV[5], "kind", ARGV[1], "state", "queued", "epoch", epoch)
redis.call("ZADD", KEYS[3], ARGV[6], ARGV[4])
redis.call("ZADD", KEYS[4], ARGV[6], ARGV[4])
if isGoing then
  redis.call("HSET", overtaken, "state", "cancelled", "finishedAt", ARGV[6])
  redis.call("ZREM", KEYS[4], current)
else
  current = ""
end
return { "begun", ARGV[4], current }
