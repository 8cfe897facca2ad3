-- Keeps what the owner of a workspace is shown of its backups. Keys: workspace. Arguments: summary (JSON)
-- Answers 1, or 0 for a workspace that is not known: a record that is gone does not come to life again.
if redis.call("HEXISTS", KEYS[1], "info") == 0 then return 0 end
redis.call("HSET", KEYS[1], "backups", ARGV[1])
return 1
