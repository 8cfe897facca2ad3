-- Takes the record of a spare machine away that has an owner, as the provider says: the next look for lost records makes
-- it again as that one's.
-- Keys: workspace, spare machines, all workspaces, projects of those that are not in the main one, changes of state
-- Arguments: workspace id, epoch it must have, now (ms)
-- Answers 1, or 0 where it is no spare one any more or something was begun.
local hash = redis.call("HMGET", KEYS[1], "epoch", "state", "info")
if hash[1] ~= ARGV[2] or redis.call("SREM", KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call("XADD", KEYS[5], "*", "info", hash[3], "from", hash[2], "to", "TERMINATED", "epoch", hash[1] + 1, "at", ARGV[3],
  "operation", "")
redis.call("SREM", KEYS[3], ARGV[1])
redis.call("HDEL", KEYS[4], ARGV[1])
redis.call("DEL", KEYS[1])
return 1
