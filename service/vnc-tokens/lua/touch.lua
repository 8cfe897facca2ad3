-- Writes down that tokens were used, and puts off their end and that of their logins.
-- Keys: the tokens, then their logins. Arguments: now (ms), life of a token (ms), idle limit of a login (ms), how many
--   of the keys are tokens
-- Keeps: what has ended meanwhile stays ended; no login outlives its absolute end.
local now, idle, tokens = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
for i, key in ipairs(KEYS) do
  if i <= tokens then
    if redis.call("PEXPIRE", key, ARGV[2]) == 1 then redis.call("HSET", key, "seen", ARGV[1]) end
  else
    local ends = tonumber(redis.call("HGET", key, "endsAt") or 0)
    if ends > now then
      redis.call("HSET", key, "lastSeenAt", ARGV[1])
      redis.call("PEXPIRE", key, math.min(idle, ends - now))
    end
  end
end
return #KEYS
