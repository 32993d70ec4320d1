-- What the contract allows, held against a request before it is transcoded: every refusal names its field.
-- Envoy's own reading is lax: it takes numbers as strings, values of enums by number, and a key that comes twice.

-- The fields of each message, by each of their two names.
local FIELDS = {}
for message, fields in pairs(CONTRACT.messages) do
  FIELDS[message] = {}
  for _, field in ipairs(fields) do
    FIELDS[message][field.name], FIELDS[message][field.json] = field, field
  end
end
-- Above this, a number with a fraction or an exponent names no whole number for certain.
local MAX_WHOLE = 9007199254740992
local WHOLE = {
  int32 = { least = "-2147483648", most = "2147483647" },
  int64 = { least = "-9223372036854775808", most = "9223372036854775807" },
}

local function refuse(path, reason)
  error({ field = path, reason = reason }, 0)
end

-- Whether the digits of a whole number are not above those of another.
local function is_within(digits, most)
  digits = digits:gsub("^0+", "")
  return #digits < #most or (#digits == #most and digits <= most)
end

local function is_whole(kind, text)
  local sign, digits = text:match("^(%-?)(%d+)$")
  local bound = WHOLE[kind]
  return digits and is_within(digits, sign == "-" and bound.least:sub(2) or bound.most)
end

local function must_be_whole(kind, path, text)
  if not is_whole(kind, text) then
    refuse(path, "must be a whole number from " .. WHOLE[kind].least .. " to " .. WHOLE[kind].most)
  end
end

-- RFC 3339: date, time and offset, all three, as far as the transcoder reads it: in capitals, and to nanoseconds.
local function is_time(text)
  local year, month, day, hour, minute, second, rest =
    text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)(.*)$")
  if not year then return false end
  local fraction, offset = rest:match("^%.(%d+)(.*)$")
  offset = offset or rest
  local hours, minutes = offset:match("^[+-](%d%d):(%d%d)$")
  local is_offset = hours and tonumber(hours) < 24 and tonumber(minutes) < 60
  if #(fraction or "") > 9 or not (offset == "Z" or is_offset) then return false end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  -- In the first and the last year an offset may lead out of the calendar.
  if year < 1 or (offset ~= "Z" and (year == 1 or year == 9999)) then return false end
  local is_leap = (year % 4 == 0 and year % 100 ~= 0) or year % 400 == 0
  local days = ({ 31, is_leap and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[month]
  return days ~= nil and day >= 1 and day <= days
    and tonumber(hour) < 24 and tonumber(minute) < 60 and tonumber(second) < 60
end

local function must_be_text(path, text)
  if text:find("%z") then refuse(path, "must not contain the character U+0000") end
end

local function must_be_choice(field, path, text)
  for _, choice in ipairs(CONTRACT.enums[field.of]) do
    if choice == text then return end
  end
  refuse(path, "must be one of " .. table.concat(CONTRACT.enums[field.of], ", "))
end

-- What is given as text, in a path or a query.
local function check_text(field, path, text)
  if field.is == "int32" or field.is == "int64" then return must_be_whole(field.is, path, text) end
  if field.is == "enum" then return must_be_choice(field, path, text) end
  if field.is == "bool" and text ~= "true" and text ~= "false" then refuse(path, "must be true or false") end
  if field.is == "time" and not is_time(text) then
    refuse(path, "must be a time as RFC 3339 has it, such as 2030-05-01T18:00:00Z")
  end
  if field.is == "mask" and not text:find("^[%w_., ]*$") then
    refuse(path, "must be names of fields with commas between")
  end
  must_be_text(path, text)
end

local check_object

local function check_value(field, path, value)
  local kind = type(value) == "table" and value.is or type(value)
  if field.is == "message" then return check_object(field.of, path, value, {}) end
  if field.is == "bool" then
    if kind ~= "boolean" then refuse(path, "must be true or false") end
  elseif field.is == "double" then
    if kind ~= "number" then refuse(path, "must be a number") end
  elseif field.is == "int32" or field.is == "int64" then
    local text = kind == "number" and value.text or ""
    if kind == "number" and text:find("[.eE]") and value.value % 1 == 0 and math.abs(value.value) <= MAX_WHOLE then
      text = string.format("%.0f", value.value)
    end
    must_be_whole(field.is, path, text)
  elseif kind ~= "string" then
    refuse(path, field.is == "string" and "must be a string" or "must be a string of the right form")
  else
    check_text(field, path, value)
  end
end

local function check_field(field, path, value)
  -- Null is the same as nothing, except that an update mask names the field.
  if value == NULL then return end
  if not field.list then return check_value(field, path, value) end
  if type(value) ~= "table" or value.is ~= "list" then refuse(path, "must be a list") end
  for place, entry in ipairs(value) do
    check_value(field, path .. "[" .. place - 1 .. "]", entry)
  end
end

-- Checks an object against its message; gives the names of the fields that it has.
function check_object(message, path, value, bound)
  if type(value) ~= "table" or value.is ~= "object" then refuse(path == "" and "body" or path, "must be an object") end
  local present, seen = {}, {}
  for _, pair in ipairs(value) do
    local field = FIELDS[message][pair.key]
    local name = (path == "" and "" or path .. ".") .. (field and field.name or pair.key)
    if not field then refuse(name, "is not a known field") end
    if bound[field.name] then refuse(name, "is given by the path") end
    if seen[field.name] then refuse(name, "is given more than once") end
    seen[field.name] = true
    present[#present + 1] = field
    check_field(field, name, pair.value)
  end
  return present
end

-- Replaces each `%XX`; nothing where that is not well-formed, or no UTF-8.
local function percent_decoded(text)
  if text:gsub("%%%x%x", ""):find("%%") then return nil end
  local decoded = text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
  return is_utf8(decoded) and decoded or nil
end

local function split(text, separator)
  local parts = {}
  for part in (text .. separator):gmatch("(.-)%" .. separator) do parts[#parts + 1] = part end
  return parts
end

-- Checks what the path gives; gives the names of those fields.
local function check_path(rpc, path)
  local bound, sent = {}, split(path, "/")
  for place, segment in ipairs(split(rpc.path, "/")) do
    local name = segment:match("^{([^}]+)}")
    if name then
      local text = percent_decoded(sent[place]:match("^[^:]*"))
      if not text then error({ detail = "the path is not well-formed" }, 0) end
      check_text(FIELDS[rpc.input][name], name, text)
      bound[name] = true
    end
  end
  return bound
end

-- Checks the query. What GET does not know it leaves alone; elsewhere everything belongs into the body.
local function check_query(rpc, query, bound)
  local seen, count = {}, 0
  for pair in query:gmatch("[^&]+") do
    count = count + 1
    if count > CONTRACT.limits.query_parameters then error({ detail = "the query has too many parameters" }, 0) end
    local name, text = pair:match("^([^=]*)=?(.*)$")
    name, text = percent_decoded((name:gsub("+", " "))), percent_decoded((text:gsub("+", " ")))
    if not name or not text then error({ detail = "the query is not well-formed" }, 0) end
    local field = FIELDS[rpc.input][name]
    if field then
      if bound[field.name] then refuse(name, "is given by the path") end
      if rpc.body then refuse(name, "belongs into the body") end
      if seen[field.name] and not field.list then refuse(name, "is given more than once") end
      seen[field.name] = true
      check_text(field, field.name, text)
    elseif rpc.method ~= "GET" then
      refuse(name, "is not a known query parameter")
    end
  end
end
