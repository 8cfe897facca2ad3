-- May the holder of a token onto the machine that asks?
-- Keys: token, workspace of the machine. Arguments: workspace id, now (ms), life of a token (ms), idle limit of a
--   login (ms), prefix of logins
-- Answers 204, 401 (no such token, its login has ended, the workspace admits nobody) or 403 (another's workspace).
-- Keeps: a token admits to its own workspace only, and no longer than its login lives. Using it puts off its end and
--   its login's; written at most once a minute.
local token = redis.call("HMGET", KEYS[1], "workspace", "login", "seen")
if not token[1] then return 401 end
if token[1] ~= ARGV[1] then return 403 end
local key = ARGV[5] .. token[2]
local ends = redis.call("HGET", key, "endsAt")
local now = tonumber(ARGV[2])
if not ends or tonumber(ends) <= now then return 401 end
local state = redis.call("HGET", KEYS[2], "state")
if state ~= "RUNNING" and state ~= "IDLE" then return 401 end
if now - tonumber(token[3]) > 60000 then
  redis.call("HSET", KEYS[1], "seen", ARGV[2])
  redis.call("PEXPIRE", KEYS[1], ARGV[3])
  redis.call("HSET", key, "lastSeenAt", ARGV[2])
  redis.call("PEXPIRE", key, math.min(tonumber(ARGV[4]), tonumber(ends) - now))
end
return 204
