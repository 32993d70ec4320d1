-- Errors as clients see them: `application/problem+json` (RFC 9457), as our own gateway writes them.

local PROBLEM = "application/problem+json"
local CAUSE_IN_LOG = "the request could not be carried out; its trace id leads to the cause in the log"

-- What Envoy and this script find wrong, by the stable code.
local PROBLEMS = {
  not_found = { status = 404, title = "Not found", detail = "there is nothing at this path" },
  method_not_allowed = {
    status = 405, title = "The method is not allowed", detail = "this path answers other methods; see Allow",
  },
  request_timeout = {
    status = 408, title = "The request took too long", detail = "the request did not arrive in time",
  },
  body_too_large = {
    status = 413, title = "The body is too large",
    detail = "a body may have " .. CONTRACT.limits.body_bytes .. " bytes at most",
  },
  uri_too_long = {
    status = 414, title = "The path is too long",
    detail = "a path with its query may have " .. CONTRACT.limits.uri_bytes .. " bytes at most",
  },
  unsupported_media_type = {
    status = 415, title = "The body is of the wrong type",
    detail = "send the body as JSON, as it is, with `Content-Type: application/json`",
  },
  deadline_exceeded = {
    status = 503, title = CONTRACT.codes.UNAVAILABLE.title,
    detail = "the service did not answer in time; what was asked for may have happened",
  },
  unavailable = {
    status = 503, title = CONTRACT.codes.UNAVAILABLE.title,
    detail = "the service that answers this cannot be reached now",
  },
  internal = { status = 500, title = CONTRACT.codes.INTERNAL.title, detail = CAUSE_IN_LOG },
}
-- The code of an error that comes from Envoy itself, by its status.
local CODES = {
  [404] = "not_found", [405] = "method_not_allowed", [408] = "request_timeout", [413] = "body_too_large",
  [414] = "uri_too_long", [415] = "unsupported_media_type", [503] = "unavailable", [504] = "deadline_exceeded",
}

local function known_problem(code)
  local known = PROBLEMS[code]
  return { code = code, status = known.status, title = known.title, detail = known.detail, errors = {} }
end

-- A refusal of this script.
local function problem_of(wrong)
  if wrong.problem then return known_problem(wrong.problem) end
  local kind = CONTRACT.codes.BAD_INPUT
  local problem = { code = "bad_input", status = kind.status, title = kind.title, detail = wrong.detail, errors = {} }
  if wrong.malformed then
    problem.code, problem.detail = "malformed_json", "the body is not JSON: " .. wrong.malformed
  elseif wrong.field then
    problem.detail = wrong.field .. " " .. wrong.reason
    problem.errors = { wrong }
  end
  return problem
end

-- The `google.rpc.Status` of a service, which the transcoder has written as JSON.
local function problem_of_status(http, status)
  local info, retry, errors = nil, nil, {}
  for _, detail in ipairs(status.details or {}) do
    local kind = detail["@type"] or ""
    if kind:find("google.rpc.ErrorInfo", 1, true) then info = detail end
    if kind:find("google.rpc.RetryInfo", 1, true) then retry = tonumber((detail.retry_delay or ""):match("^[%d.]+")) end
    for _, violation in ipairs(detail.field_violations or {}) do
      errors[#errors + 1] = { field = violation.field, reason = violation.description }
    end
  end
  local kind = info and info.domain == "boxoffice" and CONTRACT.codes[info.metadata and info.metadata.code]
  -- Without one of our kinds it comes from the transport, or from a service that is not ours.
  if not kind and http == 400 then return problem_of({ detail = status.message }) end
  if not kind then return known_problem(CODES[http] or "internal") end
  local is_internal = kind.status == 500
  return {
    code = info.reason, status = kind.status, title = kind.title, errors = errors, retry = retry,
    detail = is_internal and CAUSE_IN_LOG or status.message,
  }
end

local function document(handle, problem)
  local errors = {}
  for _, wrong in ipairs(problem.errors) do
    errors[#errors + 1] = '{"field":' .. quoted(wrong.field) .. ',"reason":' .. quoted(wrong.reason) .. "}"
  end
  local list = #errors > 0 and ',"errors":[' .. table.concat(errors, ",") .. "]" or ""
  return '{"type":' .. quoted("/docs/errors/" .. problem.code) .. ',"title":' .. quoted(problem.title)
    .. ',"status":' .. problem.status .. ',"detail":' .. quoted(problem.detail)
    .. ',"instance":' .. quoted(remembered(handle, "path")) .. ',"code":' .. quoted(problem.code) .. list
    .. ',"trace_id":' .. quoted(remembered(handle, "trace")) .. "}"
end
