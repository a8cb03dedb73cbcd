use std::io::Read;

use super::*;

/// The lines, as LINE:TEXT; with a dollar if the last one has no line end.
fn lines(text: &[u8]) -> Vec<String> {
    let mut reader = JsonLines::new(Input::new(text));
    let mut found = Vec::new();
    loop {
        found.push(match reader.read() {
            Ok(Next::Line(line, ended)) => {
                let text = String::from_utf8_lossy(reader.text());
                format!("{line}:{text}{}", if ended { "" } else { "$" })
            }
            Ok(Next::Long(line)) => format!("{line}!"),
            Ok(Next::End) => return found,
            Err(broken) => format!("{broken:?}"),
        });
        if found.len() > 10 {
            return found;
        }
    }
}

#[test]
fn lines_have_limits() {
    let long = "x".repeat(MAX_LINE + 1);
    for (text, expected) in [
        (String::new(), vec![]),
        ("\n \r\n\t\n".into(), vec![]),
        ("a\nb\n".into(), vec!["1:a", "2:b"]),
        ("a\r\n\r\n\nb".into(), vec!["1:a\r", "4:b$"]),
        (format!("{long}\na\n"), vec!["1!", "2:a"]),
        (format!("{}\na", &long[1..]), vec![]),
    ] {
        let found = lines(text.as_bytes());
        if !text.starts_with(&long[1..]) || text.starts_with(&long) {
            assert_eq!(found, expected, "{text:.20?}");
        } else {
            assert_eq!(found.len(), 2);
        }
    }
    let mut reader = JsonLines::new(Input::new(long.as_bytes()));
    assert!(matches!(reader.read(), Err(Broken::Ends(1))));
}

#[test]
fn a_line_can_be_read_again() {
    let mut reader = JsonLines::new(Input::new(&b"a\nb\n"[..]));
    assert_eq!(reader.read().unwrap(), Next::Line(1, true));
    reader.unread();
    assert_eq!(reader.read().unwrap(), Next::Line(1, true));
    assert_eq!(reader.text(), b"a");
    assert_eq!(reader.read().unwrap(), Next::Line(2, true));
    assert_eq!(reader.read().unwrap(), Next::End);
    reader.unread();
    assert_eq!(reader.read().unwrap(), Next::End);
}

/// Bytes of a line that is much too long; a gigabyte in a build that is fast.
const GREAT: u64 = if cfg!(debug_assertions) { 1 << 22 } else { 1 << 30 };

#[test]
fn a_line_without_end_takes_no_memory() {
    let text = std::io::repeat(b'{').take(GREAT).chain(&b"\n{}\n"[..]);
    let mut reader = JsonLines::new(Input::new(text));
    assert_eq!(reader.read().unwrap(), Next::Long(1));
    assert!(reader.text.capacity() <= 2 * MAX_LINE, "{}", reader.text.capacity());
    assert_eq!(reader.read().unwrap(), Next::Line(2, true));
}

/// The fields a and b of a line, or why it cannot be read.
fn read(line: &[u8]) -> String {
    let show = |field: &Field| match field.cell() {
        Cell::Null => "-".to_owned(),
        Cell::Text(text) => format!("{text:?}"),
        Cell::Unreadable(why) => format!("!{why}"),
    };
    match text(line).and_then(|text| fields(text, &["a", "b", "a"])) {
        Ok(found) => {
            assert_eq!(found[0], found[2]);
            format!("{} {}", show(&found[0]), show(&found[1]))
        }
        Err(Bad::Ends) => "ends".into(),
        Err(Bad::Wrong(why)) => why,
    }
}

#[test]
fn objects() {
    let deep =
        |levels: usize| format!("{{\"a\":{}\"\"{}}}", "[".repeat(levels), "]".repeat(levels));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(65_537));
    let many: Vec<String> = (0..1_001).map(|number| format!("\"k{number}\":1")).collect();
    let many = format!("{{{}}}", many.join(","));
    for (line, expected) in [
        (&br#"{}"#[..], "- -"),
        (br#"{"a":"x","b":null}"#, "\"x\" -"),
        (b" { \"b\" : \"x\" }\r", "- \"x\""),
        (br#"{"a":1,"b":true}"#, "\"1\" \"true\""),
        (
            br#"{"a":-9223372036854775808,"b":18446744073709551615}"#,
            "\"-9223372036854775808\" \"18446744073709551615\"",
        ),
        // No id: such a number is no whole one any more.
        (br#"{"a":1.0,"b":18446744073709551616}"#, "\"1.0\" \"1.8446744073709552e+19\""),
        (br#"{"a":1764432000.25,"b":false}"#, "\"1764432000.25\" \"false\""),
        (br#"{"a":["x","y,\"z"],"b":[]}"#, "\"[\\\"x\\\",\\\"y,\\\\\\\"z\\\"]\" \"[]\""),
        (br#"{"a":["x",1],"b":{"c":1}}"#, "!a list of other values than texts !an object"),
        (br#"{"a":[["x"]]}"#, "!a list of other values than texts -"),
        (br#"{"A":"x"}"#, "- -"),
        (br#"{"\u0061":"\u00e9\ud83d\ude00"}"#, "\"\u{e9}\u{1f600}\" -"),
        (br#"{"a":"x\u0000y"}"#, "!holds a NUL -"),
        (long.as_bytes(), "!longer than 64 KiB -"),
        (br#"{"a":"x","a":"y"}"#, "a key is there twice"),
        (br#"{"a":"x","\u0061":"y"}"#, "a key is there twice"),
        (br#"{"x":1,"x":1}"#, "a key is there twice"),
        (many.as_bytes(), "more than 1,000 keys"),
        (br#"["a"]"#, "not a JSON object"),
        (br#""secret""#, "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"\xef\xbb\xbf{}", "not a JSON object"),
        (br#"{"a":"x"}{"a":"y"}"#, "not valid JSON at column 10"),
        (br#"{"a":"x"},"#, "not valid JSON at column 10"),
        (br#"{"a":NaN}"#, "not valid JSON at column 6"),
        (br#"{"a":1e999}"#, "not valid JSON at column 10"),
        (br#"{'a':1}"#, "not valid JSON at column 2"),
        (br#"{"a":"\ud800"}"#, "not valid JSON at column 13"),
        (b"{\"a\":\"x\ty\"}", "not valid JSON at column 8"),
        (b"{\"a\":\"x\0y\"}", "not valid JSON at column 8"),
        (b"{\"a\":\"\xff\"}", "not UTF-8"),
        (b"{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"),
        (deep(126).as_bytes(), "!a list of other values than texts -"),
        (deep(128).as_bytes(), "not valid JSON at column 132"),
        (deep(100_000).as_bytes(), "not valid JSON at column 132"),
        (br#"{"a":"x""#, "ends"),
        (br#"{"a":"x"#, "ends"),
        (br#"{"a":tr"#, "ends"),
        (b"{", "ends"),
        (b"{\"a\":\"\xc3", "ends"),
    ] {
        assert_eq!(read(line), expected, "{:.60}", String::from_utf8_lossy(line));
    }
}

#[test]
fn keys_in_their_order() {
    assert_eq!(keys(r#"{"b":1,"a":{"x":2}}"#).unwrap(), ["b", "a"]);
    assert_eq!(keys("[1]"), Err(Bad::Wrong("not a JSON object".into())));
}
