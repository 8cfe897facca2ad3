-- Keeps spans of an operation for as long as the operation itself is kept.
-- Keys: operation, its spans. Arguments: how many spans may be kept, then field, span (JSON), …
-- Answers the fields that were not there before.
-- Keeps: what is there stays as it is; of an operation that is gone nothing comes back; never more than so many.
if redis.call("EXISTS", KEYS[1]) == 0 then return {} end
local kept = {}
for i = 2, #ARGV, 2 do
  if redis.call("HLEN", KEYS[2]) >= tonumber(ARGV[1]) then break end
  if redis.call("HSETNX", KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then kept[#kept + 1] = ARGV[i] end
end
local left = redis.call("PTTL", KEYS[1])
if left > 0 then redis.call("PEXPIRE", KEYS[2], left) end
return kept
