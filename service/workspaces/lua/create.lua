-- Makes a workspace and the operation that creates its machine, or finds the one that was asked for before. Where a spare
-- machine is taken for it (see service/warm), the spare one's record becomes the workspace's.
-- Keys: workspace, operation, the user's workspaces, all workspaces, operations to do, idempotency record,
--   changes of state, projects of those that are not in the main one, spare machines, the workspace's secrets
-- Arguments: workspace id, info (JSON), now (ms), operation id, operation (JSON), profile, quota for the profile,
--   quota in all, has idempotency key (0, 1; 2: where nothing is known by it, an alike wish is the same one), digest of the request, lifetime of the idempotency record (s), prefix,
--   project ("": the main one), how many workspaces may be in a project (0: no such number),
--   the repository it begins with (JSON, or ""),
--   epoch that the spare machine must have ("": none is taken), since when it must have been heard of (ms),
--   secrets of a workspace whose machine is taken: name, sealed value, …
-- Answers {"created"|"existing", workspace id, operation id} or
--   {"quota-profile"|"quota-total"|"key-reused"|"project-full"|"name-taken"|"spare-gone"}.
-- Keeps: the change is told in the same step, so that the ledger misses none;
--   a name is given again 30 days after its workspace is gone at the soonest;
--   never more living workspaces than the quota, and than may be in a project; one request, however often repeated, is one workspace;
--   a spare machine is taken once, while it is at rest and alive, and is no spare one ever after: what it cost until then
--   ends in the ledger in the same step in which its owner's part begins.
local id, now, prefix = ARGV[1], ARGV[3], ARGV[12]
if ARGV[9] ~= "0" then
  local known = redis.call("HMGET", KEYS[6], "workspace", "digest", "operation")
  if known[1] then
    if known[2] ~= ARGV[10] then return { "key-reused" } end
    return { "existing", known[1], known[3] }
  end
end
local function remember(workspace, operation)
  if ARGV[9] == "0" then return end
  redis.call("HSET", KEYS[6], "workspace", workspace, "digest", ARGV[10], "operation", operation)
  redis.call("EXPIRE", KEYS[6], ARGV[11])
end
local isSpare, spare = ARGV[16] ~= "", nil
-- What led to somebody's machine within the last 30 days leads to no other's: browsers and bookmarks would follow it.
if not isSpare and redis.call("EXISTS", KEYS[1], prefix .. "ws:" .. id .. ":released") > 0 then return { "name-taken" } end
local total, ofProfile = 0, 0
for _, other in ipairs(redis.call("SMEMBERS", KEYS[3])) do
  local hash = redis.call("HMGET", prefix .. "ws:" .. other, "state", "profile", "operation", "repository")
  if hash[1] and hash[1] ~= "TERMINATED" then
    -- A second click, or a second tab: the first one's workspace is not there yet, so it is the one that is meant.
    if ARGV[9] ~= "1" and hash[1] == "PROVISIONING" and hash[2] == ARGV[6] and (hash[4] or "") == ARGV[15] then
      remember(other, hash[3])
      return { "existing", other, hash[3] }
    end
    total = total + 1
    if hash[2] == ARGV[6] then ofProfile = ofProfile + 1 end
  end
end
if total >= tonumber(ARGV[8]) then return { "quota-total" } end
if ofProfile >= tonumber(ARGV[7]) then return { "quota-profile" } end
local epoch = 1
if isSpare then
  spare = redis.call("HMGET", KEYS[1], "state", "epoch", "operation", "reportedAt", "info")
  local going = redis.call("HGET", prefix .. "op:" .. (spare[3] or ""), "state")
  if redis.call("SISMEMBER", KEYS[9], id) == 0 or spare[1] ~= "RUNNING" or spare[2] ~= ARGV[16]
    or going == "queued" or going == "running" or tonumber(spare[4] or "0") < tonumber(ARGV[17]) then
    return { "spare-gone" }
  end
  -- What was seen and set of it while it was nobody's says nothing of its owner.
  for _, field in ipairs(redis.call("HKEYS", KEYS[1])) do
    if string.sub(field, 1, 5) == "seen:" then redis.call("HDEL", KEYS[1], field) end
  end
  redis.call("HDEL", KEYS[1], "settings", "plannedStop", "rousedAt", "unsavedSince", "backups", "repository", "fetch")
  redis.call("SREM", KEYS[9], id)
  redis.call("DEL", KEYS[10])
  for i = 18, #ARGV, 2 do redis.call("HSET", KEYS[10], ARGV[i], ARGV[i + 1]) end
  epoch = tonumber(spare[2]) + 1
  redis.call("XADD", KEYS[7], "*", "info", spare[5], "from", spare[1], "to", "TERMINATED", "epoch", epoch, "at", now,
    "operation", "")
  epoch = epoch + 1
end
local project, most = ARGV[13], tonumber(ARGV[14])
-- A spare machine is counted where it is already.
if most > 0 and not isSpare then
  local there = 0
  for _, other in ipairs(redis.call("HVALS", KEYS[8])) do
    if project == "" or other == project then there = there + 1 end
  end
  if project == "" then there = redis.call("SCARD", KEYS[4]) - there end
  if there >= most then return { "project-full" } end
end
if project ~= "" then redis.call("HSET", KEYS[8], id, project) end
redis.call("HSET", KEYS[1], "info", ARGV[2], "profile", ARGV[6], "state", "PROVISIONING", "since", now,
  "epoch", epoch, "operation", ARGV[4])
if ARGV[15] ~= "" then redis.call("HSET", KEYS[1], "repository", ARGV[15]) end
redis.call("XADD", KEYS[7], "*", "info", ARGV[2], "from", "", "to", "PROVISIONING", "epoch", epoch, "at", now,
  "operation", ARGV[4])
redis.call("HSET", KEYS[2], "info", ARGV[5], "kind", "create", "state", "queued", "epoch", epoch)
redis.call("PERSIST", prefix .. "ws:" .. id .. ":secrets")
redis.call("SADD", KEYS[3], id)
redis.call("SADD", KEYS[4], id)
redis.call("ZADD", KEYS[5], now, ARGV[4])
redis.call("ZADD", prefix .. "ws:" .. id .. ":ops", now, ARGV[4])
remember(id, ARGV[4])
return { "created", id, ARGV[4] }
