-- Brings a record that was restored from a backup to what the provider has.
-- Keys: workspace, changes of state
-- Arguments: epoch it must have, state, now (ms), new epoch, machine id, ipv4, snapshot, stop mode, failure (JSON), place
--   (JSON); empty for none
-- Answers 1, or 0 where something was begun meanwhile.
-- Keeps: what somebody has begun since is not disturbed; the change is told in the same step.
local hash = redis.call("HMGET", KEYS[1], "epoch", "state", "operation", "info")
if hash[1] ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "state", ARGV[2], "since", ARGV[3], "epoch", ARGV[4], "machineId", ARGV[5], "ipv4", ARGV[6],
  "snapshot", ARGV[7], "stopMode", ARGV[8], "place", ARGV[10])
if ARGV[9] ~= "" then redis.call("HSET", KEYS[1], "failure", ARGV[9]) else redis.call("HDEL", KEYS[1], "failure", "failedKind") end
redis.call("XADD", KEYS[2], "*", "info", hash[4], "from", hash[2], "to", ARGV[2], "epoch", ARGV[4], "at", ARGV[3],
  "operation", "", "stopMode", ARGV[8], "place", ARGV[10])
return 1
