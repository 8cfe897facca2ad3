-- Ends a suspension. Keys: the user, users that are suspended. Argument: user id
-- Answers 1, or 0 where there was none. Keeps: who is named among the suspended is suspended.
redis.call("SREM", KEYS[2], ARGV[1])
return redis.call("HDEL", KEYS[1], "suspended")
