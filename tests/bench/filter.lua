-- As much of the job as Lua can do well: the words of the last user turn, their shingles' MinHash, wording, a count for each
-- account and template. No JSON, no conversations or blobs, nothing shared between workers, nothing bounded by age.

local bit = require("bit")
local byte, find, sub, lower = string.byte, string.find, string.sub, string.lower
local bxor, rol, tobit, band = bit.bxor, bit.rol, bit.tobit, bit.band
local PHRASES = {
    "step by step", "chain of thought", "reasoning", "rubric", "score from 1", "rate the following", "generate a question",
    "diverse", "self-contained", "json only", "persona", "training data",
}
local MINIMA, MOST = 8, 50000
local accounts, templates, known = {}, {}, 0

-- The last "content" of the body.
local function text_of(body)
    local at, last = 1, nil
    while true do
        local _, stop = find(body, '"content":"', at, true)
        if not stop then break end
        last, at = stop + 1, stop + 1
    end
    if not last then return "" end
    local stop = last
    while true do
        local quote = find(body, '"', stop, true)
        if not quote then return sub(body, last) end
        if byte(body, quote - 1) ~= 92 then return sub(body, last, quote - 1) end
        stop = quote + 1
    end
end

local function hash(text)
    local value = tobit(0x811c9dc5)
    for at = 1, #text do value = tobit(bxor(rol(value, 5), byte(text, at)) * 0x193) end
    return value
end

-- One-permutation MinHash of the shingles of three words.
local function minima(text)
    local least, one, two = {}, 0, 0
    for bucket = 1, MINIMA do least[bucket] = 0x7fffffff end
    for word in string.gmatch(text, "%a+") do
        local three = hash(word)
        local shingle = bxor(bxor(rol(one, 7), rol(two, 13)), three)
        local bucket, value = band(shingle, MINIMA - 1) + 1, band(shingle * 0x9e5, 0x7fffffff)
        if value < least[bucket] then least[bucket] = value end
        one, two = two, three
    end
    return table.concat(least, ",")
end

local function count(of, key)
    if not of[key] then
        if known >= MOST then accounts, templates, known = {}, {}, 0 return 1 end
        known = known + 1
    end
    of[key] = (of[key] or 0) + 1
    return of[key]
end

function envoy_on_request(handle)
    local headers = handle:headers()
    local account = headers:get("authorization") or ""
    local whole = handle:body()
    local body = whole and whole:getBytes(0, whole:length()) or ""
    local text = lower(text_of(body))
    local wording = 0
    for _, phrase in ipairs(PHRASES) do
        if find(text, phrase, 1, true) then wording = wording + 1 end
    end
    local seen, spread = count(accounts, account), count(templates, minima(text))
    headers:replace("x-verdict", string.format("seen=%d, spread=%d, wording=%d", seen, spread, wording))
end
