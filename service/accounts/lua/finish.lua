-- Forgets a user whose account has ended, as the last thing of all.
-- Keys: the user, all users, accounts that are ending, the user's workspaces
-- Arguments: user id
-- Answers 1, or 0 while there is still a workspace: one that was asked for at the very moment the end began.
-- Keeps: no workspace is without an owner; who signs in after this is new.
if redis.call("SCARD", KEYS[4]) > 0 then return 0 end
redis.call("DEL", KEYS[1], KEYS[4])
redis.call("SREM", KEYS[2], ARGV[1])
redis.call("SREM", KEYS[3], ARGV[1])
return 1
