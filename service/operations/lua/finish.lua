-- Ends an operation and moves its workspace on.
-- Keys: operation, workspace, lease of the workspace, operations to do, the owner's workspaces, all workspaces,
--   changes of state, operations that failed, projects of those that are not in the main one
-- Arguments: operation id, epoch, the worker's token, state of the operation, state of the workspace ("": the
--   one it has), now (ms),
--   failure (JSON or ""), kind, workspace id, days to remember (s), fields of the workspace: name, value, …
-- Answers "done", or "fenced" when this worker has been overtaken: then nothing is written but its lease given back.
-- Keeps: whoever has an old epoch changes nothing; the change is told in the same step, so that the ledger misses none.
if redis.call("GET", KEYS[3]) == ARGV[3] then redis.call("DEL", KEYS[3]) end
local current = redis.call("HMGET", KEYS[2], "operation", "epoch", "state", "info")
if current[1] ~= ARGV[1] or current[2] ~= ARGV[2] then return "fenced" end
redis.call("HSET", KEYS[1], "state", ARGV[4], "finishedAt", ARGV[6], "failure", ARGV[7])
redis.call("EXPIRE", KEYS[1], ARGV[10])
redis.call("EXPIRE", KEYS[1] .. ":spans", ARGV[10])
redis.call("ZREM", KEYS[4], ARGV[1])
if ARGV[4] == "failed" then
  redis.call("ZADD", KEYS[8], ARGV[6], ARGV[1])
  -- As long as the operations themselves are remembered.
  redis.call("ZREMRANGEBYSCORE", KEYS[8], "-inf", ARGV[6] - ARGV[10] * 1000)
end
if ARGV[5] ~= "" then redis.call("HSET", KEYS[2], "state", ARGV[5], "since", ARGV[6]) end
for i = 11, #ARGV, 2 do redis.call("HSET", KEYS[2], ARGV[i], ARGV[i + 1]) end
if ARGV[5] ~= "" then
  local now = redis.call("HMGET", KEYS[2], "stopMode", "place")
  redis.call("XADD", KEYS[7], "*", "info", current[4], "from", current[3], "to", ARGV[5], "epoch", current[2],
    "at", ARGV[6], "operation", ARGV[1], "stopMode", now[1] or "", "place", now[2] or "")
end
-- Since when its disk may differ from its newest backup.
local saved = ARGV[8] == "backup" and ARGV[4] == "succeeded"
local isOn = (ARGV[5] ~= "" and ARGV[5] or current[3] or "")
isOn = isOn == "RUNNING" or isOn == "IDLE"
if saved then
  redis.call("HSET", KEYS[2], "unsavedSince", isOn and redis.call("HGET", KEYS[1], "startedAt") or "0")
elseif ARGV[5] == "RUNNING" and (redis.call("HGET", KEYS[2], "unsavedSince") or "0") == "0" then
  redis.call("HSET", KEYS[2], "unsavedSince", ARGV[6])
end
if ARGV[5] == "FAILED" then
  redis.call("HSET", KEYS[2], "failure", ARGV[7], "failedKind", ARGV[8])
elseif ARGV[5] == "TERMINATED" then
  redis.call("SREM", KEYS[5], ARGV[9])
  redis.call("SREM", KEYS[6], ARGV[9])
  redis.call("HDEL", KEYS[9], ARGV[9])
  redis.call("EXPIRE", KEYS[2], ARGV[10])
  -- What is known of it beside is forgotten with it.
  for _, part in ipairs({ ":ops", ":backup-tries" }) do redis.call("EXPIRE", KEYS[2] .. part, ARGV[10]) end
end
return "done"
