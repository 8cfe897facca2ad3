-- Notes when something was seen on a workspace. Keys: workspace. Arguments: signal, time (ms)
-- Keeps: what was seen never becomes older; a record that is gone does not come to life again.
if redis.call("HEXISTS", KEYS[1], "info") == 0 then return 0 end
local field = "seen:" .. ARGV[1]
local before = tonumber(redis.call("HGET", KEYS[1], field) or "0")
if before < tonumber(ARGV[2]) then redis.call("HSET", KEYS[1], field, ARGV[2]) end
return 1
