-- Sends one request again and again, and counts the statuses of the answers.
wrk.method, wrk.path, wrk.body = os.getenv("METHOD"), os.getenv("ROUTE"), os.getenv("BODY")
wrk.headers["Authorization"] = os.getenv("BEARER") and "Bearer " .. os.getenv("BEARER")

-- Milliseconds between an answer and the next request.
local pause = tonumber(os.getenv("PAUSE"))
if pause then function delay() return pause end end

-- A file that is made once so many answers had the status 200.
local enough, mark = tonumber(os.getenv("ENOUGH")), os.getenv("MARK")

local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() seen = {} end
function response(status)
  seen[status] = (seen[status] or 0) + 1
  if status == 200 and seen[200] == enough then io.open(mark, "w"):close() end
end

function done()
  local all = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("seen")) do all[status] = (all[status] or 0) + count end
  end
  for status, count in pairs(all) do io.write(string.format("status %d %d\n", status, count)) end
end
