-- Notes in a workspace's record that a difference is accepted, or no longer.
-- Keys: workspace. Arguments: epoch that the workspace must have, id of the difference, what is accepted (JSON; "": no longer)
-- Answers 1, or 0 when something was begun meanwhile.
-- Keeps: each difference has a field of its own, so that two that are accepted at the same time are both kept.
local now = redis.call("HMGET", KEYS[1], "epoch", "state")
if now[1] ~= ARGV[1] or now[2] == "TERMINATING" or now[2] == "TERMINATED" then return 0 end
if ARGV[3] == "" then
  redis.call("HDEL", KEYS[1], "accepted:" .. ARGV[2])
else
  redis.call("HSET", KEYS[1], "accepted:" .. ARGV[2], ARGV[3])
end
return 1
