-- Takes a delivery that is due. Keys: deliveries that are due.
-- Arguments: now (ms), time until another may take it (ms), prefix of deliveries
-- Answers its name and all its fields, or nothing.
-- Keeps: while one worker tries, no other does, and a worker that dies in the middle is succeeded.
local name = redis.call("ZRANGEBYSCORE", KEYS[1], "-inf", ARGV[1], "LIMIT", 0, 1)[1]
if not name then return nil end
local key = ARGV[3] .. name
redis.call("ZADD", KEYS[1], tonumber(ARGV[1]) + tonumber(ARGV[2]), name)
redis.call("HINCRBY", key, "attempts", 1)
return { name, redis.call("HGETALL", key) }
