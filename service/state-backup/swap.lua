-- Puts what was restored in the place of everything there is, in one step.
-- Keys: the record of the restore. Arguments: prefix of what was restored, prefix of what is replaced, prefix of the
--   queue, when the backup was made (ms), now (ms)
-- Answers how many keys were put back, or -1 when a process of the service works here.
-- Keeps: nobody sees half of it; the queue, which is a hint, begins empty.
if #redis.call("KEYS", ARGV[2] .. "process:*") > 0 then return -1 end
for _, prefix in ipairs({ ARGV[2], ARGV[3] }) do
  for _, key in ipairs(redis.call("KEYS", prefix .. "*")) do redis.call("DEL", key) end
end
local restored = redis.call("KEYS", ARGV[1] .. "*")
for _, key in ipairs(restored) do redis.call("RENAME", key, ARGV[2] .. string.sub(key, #ARGV[1] + 1)) end
redis.call("HSET", KEYS[1], "made", ARGV[4], "at", ARGV[5])
return #restored
