-- May the holders of tokens onto the machines that ask? Reads only: nobody at a door waits for a disk.
-- Keys: token and workspace of the machine, for each question. Arguments: now (ms), prefix of logins, ms after which a
--   use is to be written down again, then the workspace id of each question
-- Answers for each 204, its login (the same, and this use is to be written down), 401 (no such token, its login has ended,
--   the workspace admits nobody) or 403 (another's workspace).
-- Keeps: a token admits to its own workspace only, and no longer than its login lives.
local now, due = tonumber(ARGV[1]), tonumber(ARGV[1]) - tonumber(ARGV[3])

local function answer(token, workspace, id)
  local found = redis.call("HMGET", token, "workspace", "login", "seen")
  if not found[1] then return 401 end
  if found[1] ~= id then return 403 end
  local ends = redis.call("HGET", ARGV[2] .. found[2], "endsAt")
  if not ends or tonumber(ends) <= now then return 401 end
  local state = redis.call("HGET", workspace, "state")
  if state ~= "RUNNING" and state ~= "IDLE" then return 401 end
  if tonumber(found[3]) < due then return found[2] end
  return 204
end

local answers = {}
for i = 1, #KEYS, 2 do
  answers[#answers + 1] = answer(KEYS[i], KEYS[i + 1], ARGV[3 + (i + 1) / 2])
end
return answers
