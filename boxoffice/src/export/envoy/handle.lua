-- What request and answer share of one exchange. A handle of headers is good until a body is waited for; then it is
-- asked for again.

-- Each worker begins somewhere else: the address of a table differs.
math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"):sub(-7), 16))

local function remember(handle, name, value)
  handle:streamInfo():dynamicMetadata():set("boxoffice", name, value)
end

local function remembered(handle, name)
  local kept = handle:streamInfo():dynamicMetadata():get("boxoffice")
  return kept and kept[name] or ""
end

-- What the contract says of the route; nothing for what is no rpc.
local function rpc_of(handle)
  return CONTRACT.rpcs[handle:metadata():get("rpc") or ""]
end

local function remove_headers(headers, is_kept)
  local names = {}
  for name in pairs(headers) do
    if name:sub(1, 1) ~= ":" and not is_kept(name) then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do headers:remove(name) end
end

local function random_hex(count)
  return (("x"):rep(count):gsub("x", function() return string.format("%x", math.random(0, 15)) end))
end

-- The id of a trace that begins here, and its W3C trace context.
local function fresh_trace()
  local trace = random_hex(32)
  return trace, "00-" .. trace .. "-" .. random_hex(16) .. "-00"
end
