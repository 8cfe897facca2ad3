-- Keeps what a look at a workspace has found.
-- Keys: workspace, its newest look. Arguments: epoch of the workspace when the look began, what was found (JSON)
-- Answers 1, or 0 when something was begun meanwhile, or the workspace goes or is gone.
-- Keeps: a look that saw resources in the middle of a change is worth nothing; none is left of a deleted workspace.
local now = redis.call("HMGET", KEYS[1], "epoch", "state")
if now[1] ~= ARGV[1] or now[2] == "TERMINATING" or now[2] == "TERMINATED" then return 0 end
redis.call("SET", KEYS[2], ARGV[2])
return 1
