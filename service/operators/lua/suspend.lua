-- Suspends a user. Keys: the user, users that are suspended. Arguments: user id, the suspension (JSON)
-- Answers 1, or 0 for a user that is not known. Keeps: from here on nobody acts as this user (see users.ts).
if redis.call("HEXISTS", KEYS[1], "login") == 0 then return 0 end
redis.call("HSET", KEYS[1], "suspended", ARGV[2])
redis.call("SADD", KEYS[2], ARGV[1])
return 1
