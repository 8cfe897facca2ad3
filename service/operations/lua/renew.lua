-- Keeps a lease. Keys: lease, operation. Arguments: the worker's token, length of the lease (ms), epoch
-- Answers "kept", "cancel" when somebody wishes the operation to end, or "lost".
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return "lost" end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
local op = redis.call("HMGET", KEYS[2], "state", "epoch", "cancel")
if op[1] ~= "running" or op[2] ~= ARGV[3] then return "lost" end
if op[3] == "1" then return "cancel" end
return "kept"
