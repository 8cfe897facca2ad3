-- Trades an entry ticket for a VNC token, once.
-- Keys: ticket, new token, workspace of the machine that asks. Arguments: workspace id, now (ms), life of a token (ms),
--   prefix of logins, hash of the new token, prefix of sets of tokens, port ("" for the desktop)
-- Answers 204, 401 (no such ticket, used, its login has ended, the workspace admits nobody) or 403 (another's machine, or
--   not for that port).
-- Keeps: a ticket is gone after its first use, whatever the answer is.
local ticket = redis.call("GETDEL", KEYS[1])
if not ticket then return 401 end
local workspace, login, port = string.match(ticket, "^([^ ]+) ([^ ]+) ?(%d*)$")
if workspace ~= ARGV[1] or port ~= ARGV[7] then return 403 end
local ends = redis.call("HGET", ARGV[4] .. login, "endsAt")
if not ends or tonumber(ends) <= tonumber(ARGV[2]) then return 401 end
local state = redis.call("HGET", KEYS[3], "state")
if state ~= "RUNNING" and state ~= "IDLE" then return 401 end
redis.call("HSET", KEYS[2], "workspace", workspace, "login", login, "seen", ARGV[2])
if port ~= "" then redis.call("HSET", KEYS[2], "port", port) end
redis.call("PEXPIRE", KEYS[2], ARGV[3])
-- Somebody comes: a sign of use, see service/idleness/signals.ts.
redis.call("HSET", KEYS[3], "seen:visit", ARGV[2])
for _, set in ipairs({ "login:" .. login, "ws:" .. workspace }) do
  redis.call("SADD", ARGV[6] .. set, ARGV[5])
  -- Longer than any login may live, so that a set never goes before its tokens.
  redis.call("EXPIRE", ARGV[6] .. set, 366 * 86400)
end
return 204
