-- May the holders of tokens onto the machines that ask? Reads only: nobody at a door waits for a disk.
-- Keys: token and workspace of the machine, for each question. Arguments: now (ms), prefix of logins, ms after which a
--   use is to be written down again, prefix of shares, then workspace id and port ("" for the desktop) of each question
-- Answers for each 204, its login (the same, and this use is to be written down), 401 (no such token, its login or share
--   has ended, the workspace admits nobody) or 403 (another workspace's, or not for that).
-- Keeps: a token admits to its own workspace only, to the desktop or to one port, and no longer than its login or its
--   share lives.
local now, due = tonumber(ARGV[1]), tonumber(ARGV[1]) - tonumber(ARGV[3])

local function answer(token, workspace, id, port)
  local found = redis.call("HMGET", token, "workspace", "login", "seen", "port", "share")
  if not found[1] then return 401 end
  if found[1] ~= id or (found[4] or "") ~= port then return 403 end
  local holder = found[5] and ARGV[4] .. found[5] or ARGV[2] .. found[2]
  local ends = redis.call("HGET", holder, "endsAt")
  if not ends or tonumber(ends) <= now then return 401 end
  local state = redis.call("HGET", workspace, "state")
  if state ~= "RUNNING" and state ~= "IDLE" then return 401 end
  -- One of a share lives as long as that.
  if not found[5] and tonumber(found[3]) < due then return found[2] end
  return 204
end

local answers = {}
for i = 1, #KEYS, 2 do
  answers[#answers + 1] = answer(KEYS[i], KEYS[i + 1], ARGV[4 + i], ARGV[5 + i])
end
return answers
