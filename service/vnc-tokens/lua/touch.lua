-- Writes down that tokens were used, and puts off their end and that of their logins.
-- Keys: the tokens. Arguments: now (ms), life of a token (ms), idle limit of a login (ms), prefix of logins
-- Keeps: what has ended meanwhile stays ended; no login outlives its absolute end.
local now = tonumber(ARGV[1])
for _, key in ipairs(KEYS) do
  local login = redis.call("HGET", key, "login")
  if login then
    redis.call("HSET", key, "seen", ARGV[1])
    redis.call("PEXPIRE", key, ARGV[2])
    local ends = tonumber(redis.call("HGET", ARGV[4] .. login, "endsAt") or 0)
    if ends > now then
      redis.call("HSET", ARGV[4] .. login, "lastSeenAt", ARGV[1])
      redis.call("PEXPIRE", ARGV[4] .. login, math.min(tonumber(ARGV[3]), ends - now))
    end
  end
end
return #KEYS
