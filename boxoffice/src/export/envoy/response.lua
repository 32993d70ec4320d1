-- An answer on its way to the client, as our own gateway writes it.

-- What clients may see of the metadata of an answer.
local SEEN = {
  ["allow"] = true, ["cache-control"] = true, ["content-disposition"] = true, ["content-length"] = true,
  ["content-type"] = true, ["etag"] = true, ["idempotency-replayed"] = true, ["location"] = true,
  ["preference-applied"] = true, ["retry-after"] = true, ["transfer-encoding"] = true,
}
local BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function text_of(handle)
  local body = handle:body(true)
  return body:length() > 0 and body:getBytes(0, body:length()) or "", body
end

local function replace_body(headers, body, text)
  body:setBytes(text)
  headers:replace("content-length", tostring(#text))
end

-- 64-bit integers as numbers: the JSON of protobuf has them as strings. Within a string a quote is escaped, so what
-- looks like a key is one.
local function with_numbers(text)
  for _, name in ipairs(CONTRACT.whole) do
    text = text:gsub('("' .. name .. '":)"(%-?%d+)"', "%1%2")
  end
  for _, name in ipairs(CONTRACT.fractions) do
    text = text:gsub('("' .. name .. '":%-?%d+)([,}%]])', "%1.0%2")
  end
  return text
end

local function decoded_base64(text)
  local bytes, bits, count = {}, 0, 0
  for letter in text:gmatch("[%w+/]") do
    bits, count = bits * 64 + BASE64:find(letter, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      bytes[#bytes + 1] = string.char(math.floor(bits / 2 ^ count))
      bits = bits % 2 ^ count
    end
  end
  return table.concat(bytes)
end

-- An ETag without the mark of a weak one.
local function bare(tag)
  return tag:match("^%s*(.-)%s*$"):gsub("^W/", "")
end

-- `If-None-Match` compares weakly (RFC 9110, section 13.1.2).
local function is_unchanged(handle, headers)
  local etag, known = headers:get("etag"), remembered(handle, "known")
  local method = remembered(handle, "method")
  if not etag or known == "" or headers:get(":status") ~= "200" then return false end
  if method ~= "GET" and method ~= "HEAD" then return false end
  for tag in known:gmatch("[^,]+") do
    if tag:match("^%s*%*%s*$") or bare(tag) == bare(etag) then return true end
  end
  return false
end

local function empty(handle, status)
  handle:body(true):setBytes("")
  local headers = handle:headers()
  headers:replace(":status", status)
  headers:remove("content-type")
  headers:remove("content-length")
end

local function write_problem(handle, http)
  local text, body = text_of(handle)
  local headers = handle:headers()
  local is_read, status = pcall(function() return plain(read_json(text)) end)
  local problem
  if is_read and type(status) == "table" and status.code then
    problem = problem_of_status(http, status)
  elseif CODES[http] or http >= 500 then
    problem = known_problem(CODES[http] or "internal")
  else
    -- Envoy's own refusals, such as 431 for too many headers.
    problem = problem_of({ detail = "the request cannot be read: " .. text })
    problem.status = http
  end
  headers:replace(":status", tostring(problem.status))
  headers:replace("content-type", PROBLEM)
  if problem.status == 401 then
    local is_bad = problem.code == "unauthenticated" and remembered(handle, "has_token") ~= ""
    headers:replace("www-authenticate", is_bad and 'Bearer error="invalid_token"' or "Bearer")
  end
  if problem.status == 429 or problem.status == 503 or problem.retry then
    headers:replace("retry-after", tostring(math.max(1, math.ceil(problem.retry or 1))))
  end
  replace_body(headers, body, document(handle, problem))
end

-- Messages as they come: server-sent events have the sequence as their id.
local function write_stream(handle, headers)
  headers:replace("content-type", "text/event-stream")
  headers:replace("x-accel-buffering", "no")
  headers:remove("content-length")
  for chunk in handle:bodyChunks() do
    if chunk:length() > 0 then
      local text = with_numbers(chunk:getBytes(0, chunk:length()))
      chunk:setBytes((text:gsub('(data: [^\n]-"sequence":(%d+))', "id: %2\n%1")))
    end
  end
end

local function write_answer(handle, headers, rpc, chosen)
  if chosen then headers:replace(":status", chosen) end
  if rpc.empty then return empty(handle, "204") end
  if is_unchanged(handle, headers) then return empty(handle, "304") end
  if (headers:get("content-type") or "") ~= "application/json" or rpc.is_file then return end
  local text, body = text_of(handle)
  headers = handle:headers()
  local file = rpc.file and plain(read_json(text))[rpc.file]
  if file then
    headers:replace("content-type", file.content_type)
    return replace_body(headers, body, decoded_base64(file.data))
  end
  replace_body(headers, body, with_numbers(text))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  local rpc, http = rpc_of(handle), tonumber(headers:get(":status"))
  local chosen = (headers:get("x-http-status") or ""):match("^[23]%d%d$")
  remove_headers(headers, function(name) return SEEN[name] end)
  -- What Envoy refuses by itself has not been seen as a request.
  if remembered(handle, "id") == "" then set_trace(handle, headers) end
  headers:replace("x-request-id", remembered(handle, "id"))
  headers:replace("traceparent", remembered(handle, "traceparent"))
  headers:replace("x-content-type-options", "nosniff")
  if not headers:get("cache-control") then headers:replace("cache-control", "no-store") end
  if http >= 400 then
    if headers:get("content-type") ~= PROBLEM then write_problem(handle, http) end
  elseif rpc and rpc.stream then
    write_stream(handle, headers)
  elseif rpc then
    write_answer(handle, headers, rpc, chosen)
  end
end
