-- Reads a login and puts off its end. Key: the login. Arguments: now (ms), idle limit (ms)
-- Answers {user, created, seen before, browser} or {} when there is none (any more).
-- Keeps: no login outlives its absolute end. Written at most once a minute: reading a page is no reason to write.
local login = redis.call("HMGET", KEYS[1], "user", "createdAt", "lastSeenAt", "userAgent", "endsAt")
if not login[1] then return {} end
local now, idle, left = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(login[5]) - tonumber(ARGV[1])
if left <= 0 then
  redis.call("DEL", KEYS[1])
  return {}
end
if now - tonumber(login[3]) > 60000 then
  redis.call("HSET", KEYS[1], "lastSeenAt", ARGV[1])
  redis.call("PEXPIRE", KEYS[1], math.min(idle, left))
end
return { login[1], login[2], login[3], login[4] }
