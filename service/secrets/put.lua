-- Stores a secret. Keys: the hash of secrets, the hash of the user or workspace that has them
-- Arguments: name, text (time and sealed value), most secrets, most bytes of values in all
-- Answers "stored", "gone", "too-many" or "too-large".
-- Keeps: nothing is stored for who is gone or going, of whom nothing may stay; never more than a machine can take.
local state, ending = unpack(redis.call("HMGET", KEYS[2], "state", "ending"))
if redis.call("EXISTS", KEYS[2]) == 0 or ending or state == "TERMINATING" or state == "TERMINATED" then return "gone" end
-- Sealed is Base64 of 28 bytes and the value.
local function bytes(text)
  return #text:match("[^ ]*$") / 4 * 3 - 28
end
local count, sum = 1, bytes(ARGV[2])
local all = redis.call("HGETALL", KEYS[1])
for at = 1, #all, 2 do
  -- What has a dot is no variable: the proxy.
  if all[at] ~= ARGV[1] and not all[at]:find(".", 1, true) then
    count = count + 1
    sum = sum + bytes(all[at + 1])
  end
end
if redis.call("HEXISTS", KEYS[1], ARGV[1]) == 0 and count > tonumber(ARGV[3]) then return "too-many" end
if sum > tonumber(ARGV[4]) then return "too-large" end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
return "stored"
