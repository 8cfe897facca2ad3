-- Shares a port of a workspace.
-- Keys: new share, workspace, set of its shares. Arguments: hash of the secret, workspace id, port, now (ms), end (ms),
--   how many there may be, prefix of shares
-- Answers 1, 0 where the workspace shows nothing now, or -1 where there are too many.
-- Keeps: a workspace that is not on has no shares; those that have ended count for nothing.
local state = redis.call("HGET", KEYS[2], "state")
if state ~= "RUNNING" and state ~= "IDLE" then return 0 end
for _, share in ipairs(redis.call("SMEMBERS", KEYS[3])) do
  if redis.call("EXISTS", ARGV[7] .. share) == 0 then redis.call("SREM", KEYS[3], share) end
end
if redis.call("SCARD", KEYS[3]) >= tonumber(ARGV[6]) then return -1 end
redis.call("HSET", KEYS[1], "workspace", ARGV[2], "port", ARGV[3], "createdAt", ARGV[4], "endsAt", ARGV[5], "visits", 0)
redis.call("PEXPIREAT", KEYS[1], ARGV[5])
redis.call("SADD", KEYS[3], ARGV[1])
redis.call("EXPIRE", KEYS[3], 30 * 86400)
return 1
