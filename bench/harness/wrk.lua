-- With BENCH_TOKENS, a file with a token on each line, every request has the next token of it.
local path = os.getenv("BENCH_TOKENS")
if path then
  local threads, file, head = 0, nil, nil

  function setup(thread)
    thread:set("place", threads / 8)
    threads = threads + 1
  end

  -- Each thread begins at another place of the file, and reads on from its beginning at its end.
  function init()
    file = assert(io.open(path))
    file:seek("set", math.floor(file:seek("end") * place))
    file:read("*l")
    head = "GET " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\nAuthorization: Bearer "
  end

  function request()
    local token = file:read("*l")
    if not token then
      file:seek("set", 0)
      token = file:read("*l")
    end
    return head .. token .. "\r\n\r\n"
  end
end

-- Makes wrk print its figures as one line of JSON, times in milliseconds.
-- wrk counts answers other than 2xx and 3xx as `status` errors.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'JSON {"requests": %d, "per_second": %.3f, "p50_ms": %.4f, "p99_ms": %.4f, "errors": %d}\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
