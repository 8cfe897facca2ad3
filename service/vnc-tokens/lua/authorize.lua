-- May the holder of a token onto the machine that asks? Reads only: nobody at a door waits for a disk.
-- Keys: token, workspace of the machine. Arguments: workspace id, now (ms), prefix of logins, ms after which a use is
--   to be written down again
-- Answers 204, 200 (the same, and this use is to be written down), 401 (no such token, its login has ended, the
--   workspace admits nobody) or 403 (another's workspace).
-- Keeps: a token admits to its own workspace only, and no longer than its login lives.
local token = redis.call("HMGET", KEYS[1], "workspace", "login", "seen")
if not token[1] then return 401 end
if token[1] ~= ARGV[1] then return 403 end
local ends = redis.call("HGET", ARGV[3] .. token[2], "endsAt")
local now = tonumber(ARGV[2])
if not ends or tonumber(ends) <= now then return 401 end
local state = redis.call("HGET", KEYS[2], "state")
if state ~= "RUNNING" and state ~= "IDLE" then return 401 end
if now - tonumber(token[3]) > tonumber(ARGV[4]) then return 200 end
return 204
