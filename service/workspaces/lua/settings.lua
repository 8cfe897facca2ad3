-- Changes what its owner has set for a workspace.
-- Keys: workspace. Arguments: changes (JSON object; null takes a setting away)
-- Answers 1, or 0 when there is no such workspace or it is TERMINATED.
-- Keeps: what is not named stays as it is, whoever else changes something at the same time.
local hash = redis.call("HMGET", KEYS[1], "info", "state", "settings")
if not hash[1] or hash[2] == "TERMINATED" then return 0 end
local settings = cjson.decode(hash[3] or "{}")
for name, value in pairs(cjson.decode(ARGV[1])) do
  if value == cjson.null then settings[name] = nil else settings[name] = value end
end
redis.call("HSET", KEYS[1], "settings", cjson.encode(settings))
return 1
