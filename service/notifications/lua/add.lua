-- Records that a notification is to be delivered through one channel.
-- Keys: delivery, deliveries that are due. Arguments: name of the delivery, now (ms), fields of it: name, value, …
-- Answers 1, or 0 when it is known already, delivered or not. Keeps: one delivery per notification and channel.
if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
redis.call("HSET", KEYS[1], "attempts", 0, unpack(ARGV, 3))
redis.call("ZADD", KEYS[2], ARGV[2], ARGV[1])
return 1
