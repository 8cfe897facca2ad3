-- Notes how far a run has come, so that whoever runs the operation again goes on from there.
-- Keys: operation, lease of the workspace. Arguments: the worker's token, epoch, name of the mark, its value
-- Answers "noted", or "lost" when this worker has been overtaken: then nothing is written.
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return "lost" end
if redis.call("HGET", KEYS[1], "epoch") ~= ARGV[2] then return "lost" end
redis.call("HSET", KEYS[1], "mark:" .. ARGV[3], ARGV[4])
return "noted"
