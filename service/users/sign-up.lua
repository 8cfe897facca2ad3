-- Takes in a user. Keys: the user, all users. Arguments: id, most users (0: no limit), now (ms), login, name, avatar, organisations
-- Answers "known", "new", "full", "ending" for one whose account is being deleted, or "suspended". Keeps: never more users than the cap, whoever comes at once.
if redis.call("HEXISTS", KEYS[1], "ending") == 1 then return "ending" end
if redis.call("HEXISTS", KEYS[1], "suspended") == 1 then return "suspended" end
local known = redis.call("SISMEMBER", KEYS[2], ARGV[1]) == 1
local cap = tonumber(ARGV[2])
if not known then
  if cap > 0 and redis.call("SCARD", KEYS[2]) >= cap then return "full" end
  redis.call("SADD", KEYS[2], ARGV[1])
  redis.call("HSET", KEYS[1], "createdAt", ARGV[3])
end
redis.call("HSET", KEYS[1], "login", ARGV[4], "name", ARGV[5], "avatarUrl", ARGV[6], "lastSignInAt", ARGV[3], "organisations", ARGV[7])
return known and "known" or "new"
