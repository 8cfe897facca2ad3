-- Records that a user wants their account to end.
-- Keys: the user, accounts that are ending
-- Arguments: user id, the wish (JSON)
-- Answers 1, or 0 for a user that is not known.
-- Keeps: from here on nobody acts as this user (see users.ts), and what was recorded first holds.
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("HSETNX", KEYS[1], "ending", ARGV[2])
redis.call("SADD", KEYS[2], ARGV[1])
return 1
