-- Puts a record in the place of the one it was made from. Keys: the user's hash of home backups, the user's own hash
-- Arguments: workspace, the text before (empty: there was none), the text now (empty: remove it)
-- Answers "put", "changed" where another was faster, or "gone" where there is no such user.
-- Keeps: no change is lost, and nothing comes to be for a user who is gone.
if (redis.call("HGET", KEYS[1], ARGV[1]) or "") ~= ARGV[2] then return "changed" end
if ARGV[3] == "" then
  redis.call("HDEL", KEYS[1], ARGV[1])
  return "put"
end
if redis.call("EXISTS", KEYS[2]) == 0 then return "gone" end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[3])
return "put"
