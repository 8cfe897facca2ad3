-- Gives a key back that was taken with a token. Keys: the key. Arguments: the token. Answers 1, or 0 when it is another's.
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])
