-- Publishes a bundle, only upwards. KEYS: number of the duty, bundles. ARGV: number under which the publisher has it,
-- version, bundle, how many are kept.
-- Returns -1: published; else the version that is current.
local newest = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local current = tonumber(newest[2] or '0')
if current >= tonumber(ARGV[2]) then return current end
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return current end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[3])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -tonumber(ARGV[4]) - 1)
return -1
