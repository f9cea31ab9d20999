-- Saves a snapshot. KEYS: number of the duty, snapshot. ARGV: number under which the saver has it, cursor, bytes.
-- Returns 1: saved; 0: another has the duty.
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[2], 'cursor', ARGV[2], 'bytes', ARGV[3])
return 1
