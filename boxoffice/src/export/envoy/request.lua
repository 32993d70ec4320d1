-- A request on its way to the transcoder: what is wrong is refused here, as our own gateway does.

-- Nothing but this goes on to the services. Whatever else a client sends, such as forged claims, stays behind.
local PASSED_ON = {
  ["authorization"] = true, ["content-length"] = true, ["content-type"] = true, ["host"] = true, ["if-match"] = true,
  ["te"] = true, ["traceparent"] = true, ["transfer-encoding"] = true, ["x-request-id"] = true,
}
local PREFER_SECONDS = CONTRACT.limits.wait_seconds

-- W3C trace context and the request id: the client's where they are well formed, or fresh ones.
local function set_trace(handle, headers)
  local parent = headers:get("traceparent") or ""
  local trace = #parent == 55 and parent:match("^00%-(%x+)%-%x+%-%x%x$")
  if not trace or #trace ~= 32 then trace, parent = fresh_trace() end
  local id = headers:get("x-request-id") or ""
  if #id > CONTRACT.limits.request_id_bytes or not id:find("^[%w_.-]+$") then id = trace end
  headers:replace("traceparent", parent)
  headers:replace("x-request-id", id)
  remember(handle, "trace", trace)
  remember(handle, "traceparent", parent)
  remember(handle, "id", id)
end

-- Which of two values is meant, nobody can tell.
local function single(headers, name, shown)
  if headers:getNumValues(name) > 1 then refuse(shown, "is given more than once") end
end

-- `Prefer: wait=N` (RFC 7240): the first one counts; what is not understood is ignored, as it says.
local function preferred_wait(headers)
  for preference in (headers:get("prefer") or ""):gmatch("[^,]+") do
    local name, value = preference:match("^%s*([^=;]*)=?([^;]*)")
    if name:lower():match("^(.-)%s*$") == "wait" then
      local digits = value:match('^%s*"?(%d+)"?%s*$')
      return digits and math.min(tonumber(digits), PREFER_SECONDS)
    end
  end
end

local function is_json(media_type)
  return media_type:lower():match("^%s*([^;]*)"):match("^(.-)%s*$") == "application/json"
end

-- A PATCH changes the fields that it sends; who sends a mask says so themselves.
local function with_update_mask(text, present)
  local names = {}
  for _, field in ipairs(present) do
    if field.name == "update_mask" then return text end
    names[#names + 1] = field.json
  end
  local mask = '{"update_mask":"' .. table.concat(names, ",") .. '"'
  return (text:gsub("{", mask .. (#names > 0 and "," or ""), 1))
end

local function check_body(handle, headers, rpc, bound)
  local announced = tonumber(headers:get("content-length") or "0") or 0
  local is_get = headers:get(":method") == "GET"
  if not rpc.body then
    if announced > 0 and not is_get then error({ detail = "this call takes no body" }, 0) end
    -- A body of GET has no meaning (RFC 9110), so it is not passed on.
    local body = announced > 0 and handle:body()
    if body then body:setBytes("") end
    return
  end
  local media_type = headers:get("content-type")
  local is_plain = (headers:get("content-encoding") or "identity") == "identity"
  if not is_plain or (media_type and not is_json(media_type)) then error({ problem = "unsupported_media_type" }, 0) end
  local body = handle:body()
  local text = body and body:length() > 0 and body:getBytes(0, body:length()) or ""
  if text == "" then
    if rpc.body_is_optional then return end
    malformed("it is empty; send an object")
  end
  if not media_type then error({ problem = "unsupported_media_type" }, 0) end
  local present = check_object(rpc.input, "", read_json(text), bound)
  if rpc.method == "PATCH" and FIELDS[rpc.input].update_mask then
    body:setBytes(with_update_mask(text, present))
  end
end

-- Checks a request and makes of it what goes on. Throws what is wrong.
local function prepare(handle, headers, path, query)
  if not percent_decoded(path) then
    error({ detail = "the path is not well-formed: after % come two hexadecimal digits, and all is UTF-8" }, 0)
  end
  local rpc = rpc_of(handle)
  if not rpc then return end
  if headers:get(":method") == "HEAD" then headers:replace(":method", "GET") end
  local bound = check_path(rpc, path)
  check_query(rpc, query, bound)
  single(headers, "idempotency-key", "Idempotency-Key")
  single(headers, "if-match", "If-Match")
  local key = rpc.method == "POST" and headers:get("idempotency-key")
  local wait = preferred_wait(headers)
  check_body(handle, headers, rpc, bound)
  headers = handle:headers()
  local after = rpc.stream and headers:get("last-event-id") or ""
  if after ~= "" then
    if not is_whole("int64", after) then refuse("Last-Event-ID", "must be an id that this stream has given") end
    headers:replace(":path", path .. "?after_sequence=" .. after)
  end
  remove_headers(headers, function(name) return PASSED_ON[name] end)
  if key then headers:add("idempotency-key", key) end
  if wait then headers:add("prefer-wait-ms", tostring(wait * 1000)) end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local target = headers:get(":path")
  local path, query = target:match("^([^?]*)%??(.*)$")
  set_trace(handle, headers)
  remember(handle, "path", path)
  remember(handle, "known", headers:get("if-none-match") or "")
  remember(handle, "method", headers:get(":method"))
  remember(handle, "has_token", headers:get("authorization") and "yes" or "")
  local is_fine, wrong = true, nil
  if #target > CONTRACT.limits.uri_bytes then
    is_fine, wrong = false, { problem = "uri_too_long" }
  else
    is_fine, wrong = pcall(prepare, handle, headers, path, query)
  end
  if is_fine then return end
  -- A defect of this script is not taken for a refusal.
  if type(wrong) ~= "table" then error(wrong, 0) end
  local problem = problem_of(wrong)
  local text = document(handle, problem)
  handle:respond({ [":status"] = tostring(problem.status), ["content-type"] = PROBLEM }, text)
end
