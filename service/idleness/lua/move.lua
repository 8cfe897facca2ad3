-- Moves a workspace between RUNNING and IDLE, or plans a stop or calls it off without moving it.
-- Keys: workspace, changes of state, what people are to be told
-- Arguments: state it must be in, epoch it must have, new state, now (ms), planned stop (ms, or "" for none), workspace
--   id, why it is to stop (a sentence)
-- Answers "moved", or "changed" when it is no longer what was judged.
-- Keeps: no operation is disturbed, since each has another state or epoch; a stop that was planned ends with IDLE;
--   its owner is told of each planned stop once, in the same step.
local hash = redis.call("HMGET", KEYS[1], "state", "epoch", "since", "rousedAt")
if hash[1] ~= ARGV[1] or hash[2] ~= ARGV[2] then return "changed" end
if ARGV[1] ~= ARGV[3] then
  redis.call("HSET", KEYS[1], "state", ARGV[3], "since", ARGV[4])
  local facts = redis.call("HMGET", KEYS[1], "info", "place")
  redis.call("XADD", KEYS[2], "*", "info", facts[1], "from", ARGV[1], "to", ARGV[3], "epoch", ARGV[2], "at", ARGV[4],
    "place", facts[2] or "")
  if ARGV[3] == "RUNNING" then
    redis.call("HSET", KEYS[1], "rousedAt", ARGV[4])
  elseif hash[3] ~= hash[4] then
    -- It was RUNNING since its machine started, which is forgotten otherwise.
    redis.call("HSET", KEYS[1], "seen:start", hash[3])
  end
end
if ARGV[5] == "" then
  redis.call("HDEL", KEYS[1], "plannedStop")
else
  redis.call("HSET", KEYS[1], "plannedStop", ARGV[5])
  local told = redis.call("HMGET", KEYS[1], "info", "settings")
  local info, settings = cjson.decode(told[1]), cjson.decode(told[2] or "{}")
  local facts = { workspace = ARGV[6], name = settings.name or info.name, stopsAt = tonumber(ARGV[5]), reason = ARGV[7] }
  redis.call("XADD", KEYS[3], "*", "id", ARGV[6] .. "-stops-" .. ARGV[5], "user", info.owner, "kind", "about-to-stop",
    "facts", cjson.encode(facts), "at", ARGV[4])
end
return "moved"
