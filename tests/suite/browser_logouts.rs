//! What ends browser sessions: logging out, a login that replaces their cookie, a replayed token, and
//! everything that ends any session.

use serde_json::json;

use crate::browser_sessions::{
    FOREIGN, Fields, HOST, NO_BEARER, SECURE, URL, ask, cookie, credentials, forgets, get, is,
    is_ended, jti, log_in, set_cookies, start,
};
use crate::support::{PASSWORD, now, payload, signed};

#[test]
fn an_old_token_gets_no_cookie_and_ends_its_session() {
    let server = start(&["--session-idle", "2h", "--access-lifespan", "1h", "--throttle", "off"]);
    let database = server.dir.sql();
    let post = |now: i64, jti: &str, age: i64| {
        let (iat, exp, rf_exp) = (now - age, now + 500, now + 2_592_000);
        let claims =
            json!({"iat": iat, "exp": exp, "jti": jti, "id": 1, "rls": "", "rf_exp": rf_exp});
        let bearer = format!("Bearer {}", signed(&claims));
        let fields = [("Authorization", bearer.as_str()), ("User-Agent", "firefox")];
        ask(&server, HOST, "POST", "/api/session", &fields, "")
    };
    let entries = |event: &str| {
        database.number(&format!("SELECT count(*) FROM audit WHERE event = '{event}'"))
    };
    // The session's newest token is as old as this, and the one before it is 600 s old.
    let begin = |newest: i64, agent: &str| {
        let jti =
            payload(&server.login("ada", PASSWORD).token())["jti"].as_str().unwrap().to_owned();
        // After the login, which may take long.
        let now = now();
        let sql = "UPDATE sessions SET created = $1, previous = $1, newest = $2,
                   refreshed_address = '127.0.0.1', refreshed_agent = $3 WHERE jti = $4";
        let changed = database.execute(sql, &[&(now - 600), &(now - newest), &agent, &&*jti]);
        assert_eq!(changed, 1);
        (now, jti)
    };
    for (what, newest, agent, age, good) in [
        ("the newest", 100, "another", 100, true),
        ("the one before, exchanged a moment ago", 5, "another", 600, true),
        ("the one before, exchanged long ago", 100, "another", 600, false),
        ("an older one", 5, "another", 700, false),
        ("an older one, from the program that has the newest", 100, "firefox", 700, true),
    ] {
        let (now, jti) = begin(newest, agent);
        let (given, replayed) = (entries("browser-session"), entries("refresh-replayed"));
        let reply = post(now, &jti, age);
        if good {
            let cookie = cookie(&reply);
            assert_eq!(get(&server, "/api/protected", &cookie).status(), 200, "{what}");
            assert_eq!(post(now, &jti, age).status(), 200, "{what}");
        } else {
            is(&reply, (403, "BlacklistedError"));
            assert_eq!(set_cookies(&reply), [], "{what}");
            is(&post(now, &jti, newest), (403, "BlacklistedError"));
        }
        // Once for each session.
        assert_eq!(entries("browser-session") - given, i64::from(good), "{what}");
        assert_eq!(entries("refresh-replayed") - replayed, i64::from(!good), "{what}");
    }
    assert!(server.log().contains("browser-session user=ada id=1 from=127.0.0.1"));
    assert!(server.log().contains("refresh-replayed user=ada id=1 from=127.0.0.1"));

    // A session that is idle stays so, its cookie too.
    let cookie = cookie(&log_in(&server));
    let now = now();
    let sql = "UPDATE sessions SET newest = $1, seen = $1 WHERE jti = $2";
    assert_eq!(database.execute(sql, &[&(now - 8_000), &jti(&cookie)]), 1);
    let reply = post(now, jti(&cookie), 8_000);
    is(&reply, (401, "ExpiredRefreshError"));
    assert_eq!(set_cookies(&reply), []);
    is_ended(&get(&server, "/api/protected", &cookie));
}

#[test]
fn only_a_page_of_this_server_logs_its_browser_out() {
    let server = start(&["--throttle", "off"]);
    let delete = |fields: Fields<'_>| ask(&server, HOST, "DELETE", "/api/session", fields, "");
    let cookie = cookie(&log_in(&server));
    let with_cookie = ("Cookie", cookie.as_str());
    for fields in [
        &[with_cookie][..],
        &[with_cookie, ("Origin", "https://evil.example")],
        &[with_cookie, ("Origin", "https://wiki.example.org")],
        &[with_cookie, ("Origin", "null")],
        &[with_cookie, ("Origin", URL), ("Origin", "https://evil.example")],
        &[with_cookie, ("Sec-Fetch-Site", "same-site")],
        &[with_cookie, ("Sec-Fetch-Site", "none")],
        &[with_cookie, ("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
        &[("Cookie", "__Host-lictor=x")],
    ] {
        let reply = delete(fields);
        is(&reply, FOREIGN);
        assert!(!forgets(&reply), "{fields:?}");
    }
    assert_eq!(get(&server, "/api/protected", &cookie).status(), 200);
    let audit = server.dir.sql();
    let logouts = || audit.number("SELECT count(*) FROM audit WHERE event = 'logout'");
    // Logging out twice is no error, and is one entry.
    for _ in 0..2 {
        let reply = delete(&[with_cookie, ("Origin", URL)]);
        assert!(reply.status() == 200 && forgets(&reply), "{reply:?}");
        assert_eq!(logouts(), 1);
    }
    is_ended(&get(&server, "/api/protected", &cookie));
    let again = crate::browser_sessions::cookie(&log_in(&server));
    let reply = delete(&[("Cookie", &again), ("Sec-Fetch-Site", "same-origin")]);
    assert!(reply.status() == 200 && forgets(&reply), "{reply:?}");
    is_ended(&get(&server, "/api/protected", &again));
    // Without a cookie there is nothing to end, or to protect.
    let reply = delete(&[]);
    assert!(reply.status() == 200 && !forgets(&reply), "{reply:?}");
    // A token needs no origin.
    let token = server.login("ada", PASSWORD).token();
    let bearer = format!("Bearer {token}");
    assert_eq!(delete(&[("Authorization", &bearer)]).status(), 200);
    is(&server.protected(&token), (403, "BlacklistedError"));
    is(&delete(&[("Authorization", &bearer)]), (403, "BlacklistedError"));
}

#[test]
fn a_page_that_logs_out_ends_the_sessions_of_its_token_and_of_its_cookie() {
    let server = start(&["--throttle", "off"]);
    let delete = |fields: Fields<'_>| ask(&server, HOST, "DELETE", "/api/session", fields, "");
    let origin = ("Origin", URL);
    let bearer = || {
        let token = server.login("ada", PASSWORD).token();
        (format!("Bearer {token}"), token)
    };
    let database = server.dir.sql();
    let end = |jti: &str| {
        assert_eq!(database.execute("UPDATE sessions SET ended = 1 WHERE jti = $1", &[&jti]), 1);
    };
    let logouts = || database.number("SELECT count(*) FROM audit WHERE event = 'logout'");

    let (cookie, (header, token)) = (crate::browser_sessions::cookie(&log_in(&server)), bearer());
    let both = [("Authorization", header.as_str()), ("Cookie", &cookie)];
    // A page of another origin, or a program, ends the session of its token alone.
    let (other, of_other) = bearer();
    let reply = delete(&[("Authorization", &other), ("Cookie", &cookie)]);
    assert!(reply.status() == 200 && !forgets(&reply), "{reply:?}");
    is(&server.protected(&of_other), (403, "BlacklistedError"));
    assert_eq!(get(&server, "/api/protected", &cookie).status(), 200);
    let reply = delete(&[&both[..], &[origin]].concat());
    assert!(reply.status() == 200 && forgets(&reply), "{reply:?}");
    is_ended(&get(&server, "/api/protected", &cookie));
    is(&server.protected(&token), (403, "BlacklistedError"));
    assert_eq!(logouts(), 3);

    // A token that is no good does not keep a browser logged in.
    let (ended, of_ended) = bearer();
    end(payload(&of_ended)["jti"].as_str().unwrap());
    for bad in [&*ended, "Bearer x", "Bearer a.b.c", "Basic eDp5", "Bearer lap_x", ""] {
        let cookie = crate::browser_sessions::cookie(&log_in(&server));
        let fields = [("Authorization", bad), ("Cookie", &cookie)];
        let reply = delete(&fields);
        assert!([401, 403].contains(&reply.status()) && !forgets(&reply), "{reply:?}");
        assert_eq!(get(&server, "/api/protected", &cookie).status(), 200);
        let reply = delete(&[&fields[..], &[origin]].concat());
        assert!(reply.status() == 200 && forgets(&reply), "{bad}: {reply:?}");
        is_ended(&get(&server, "/api/protected", &cookie));
    }
    // Of several cookies nobody knows which is the browser's own.
    let [one, two] = [(); 2].map(|()| crate::browser_sessions::cookie(&log_in(&server)));
    let reply = delete(&[("Cookie", &format!("{one}; {SECURE}=x; {two}")), origin]);
    assert!(reply.status() == 200 && forgets(&reply), "{reply:?}");
    for cookie in [&one, &two] {
        is_ended(&get(&server, "/api/protected", cookie));
    }
}

#[test]
fn a_login_ends_the_session_whose_cookie_it_replaces() {
    let server = start(&["--throttle", "off"]);
    server.add("bob");
    let post = |path: &str, body: &str, fields: Fields<'_>| {
        let reply = ask(&server, HOST, "POST", path, fields, body);
        assert_eq!(reply.status(), 200, "{reply:?}");
        reply
    };
    let origin = ("Origin", URL);
    let bob = credentials("bob").to_string();
    let token_and_cookie =
        json!({"username": "bob", "password": PASSWORD, "cookie": true}).to_string();
    let bearer = format!("Bearer {}", server.login("bob", PASSWORD).token());
    let with_token = ("Authorization", bearer.as_str());
    for (path, body, fields) in [
        ("/api/session", bob.as_str(), &[origin][..]),
        ("/api/session", &bob, &[("Sec-Fetch-Site", "same-origin")]),
        ("/api/login", &token_and_cookie, &[origin]),
        ("/api/session", "", &[origin, with_token]),
    ] {
        let old = cookie(&log_in(&server));
        let new = cookie(&post(path, body, &[fields, &[("Cookie", &old)]].concat()));
        is_ended(&get(&server, "/api/protected", &old));
        assert_eq!(get(&server, "/api/me", &new).json()["username"], "bob");
        // Its own cookie once more is no other session.
        let again = [origin, with_token, ("Cookie", &new)];
        if fields.contains(&with_token) {
            post(path, "", &again);
            assert_eq!(get(&server, "/api/protected", &new).status(), 200);
        }
    }
    // A failed login ends nothing, nor one that asks for no cookie, nor a program's.
    let old = cookie(&log_in(&server));
    let with_old = ("Cookie", old.as_str());
    let wrong = json!({"username": "bob", "password": "nine wooden lanterns"}).to_string();
    let reply = ask(&server, HOST, "POST", "/api/session", &[origin, with_old], &wrong);
    is(&reply, (401, "AuthenticationError"));
    post("/api/login", &bob, &[origin, with_old]);
    post("/api/session", &bob, &[with_old]);
    assert_eq!(get(&server, "/api/protected", &old).status(), 200);
}

#[test]
fn a_cookie_whose_session_is_over_is_401_and_forgotten() {
    let server = start(&["--session-idle", "2h", "--access-lifespan", "1h", "--throttle", "off"]);
    let database = server.dir.sql();
    for (what, sql) in [
        ("ended", "UPDATE sessions SET ended = 1 WHERE jti = $1"),
        ("expired", "UPDATE sessions SET expires = 1700000000 WHERE jti = $1"),
        ("idle", "UPDATE sessions SET newest = 1700000000, seen = 1700000000 WHERE jti = $1"),
        ("without a cookie", "UPDATE sessions SET seen = NULL WHERE jti = $1"),
        ("gone", "DELETE FROM sessions WHERE jti = $1"),
    ] {
        let cookie = cookie(&log_in(&server));
        assert_eq!(get(&server, "/api/protected", &cookie).status(), 200, "{what}");
        assert_eq!(database.execute(sql, &[&jti(&cookie)]), 1, "{what}");
        for path in ["/api/protected", "/api/me", "/api/sessions"] {
            is_ended(&get(&server, path, &cookie));
        }
    }
    // Used by its token or by its cookie, it goes on.
    for used in ["newest", "seen"] {
        let cookie = cookie(&log_in(&server));
        let sql = format!("UPDATE sessions SET newest = $1, seen = $1, {used} = $2 WHERE jti = $3")
            .replace(&format!("{used} = $1, "), "");
        let (long_ago, recently) = (now() - 8_000, now() - 5_000);
        assert_eq!(database.execute(&sql, &[&long_ago, &recently, &jti(&cookie)]), 1);
        assert_eq!(get(&server, "/api/protected", &cookie).status(), 200, "{used}");
        let listed = get(&server, "/api/sessions", &cookie).json();
        let listed = listed["sessions"].as_array().unwrap().iter();
        assert!(listed.into_iter().any(|session| session["id"] == jti(&cookie)), "{used}");
    }
    let cookie = cookie(&log_in(&server));
    assert_eq!(server.user(&["deactivate", "ada"], "").0, 0);
    is_ended(&get(&server, "/api/protected", &cookie));
    assert_eq!(server.user(&["delete", "ada", "--yes"], "").0, 0);
    is_ended(&get(&server, "/api/protected", &cookie));
    // Without any cookie it is as before.
    let reply = ask(&server, HOST, "GET", "/api/protected", &[], "");
    is(&reply, NO_BEARER);
    assert!(!forgets(&reply));
}
