-- Takes back all tokens of a set (of a login, or of a workspace).
-- Keys: the set. Arguments: prefix of tokens
-- Answers {workspace, hash, workspace, hash, …} of those that were still good.
local gone = {}
for _, hash in ipairs(redis.call("SMEMBERS", KEYS[1])) do
  local workspace = redis.call("HGET", ARGV[1] .. hash, "workspace")
  if workspace then
    redis.call("DEL", ARGV[1] .. hash)
    gone[#gone + 1] = workspace
    gone[#gone + 1] = hash
  end
end
redis.call("DEL", KEYS[1])
return gone
