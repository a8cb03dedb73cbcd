-- Asks lictor about a request. If it may pass, tells the app who it is from, and sets the variable
-- txn.lictor, without which haproxy.cfg refuses it; else the client gets lictor's answer: the way to
-- the login page, or a refusal. Needs HAProxy 2.6 or later, which has an HTTP client for Lua.

local LICTOR = "http://127.0.0.1:5000/api/forward-auth"
-- Milliseconds for one try; HAProxy's client makes four.
local TIMEOUT = 2500

-- What lictor says of the user, in its answer and to the app.
local IDENTITY = {
    "x-auth-user", "x-auth-id", "x-auth-roles", "remote-user", "remote-name", "remote-email", "remote-groups",
}
-- What the question has in place of the client's fields, or has not at all.
local NOT_ASKED = {
    ["host"] = true, ["connection"] = true, ["upgrade"] = true, ["keep-alive"] = true, ["te"] = true,
    ["transfer-encoding"] = true, ["content-length"] = true, ["expect"] = true,
    ["x-forwarded-method"] = true, ["x-forwarded-host"] = true, ["x-forwarded-uri"] = true,
    ["x-original-method"] = true, ["x-original-url"] = true,
}
-- What belongs to the connection with lictor, and not to the answer for the client.
local NOT_ANSWERED = {
    ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true, ["content-length"] = true,
}
local COOKIES = {
    ["lictor"] = true, ["__Secure-lictor"] = true, ["__Host-lictor"] = true, ["access_token"] = true,
}

-- HAProxy's tables of values begin at 0, those of its client at 1.
local function list(values)
    local copy = {}
    for index = 0, #values do
        copy[#copy + 1] = values[index]
    end
    return copy
end

local function question(txn)
    local headers = txn.http:req_get_headers()
    local fields = {}
    for name, values in pairs(headers) do
        if not NOT_ASKED[name] then
            fields[name] = list(values)
        end
    end
    -- By this field lictor knows a WebSocket, which has no such field over HTTP/2.
    if headers["upgrade"] then
        fields["sec-websocket-key"] = { "of a WebSocket" }
    end
    fields["x-forwarded-method"] = { txn.sf:method() }
    fields["x-forwarded-host"] = { txn.sf:req_fhdr("host") }
    fields["x-forwarded-uri"] = { txn.sf:pathq() }
    return fields
end

-- The client's cookies without those of lictor.
local function strip_cookies(txn)
    local kept = {}
    for _, line in ipairs(list(txn.http:req_get_headers()["cookie"] or {})) do
        for pair in line:gmatch("[^;]+") do
            local text = pair:match("^%s*(.-)%s*$")
            if text ~= "" and not COOKIES[text:match("^([^=]*)"):match("^(.-)%s*$")] then
                kept[#kept + 1] = text
            end
        end
    end
    txn.http:req_del_header("cookie")
    if #kept > 0 then
        txn.http:req_set_header("cookie", table.concat(kept, "; "))
    end
end

-- Takes away what the client says of itself, also in the spellings that some apps take for the same.
local function strip_identity(txn)
    local ours = { ["x-remote-user"] = true }
    for _, name in ipairs(IDENTITY) do
        ours[name] = true
    end
    for name in pairs(txn.http:req_get_headers()) do
        if ours[name:gsub("[^%w]", "-")] then
            txn.http:req_del_header(name)
        end
    end
end

local function pass(txn, answer)
    strip_identity(txn)
    for _, name in ipairs(IDENTITY) do
        local values = answer.headers[name]
        if values and values[0] ~= "" then
            txn.http:req_set_header(name, values[0])
        end
    end
    -- The app never sees what logs a user in.
    txn.http:req_del_header("authorization")
    strip_cookies(txn)
    txn:set_var("txn.lictor", "passed")
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, body = answer.body })
    for name, values in pairs(answer.headers) do
        if not NOT_ANSWERED[name] then
            for _, value in ipairs(list(values)) do
                reply:add_header(name, value)
            end
        end
    end
    txn:done(reply)
end

core.register_action("lictor", { "http-req" }, function(txn)
    local answer = core.httpclient():get({ url = LICTOR, headers = question(txn), timeout = TIMEOUT })
    if answer.status == 200 then
        pass(txn, answer)
    elseif answer.status > 200 then
        refuse(txn, answer)
    end
end)
