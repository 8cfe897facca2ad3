-- Makes the record of a workspace again, of which only its stack and its labels tell.
-- Keys: workspace, the user's workspaces, all workspaces, all users, changes of state,
--   projects of those that are not in the main one
-- Arguments: workspace id, owner ("": nobody who may be let in), info (JSON), profile, state, now (ms), epoch, machine id, ipv4, snapshot, stop mode,
--   failure (JSON), project; empty for none; then further fields of the record: name, value, …
-- Answers 1, or 0 where there is a record already.
if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
redis.call("HSET", KEYS[1], "info", ARGV[3], "profile", ARGV[4], "state", ARGV[5], "since", ARGV[6], "epoch", ARGV[7],
  "operation", "", "machineId", ARGV[8], "ipv4", ARGV[9], "snapshot", ARGV[10], "stopMode", ARGV[11], "failure", ARGV[12])
for i = 14, #ARGV, 2 do redis.call("HSET", KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call("SADD", KEYS[2], ARGV[1])
redis.call("SADD", KEYS[3], ARGV[1])
if ARGV[13] ~= "" then redis.call("HSET", KEYS[6], ARGV[1], ARGV[13]) end
-- Who has a workspace is let in, however many users there are.
if ARGV[2] ~= "" then redis.call("SADD", KEYS[4], ARGV[2]) end
redis.call("XADD", KEYS[5], "*", "info", ARGV[3], "from", "", "to", ARGV[5], "epoch", ARGV[7], "at", ARGV[6],
  "operation", "", "stopMode", ARGV[11])
return 1
