-- Puts what was sealed anew in the place of what it was before. Keys: the hash. Arguments: field, text before, text now
-- Answers 1, or 0 where it has changed meanwhile: what somebody has just written stays.
if redis.call("HGET", KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[3])
return 1
