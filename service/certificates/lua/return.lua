-- Gives back what was kept for a workspace that is gone and never had a certificate of the authority.
-- Keys: what is used (hash), who was given a turn (sorted set), workspace (hash), who waits (sorted set)
-- Arguments: version that the decision rests on, workspace, field and value of the authority
-- Answers 1 when it went back, else 0.
if redis.call("HGET", KEYS[1], "version") ~= ARGV[1] then return 0 end
if redis.call("HEXISTS", KEYS[3], "info") == 1 then return 0 end
redis.call("ZREM", KEYS[4], ARGV[2])
if redis.call("ZREM", KEYS[2], ARGV[2]) == 0 then return 0 end
redis.call("HINCRBY", KEYS[1], "version", 1)
redis.call("HSET", KEYS[1], ARGV[3], ARGV[4])
return 1
