-- Lets a visitor with the link of a share in by its token for its port, and counts the visit.
-- Keys: share, its token, workspace of the machine that asks, set of the share's tokens, set of the workspace's tokens
-- Arguments: workspace id, port, now (ms), hash of the secret, hash of the token
-- Answers 204, 401 (no such share, ended, the workspace admits nobody) or 403 (another's machine, another port).
-- Keeps: a token never outlives its share.
local found = redis.call("HMGET", KEYS[1], "workspace", "port", "endsAt")
if not found[1] or tonumber(found[3]) <= tonumber(ARGV[3]) then return 401 end
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then return 403 end
local state = redis.call("HGET", KEYS[3], "state")
if state ~= "RUNNING" and state ~= "IDLE" then return 401 end
redis.call("HINCRBY", KEYS[1], "visits", 1)
redis.call("HSET", KEYS[1], "visitedAt", ARGV[3])
redis.call("HSET", KEYS[2], "workspace", ARGV[1], "port", ARGV[2], "share", ARGV[4], "seen", ARGV[3])
redis.call("PEXPIREAT", KEYS[2], found[3])
for i = 4, 5 do
  redis.call("SADD", KEYS[i], ARGV[5])
  redis.call("EXPIRE", KEYS[i], 366 * 86400)
end
return 204
