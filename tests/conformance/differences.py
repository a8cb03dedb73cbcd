"""A table of the cases in which lictor differs from the expectation of a suite, with reasons.

The test fails if the outcome is not that of the row, and also if a difference has
disappeared. Names are those of the suite.
"""


def each(folder, names, outcome="0 answered, then refused 400"):
    return {f"{folder}/{name}": outcome for name in names}


ANSWERED = "1 answered, then open"
ANSWERED_HTTP10 = "1 answered, then closed"

GUNICORN = [
    (
        "only `chunked` is accepted: a server need not support other codings (RFC 9112 section 6.1; design section 3)",
        each(
            "valid",
            [
                "025",
                "025_line",
                "029",
                "030",
                "rfc9112_smuggle_gzip_chunked_01",
                "rfc9112_smuggle_te_identity_chunked_01",
            ],
        ),
    ),
    (
        "a space before the colon MUST be refused (RFC 9112 section 5.1); gunicorn has an option that allows it",
        each("valid", ["028"]),
    ),
    (
        "a folded line is refused, as a server may (RFC 9112 section 5.2); gunicorn has an option that allows it",
        each("valid", ["compat_obs_fold", "compat_obs_fold_huge"]),
    ),
    (
        "a request target has no fragment (RFC 9112 section 3.2)",
        each("valid", ["005"]),
    ),
    (
        "an https resource MUST be refused on a connection without TLS (RFC 9110 section 7.4)",
        each("valid", ["rfc9112_target_absolute_https_01"]),
    ),
    (
        "userinfo in a target should be treated as an error (RFC 9110 section 4.2.4)",
        each("valid", ["rfc9112_target_absolute_userinfo_01"]),
    ),
    (
        "lictor is no proxy: CONNECT is refused (design section 3)",
        each(
            "valid",
            ["rfc9112_target_authority_connect_01", "rfc9112_target_authority_ipv6_01"],
            "0 answered, then refused 501",
        ),
    ),
    (
        "the PROXY protocol is not HTTP; gunicorn has an option for it",
        each("valid", ["pp_01", "pp_02", "pp_04", "pp_05"]),
    ),
    (
        "a body shorter than its Content-Length is incomplete (RFC 9112 section 8): lictor waits for the rest",
        each("valid", ["099"], "0 answered, then closed"),
    ),
    (
        "the limits on a head are 16 KiB, 64 fields and an 8 KiB target, independent of gunicorn's settings (design section 3)",
        {
            **each("valid", ["024"], "0 answered, then refused 431"),
            **each("invalid", ["010", "011", "012", "017"], ANSWERED),
            **each("invalid", ["006", "007", "008", "limit_header_default_01"], ANSWERED_HTTP10),
        },
    ),
    (
        "any token is a method (RFC 9110 section 9.1) and answers 404 or 405",
        each("invalid", ["003c"], ANSWERED),
    ),
    (
        "a field name may have an underscore (RFC 9110 section 5.1), and lictor makes no variables of field names",
        {
            **each("invalid", ["chunked_07"], ANSWERED),
            **each("invalid", ["040"], ANSWERED_HTTP10),
        },
    ),
    (
        "lictor does not check fields that it does not use: X-Forwarded-Proto, X-Forwarded-Ssl, Content-Type",
        each("invalid", ["019", "041"], ANSWERED),
    ),
    (
        "the fields of a trailer are discarded (RFC 9112 section 7.1.2), with any name",
        each(
            "invalid",
            [
                "rfc9110_trailer_forbidden_cl_01",
                "rfc9110_trailer_forbidden_host_01",
                "rfc9110_trailer_forbidden_te_01",
            ],
            ANSWERED,
        ),
    ),
]

LLHTTP = [
    (
        "refused, although llhttp has a lenient option for it: a folded line (RFC 9112 section 5.2)",
        {
            **each(
                "connection",
                ["Multiple tokens with folding", "Multiple tokens with folding, LWS, and CRLF"],
            ),
            **each("invalid", ["Spaces before headers (lenient)"]),
            **each("sample", ["Line folding in header value with CRLF", "X-SSL-Nonsense"]),
        },
    ),
    (
        "refused, although llhttp has a lenient option for it: a space before the colon (RFC 9112 section 5.1)",
        {
            **each("connection", ["Invalid whitespace token with `Connection` header field (lenient)"]),
            **each("content-length", ["Invalid whitespace token with `Content-Length` header field (lenient)"]),
        },
    ),
    (
        "refused, although llhttp has a lenient option for it: a bare CR or LF (RFC 9112 section 2.2; design section 3)",
        {
            **each("content-length", ["Missing CRLF-CRLF before body (lenient)"]),
            **each("invalid", ["Headers separated by dummy characters (lenient)", "Only LFs present (lenient)"]),
            **each("lenient-headers", ["Empty headers separated by CR (lenient)"]),
            **each("sample", ["No LF after CR (lenient)"]),
            **each("transfer-encoding", ["Chunk header not terminated by CRLF (lenient)"]),
        },
    ),
    (
        "refused, although llhttp has a lenient option for it: a control character in a value (RFC 9110 section 5.5)",
        {
            **each("lenient-header-value-relaxed", ["Control char in header value (relaxed)"]),
            **each("lenient-headers", ["Header value (lenient)"]),
            **each("lenient-headers", ["Second request header value (lenient)"], "1 answered, then refused 400"),
        },
    ),
    (
        "refused, although llhttp has a lenient option for it: a body that two readers could end in two places (RFC 9112 sections 6.3 and 7.1)",
        {
            **each(
                "content-length",
                ["No error on simultaneous `Content-Length` and `Transfer-Encoding: identity` (lenient)"],
            ),
            **each(
                "transfer-encoding",
                [
                    "POST with `Transfer-Encoding` and `Content-Length` (lenient)",
                    "POST with `chunked` before other transfer-coding (lenient)",
                    "POST with `chunked` and duplicate transfer-encoding (lenient)",
                    "Chunk data not terminated by CRLF (lenient)",
                    "Space after chunk header (lenient)",
                ],
            ),
        },
    ),
    (
        "refused, although llhttp has a lenient option for it: a version other than HTTP/1.0 and HTTP/1.1 (RFC 9110 section 15.6.6)",
        each("lenient-version", ["Invalid HTTP version (lenient)"], "0 answered, then refused 505"),
    ),
    (
        "refused, although llhttp has a lenient option for it: a request with a Content-Length whose body llhttp was told to skip (RFC 9112 section 6.3)",
        each("content-length", ["Content-Length reset when no body is received"], "1 answered, then refused 400"),
    ),
    (
        "only `chunked` is accepted: a server need not support other codings (RFC 9112 section 6.1; design section 3)",
        each(
            "transfer-encoding",
            [
                "POST with `chunked` as last transfer-encoding",
                "POST with `chunked` as last transfer-encoding (multiple headers)",
            ],
        ),
    ),
    (
        "lictor is no proxy: CONNECT is refused (design section 3)",
        {
            **each(
                "method",
                ["CONNECT request", "CONNECT request with CAPS", "CONNECT with body"],
                "0 answered, then refused 501",
            ),
            **each("uri", ["Underscore in hostname"], "0 answered, then refused 501"),
        },
    ),
    (
        "a request line without a version is HTTP/0.9, which is not supported (RFC 9112 section 3)",
        each("sample", ["No HTTP version"]),
    ),
    (
        "ICE and RTSP are other protocols",
        each(
            "method",
            ["SOURCE request with ICE", "OPTIONS request with RTSP", "ANNOUNCE request with RTSP"],
        ),
    ),
    (
        "`*` is a target for OPTIONS only (RFC 9112 section 3.2.4)",
        each("method", ["M-SEARCH request"]),
    ),
    (
        "a request target has no fragment (RFC 9112 section 3.2)",
        each("uri", ["Fragment in URI"]),
    ),
    (
        "userinfo in a target should be treated as an error (RFC 9110 section 4.2.4)",
        each("uri", ["`host:port` and basic auth"]),
    ),
    (
        "any token is a method (RFC 9110 section 9.1) and answers 404 or 405",
        {
            **each("invalid", ["HTTP protocol and ANNOUNCE method"], ANSWERED_HTTP10),
            **each("invalid", ["Invalid method"], ANSWERED),
        },
    ),
]

REDBOT = [
    (
        "it never changes, so a cache may keep it for any time (RFC 9111 section 4.2.2)",
        {"GET /api/": "FRESHNESS_HEURISTIC"},
    ),
    (
        "it is requested anew each time, and shorter than an entity tag",
        {"GET /api/config": "FRESHNESS_NO_CACHE_NO_VALIDATOR"},
    ),
]

HTTPLINT = [
    (
        "it never changes, so a cache may keep it for any time (RFC 9111 section 4.2.2)",
        {
            "GET /api/: 200 Hello": "FRESHNESS_HEURISTIC",
            "HEAD /api/: 200 without body": "FRESHNESS_HEURISTIC",
        },
    ),
]


def table(reasons):
    return {name: (reason, outcome) for reason, rows in reasons for name, outcome in rows.items()}


DIFFERENCES = {
    "gunicorn": table(GUNICORN),
    "llhttp": table(LLHTTP),
    "REDbot": table(REDBOT),
    "httplint": table(HTTPLINT),
}
