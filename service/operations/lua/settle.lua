-- Puts a workspace that is being created into another project of the provider: what it had where it was begun is gone.
-- Keys: operation, lease of the workspace, workspace, projects of those that are not in the main one, all workspaces
-- Arguments: the worker's token, epoch, workspace id, project ("": the main one), its image there, how many workspaces
--   may be in a project (0: no such number)
-- Answers "settled", "full", or "lost" when this worker has been overtaken: then nothing is written.
-- Keeps: never more workspaces in a project than may be.
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return "lost" end
if redis.call("HGET", KEYS[1], "epoch") ~= ARGV[2] then return "lost" end
local id, project, most = ARGV[3], ARGV[4], tonumber(ARGV[6])
if most > 0 then
  local elsewhere = redis.call("HGETALL", KEYS[4])
  local there = 0
  for i = 1, #elsewhere, 2 do
    if elsewhere[i] ~= id and (project == "" or elsewhere[i + 1] == project) then there = there + 1 end
  end
  -- Of all but this one.
  if project == "" then there = redis.call("SCARD", KEYS[5]) - 1 - there end
  if there >= most then return "full" end
end
redis.call("HSET", KEYS[3], "project", project, "image", ARGV[5])
if project == "" then redis.call("HDEL", KEYS[4], id) else redis.call("HSET", KEYS[4], id, project) end
redis.call("HDEL", KEYS[1], "mark:leaving")
return "settled"
