-- wrk's part: many accounts, each with a body of its own, in turn; as fast as the proxy goes, or at a fixed rate.
--
--   wrk -t N -c N … -s load.lua URL -- <file of bodies> <their size> <their number> <rate, 0: as fast as it goes> <accounts> <N>
--
-- Bodies have one size, one a line, so line n begins at n * (size + 1). <accounts>: "known" (as many as there are bodies),
-- "new" (a new account with every request) or "<first>/<number>" (so many in turn, beginning with that one; one thread).
--
-- At a fixed rate each thread has one connection and sleeps until its next request is due; threads are offset so that
-- requests are evenly spaced. wrk takes the time from after that sleep. A request that is sent a fifth of the interval or
-- more after it was due is counted as late: with few of them, the percentiles hide no waiting before sending.

local ffi = require("ffi")
ffi.cdef [[
    typedef struct { long seconds; long nanoseconds; } moment;
    int clock_gettime(int clock, moment *now);
    int clock_nanosleep(int clock, int flags, const moment *until, moment *left);
    int prctl(int option, unsigned long argument);
]]
local MONOTONIC, ABSOLUTE, TIMER_SLACK = 1, 1, 29
local now, due_at = ffi.new("moment"), ffi.new("moment")
local threads = {}

function setup(thread)
    thread:set("id", #threads)
    table.insert(threads, thread)
end

local function seconds()
    ffi.C.clock_gettime(MONOTONIC, now)
    return tonumber(now.seconds) + tonumber(now.nanoseconds) / 1e9
end

local requests, turn, salt, of, interval, due, fresh, around = {}, 0, 0, 1, 0, nil, nil, nil
late, sent = 0, 0  -- global: read in done()

local function build(key, body)
    return "POST /v1/chat/completions HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer sk-bench-" .. key ..
        "\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python 2.8.0\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function init(args)
    local path, size, count, rate, accounts = args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4]), args[5]
    of = tonumber(args[6])
    local file = assert(io.open(path, "rb"))
    for line = id, count - 1, of do
        file:seek("set", line * (size + 1))
        local body = file:read(size)
        assert(#body == size and file:read(1) == "\n", "bodies are not of one size")
        table.insert(requests, accounts == "known" and build(line, body) or body)
    end
    file:close()
    local first, number = accounts:match("^(%d+)/(%d+)$")
    if accounts ~= "known" then fresh, around = tonumber(first) or 0, tonumber(number) end
    -- Does not begin with the same accounts each time.
    salt = math.floor(seconds() * 1000)
    turn = salt % #requests
    if rate > 0 then interval = of / rate end
end

local function await()
    if not due then
        -- All threads keep to one grid, each at its own place in it.
        due = math.ceil(seconds() / interval + 1 + id / of) * interval + id / of * interval
        ffi.C.prctl(TIMER_SLACK, 1)
    end
    due_at.seconds, due_at.nanoseconds = math.floor(due), (due - math.floor(due)) * 1e9
    ffi.C.clock_nanosleep(MONOTONIC, ABSOLUTE, due_at, nil)
    if seconds() - due > interval / 5 then late = late + 1 end
    due = due + interval
end

function request()
    turn = turn % #requests + 1
    sent = sent + 1
    if interval > 0 then await() end
    if fresh then
        fresh = fresh + 1
        if around then return build("soak-" .. fresh % around, requests[turn]) end
        return build(string.format("new-%d-%d-%d", salt, id, fresh), requests[turn])
    end
    return requests[turn]
end

function done(summary, latency)
    local errors, late, sent = summary.errors, 0, 0
    for _, thread in ipairs(threads) do
        late, sent = late + thread:get("late"), sent + thread:get("sent")
    end
    io.write(string.format(
        '\n{"requests": %d, "microseconds": %d, "failed": %d, "refused": %d, "p50": %d, "p99": %d, "late": %d, "sent": %d}\n',
        summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.timeout, errors.status,
        latency:percentile(50), latency:percentile(99), late, sent))
end
