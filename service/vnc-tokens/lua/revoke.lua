-- Takes back all tokens of a set (of a login, of a share, or of a workspace: its shares then end too).
-- Keys: the set, and of a workspace the set of its shares. Arguments: prefix of tokens, prefix of shares
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
if KEYS[2] then
  for _, share in ipairs(redis.call("SMEMBERS", KEYS[2])) do redis.call("DEL", ARGV[2] .. share) end
  redis.call("DEL", KEYS[2])
end
return gone
