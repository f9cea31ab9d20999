-- Keeps a batch once. KEYS: stream, last number of the sender. ARGV: number, time, batch, most that wait.
-- Returns 1: kept; 0: was kept before; -1: full.
local known = redis.call('GET', KEYS[2])
if known and tonumber(known) >= tonumber(ARGV[1]) then return 0 end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
redis.call('XADD', KEYS[1], '*', 'at', ARGV[2], 'batch', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'EX', 86400)
return 1
