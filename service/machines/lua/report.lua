-- Keeps a machine's report, and when each signal of use was last seen.
-- Keys: workspace
-- Arguments: report (JSON), now (ms), how far the machine's clock is behind (ms, or ""), how much that may change (ms),
--   how long a machine may be silent (ms), when its agent started (text, or ""), its certificate (JSON, or ""),
--   how far it is with its repository (JSON, or ""), whether its memory can be kept while it sleeps ("1" or ""),
--   signals: name, time (ms), …
-- Answers 1, or 0 for a workspace that is not known: a record that is gone does not come to life again.
-- Keeps: what was seen never becomes older. After silence, a clock that was set or an agent that started anew, what it
--   says of the time before may be wrong, so that counts as a sign of life now.
local hash = redis.call("HMGET", KEYS[1], "info", "reportedAt", "clockOffset", "agentStart")
if not hash[1] then return 0 end
local now = tonumber(ARGV[2])
local anew = not hash[2] or math.abs(now - tonumber(hash[2])) > tonumber(ARGV[5])
if ARGV[3] ~= "" then
  if hash[3] and math.abs(tonumber(ARGV[3]) - tonumber(hash[3])) > tonumber(ARGV[4]) then anew = true end
  redis.call("HSET", KEYS[1], "clockOffset", ARGV[3])
end
if ARGV[6] ~= "" then
  if hash[4] ~= ARGV[6] then anew = true end
  redis.call("HSET", KEYS[1], "agentStart", ARGV[6])
end
redis.call("HSET", KEYS[1], "report", ARGV[1], "reportedAt", ARGV[2], "certificate", ARGV[7],
  "fetch", ARGV[8], "keepsMemory", ARGV[9])
if anew then redis.call("HSET", KEYS[1], "seen:contact", ARGV[2]) end
for i = 10, #ARGV, 2 do
  local field = "seen:" .. ARGV[i]
  local before = tonumber(redis.call("HGET", KEYS[1], field) or "0")
  if before < tonumber(ARGV[i + 1]) then redis.call("HSET", KEYS[1], field, ARGV[i + 1]) end
end
return 1
