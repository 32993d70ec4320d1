-- JSON (RFC 8259), read strictly and kept as it came: pairs of an object stay in their order, so that a key that comes
-- twice is seen, and a number keeps its text, so that none is rounded.
--
-- What is read is a string, a truth value, or a table: {is = "object", pairs}, {is = "list", items}, {is = "number",
-- text, value} or NULL. What is wrong is thrown as {malformed = why}.

local NULL = { is = "null" }
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function malformed(why)
  error({ malformed = why }, 0)
end

-- Whether a text is UTF-8 without surrogates and overlong forms (RFC 3629).
local function is_utf8(text)
  local at = 1
  while true do
    at = text:find("[\128-\255]", at)
    if not at then return true end
    local first, second = text:byte(at, at + 1)
    second = second or 0
    local length = (first >= 0xC2 and first <= 0xDF and 2) or (first >= 0xE0 and first <= 0xEF and 3)
      or (first >= 0xF0 and first <= 0xF4 and 4)
    if not length then return false end
    local low = (first == 0xE0 and 0xA0) or (first == 0xF0 and 0x90) or 0x80
    local high = (first == 0xED and 0x9F) or (first == 0xF4 and 0x8F) or 0xBF
    if second < low or second > high then return false end
    if not text:find("^" .. ("[\128-\191]"):rep(length - 2), at + 2) then return false end
    at = at + length
  end
end

local function utf8_of(code)
  local function tail(shift) return 0x80 + math.floor(code / shift) % 0x40 end
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 0x40), tail(1)) end
  if code < 0x10000 then return string.char(0xE0 + math.floor(code / 0x1000), tail(0x40), tail(1)) end
  return string.char(0xF0 + math.floor(code / 0x40000), tail(0x1000), tail(0x40), tail(1))
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

-- What stands after `\u`, with the second half of a pair where there is one.
local function unicode(text, at)
  local digits = text:match("^%x%x%x%x", at) or malformed("an escape has four hexadecimal digits")
  local code = tonumber(digits, 16)
  if code < 0xD800 or code > 0xDFFF then return utf8_of(code), at + 4 end
  local low = tonumber(text:match("^\\u(%x%x%x%x)", at + 4) or "0", 16)
  if code > 0xDBFF or low < 0xDC00 or low > 0xDFFF then malformed("half of a surrogate pair") end
  return utf8_of(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 10
end

-- A string from behind its opening quote.
local function read_string(text, at)
  local parts = {}
  while true do
    local stop = text:find('["\\%z\1-\31]', at) or malformed("a string does not end")
    parts[#parts + 1] = text:sub(at, stop - 1)
    local byte = text:sub(stop, stop)
    if byte == '"' then return table.concat(parts), stop + 1 end
    if byte ~= "\\" then malformed("a control character in a string") end
    local letter = text:sub(stop + 1, stop + 1)
    if letter == "u" then
      parts[#parts + 1], at = unicode(text, stop + 2)
    else
      parts[#parts + 1] = ESCAPES[letter] or malformed("an escape that JSON does not have")
      at = stop + 2
    end
  end
end

local function read_number(text, at)
  local whole = text:match("^%-?[1-9]%d*", at) or text:match("^%-?0", at) or malformed("no value where one must be")
  local fraction = text:match("^%.%d+", at + #whole) or ""
  local exponent = text:match("^[eE][+-]?%d+", at + #whole + #fraction) or ""
  local number = whole .. fraction .. exponent
  local value = tonumber(number)
  if value == math.huge or value == -math.huge then malformed("a number out of range") end
  return { is = "number", text = number, value = value }, at + #number
end

local read_value

-- Objects and lists: entries with commas between, up to the closing bracket.
local function read_entries(text, at, closing, depth, read)
  if depth == CONTRACT.limits.json_depth then malformed("it nests too deep") end
  at = skip(text, at)
  if text:sub(at, at) == closing then return at + 1 end
  while true do
    at = skip(text, read(at))
    local byte = text:sub(at, at)
    if byte == closing then return at + 1 end
    if byte ~= "," then malformed("a comma or the end is missing") end
    at = skip(text, at + 1)
  end
end

function read_value(text, at, depth)
  at = skip(text, at)
  local byte = text:sub(at, at)
  if byte == '"' then return read_string(text, at + 1) end
  if byte == "{" then
    local object = { is = "object" }
    return object, read_entries(text, at + 1, "}", depth, function(here)
      if text:sub(here, here) ~= '"' then malformed("a key must be a string") end
      local key, value
      key, here = read_string(text, here + 1)
      here = skip(text, here)
      if text:sub(here, here) ~= ":" then malformed("a colon is missing") end
      value, here = read_value(text, here + 1, depth + 1)
      object[#object + 1] = { key = key, value = value }
      return here
    end)
  end
  if byte == "[" then
    local list = { is = "list" }
    return list, read_entries(text, at + 1, "]", depth, function(here)
      list[#list + 1], here = read_value(text, here, depth + 1)
      return here
    end)
  end
  for word, value in pairs({ ["true"] = true, ["false"] = false, null = NULL }) do
    if text:sub(at, at + #word - 1) == word then return value, at + #word end
  end
  return read_number(text, at)
end

-- The value that a text is, and nothing behind it.
local function read_json(text)
  if not is_utf8(text) then malformed("it is not UTF-8") end
  local value, at = read_value(text, 1, 0)
  if skip(text, at) <= #text then malformed("there is more behind the value") end
  return value
end

-- A value as Lua has it: tables by key or by place, numbers as such, and nothing for null.
local function plain(value)
  if type(value) ~= "table" then return value end
  if value.is == "number" then return value.value end
  if value.is == "null" then return nil end
  local found = {}
  for place, entry in ipairs(value) do
    if value.is == "object" then found[entry.key] = plain(entry.value) else found[place] = plain(entry) end
  end
  return found
end

local function quoted(text)
  local function escaped(byte) return string.format("\\u%04x", byte:byte()) end
  return '"' .. text:gsub('[%z\1-\31\\"]', escaped) .. '"'
end
