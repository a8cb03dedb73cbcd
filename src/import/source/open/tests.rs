use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use super::*;
use crate::store::source::Cell;

/// A folder of this test, which is deleted at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("lictor-source-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(text: &str, format: Option<Format>) -> Result<Source, Problem> {
    Source::of("x".into(), None, Box::new(Cursor::new(text.as_bytes().to_vec())), format)
}

/// The rows as text, and the problem that ended them.
fn rows(source: &mut Source, columns: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let read = source.rows(columns, None, &mut |position, cells| {
        let cells = match cells {
            Ok(cells) => cells
                .iter()
                .map(|cell| match cell {
                    Cell::Null => "-",
                    Cell::Text(text) => text,
                    Cell::Unreadable(why) => why,
                })
                .collect::<Vec<_>>()
                .join("|"),
            Err(why) => format!("!{why}"),
        };
        found.push(format!("{position}: {cells}"));
        Ok(())
    });
    match read {
        Ok(count) => assert_eq!(count, found.len() as u64),
        Err(problem) => found.push(problem.what),
    }
    found
}

#[track_caller]
fn check(text: &str, columns: &[&str], expected: &[&str]) {
    assert_eq!(rows(&mut open(text, None).unwrap(), columns), expected, "{text:?}");
}

#[test]
fn csv() {
    check(
        "\u{feff}id,username,\r\n1,ada,\r\n\r\n2,\"a\nb\",x\r\n3,c,\r\n",
        &["username", "id", "id"],
        &["row 1 (line 2): ada|1|1", "row 2 (line 4): a\nb|2|2", "row 3 (line 6): c|3|3"],
    );
    check("a,b\n", &["a"], &[]);
    check(
        "a,b\n1\n1,2,3\n\n1,2\n1,\"2\"x",
        &["b"],
        &[
            "row 1 (line 2): !1 field instead of 2",
            "row 2 (line 3): !3 fields instead of 2",
            "row 3 (line 5): 2",
            "x: text follows a closing quote in row 4 (line 6)",
        ],
    );
    check("a,b\n1,2\n3", &["a"], &["row 1 (line 2): 1", "x ends in the middle of row 2 (line 3)"]);
    check("a,b\n1,2\n3,4", &["a"], &["row 1 (line 2): 1", "row 2 (line 3): 3"]);
    check(
        "a,b\n1,\"2\n3,4\n",
        &["a"],
        &["x ends inside quotes that were opened in row 1 (line 2)"],
    );
    check("a,b\n1,2\n", &["A"], &["x has no column A"]);
    check("a,b\n1\x003,2\n", &["a", "b"], &["row 1 (line 2): holds a NUL|2"]);
    let long = "x".repeat(65_537);
    check(&format!("a,b\n{long},2\n"), &["a", "b"], &["row 1 (line 2): longer than 64 KiB|2"]);
    let long = "x".repeat(300_000);
    check(
        &format!("a,b\n{long},2\n1,2\n"),
        &["a"],
        &["row 1 (line 2): !longer than 256 KiB", "row 2 (line 3): 1"],
    );
}

#[test]
fn headers() {
    let million = vec!["c"; 1_000_000].join(",");
    let long = "x".repeat(257);
    for (text, expected) in [
        ("a,b,a\n", "the header of x has a name twice"),
        (&million, "the header of x cannot be read: more than 1,000 fields"),
        (&long, "the header of x has a name of more than 256 bytes"),
        ("id;username\n1;ada\n", "the header of x has no comma"),
        ("id\tusername\n", "the header of x has no comma"),
        ("\"a", "x ends inside quotes that were opened in the first row (line 1)"),
        ("\"a\"b", "x: text follows a closing quote in the first row (line 1)"),
        ("a\rb\rc", "the header of x cannot be read: a carriage return"),
        ("", "x is empty"),
    ] {
        let Err(problem) = open(text, None) else { panic!("{text:.30}") };
        assert!(problem.what.starts_with(expected), "{problem}");
    }
    let thousand: Vec<String> = (0..1_000).map(|number| format!("c{number}")).collect();
    let source = open(&thousand.join(","), None).unwrap();
    assert_eq!(source.columns().unwrap(), thousand);
    // What spreadsheets write.
    assert_eq!(open("a,,\n", None).unwrap().columns().unwrap(), ["a", "", ""]);
}

#[test]
fn json_lines() {
    let mut source = open("\u{feff}{\"a\":1,\"b\":\"x\"}\n\n[]\n{\"b\":[\"y\"]}", None).unwrap();
    assert_eq!(source.format(), Format::JsonLines);
    assert_eq!(source.columns().unwrap(), ["a", "b"]);
    let mut raw = Vec::new();
    source
        .rows(&[], None, &mut |position, _| {
            raw.push(position.raw.unwrap().to_owned());
            Ok(())
        })
        .unwrap();
    assert_eq!(raw, ["{\"a\":1,\"b\":\"x\"}", "[]", "{\"b\":[\"y\"]}"]);
    check(
        "{\"a\":1,\"b\":\"x\"}\n\n[]\n{\"b\":[\"y\"]}",
        &["b", "a"],
        &["row 1 (line 1): x|1", "row 2 (line 3): !not a JSON object", "row 3 (line 4): [\"y\"]|-"],
    );
    check(
        "{\"a\":1}\n{\"a\":",
        &["a"],
        &["row 1 (line 1): 1", "x ends in the middle of row 2 (line 2)"],
    );
    check(
        "{\"a\":\n{\"a\":2}\n",
        &["a"],
        &["row 1 (line 1): !the object does not end on its line", "row 2 (line 2): 2"],
    );
    // A first row that cannot be read is told with the others.
    let mut source = open("{nonsense\n{\"a\":2}\n", None).unwrap();
    assert_eq!(source.columns(), None);
    assert_eq!(
        rows(&mut source, &["a"]),
        ["row 1 (line 1): !not valid JSON at column 2", "row 2 (line 2): 2"]
    );
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(300_000));
    check(
        &format!("{long}\n{{\"a\":2}}"),
        &["a"],
        &["row 1 (line 1): !longer than 256 KiB", "row 2 (line 2): 2"],
    );
    check(
        &format!("{{\"a\":2}}\n{long}"),
        &["a"],
        &["row 1 (line 1): 2", "x ends in the middle of row 2 (line 2)"],
    );
}

#[test]
fn bytes_are_counted() {
    let folder = Folder::new("bytes");
    let path = folder.write("users.csv", "a\n1\n22\n");
    let mut source = Source::open(&path, None).unwrap();
    assert_eq!((source.size(), source.describe()), (Some(7), path.clone()));
    let mut read = Vec::new();
    let mut add = |position: Position<'_>, _: Result<&[Cell<'_>], &str>| {
        read.push(position.read);
        Ok(())
    };
    source.rows(&[], None, &mut add).unwrap();
    assert_eq!(read, [4, 7]);
    let again = source.rows(&["a"], None, &mut |_, _| Ok(())).unwrap_err();
    assert!(again.next.contains("read once"), "{again}");
    assert_eq!((source.format(), source.choose("a")), (Format::Csv, Ok(false)));
}

#[test]
fn a_problem_of_the_reader_ends_it() {
    let mut count = 0;
    let stopped = open("a\n1\n2\n3\n", None).unwrap().rows(&["a"], None, &mut |_, _| {
        count += 1;
        Err(Problem::new("enough", "stop"))
    });
    assert_eq!((stopped.unwrap_err().what.as_str(), count), ("enough", 1));
}

#[test]
fn what_cannot_be_a_source_is_named() {
    let folder = Folder::new("names");
    let database = folder.0.join("lictor.db").to_str().unwrap().to_owned();
    drop(crate::store::Store::open(&Database::parse(&database).unwrap(), 1).unwrap());
    let no_database = format!("sqlite:///{}", folder.write("a.csv", "a\n"));
    for (name, expected) in [
        (folder.0.to_str().unwrap(), "is a directory"),
        (folder.0.join("none").to_str().unwrap(), "No such file"),
        ("", "the path of the database is empty"),
        ("mysql://root:secret@db/app", "(mysql:) of a kind that lictor does not open"),
        ("u:secret@h/x", "looks like a URL without its scheme"),
        (&database, "is lictor's own"),
        (&folder.write("a.gz", b"\x1f\x8b\x08\0"), "is compressed with gzip"),
        (&folder.write("cut.db", b"SQLite format 3\0\x10"), "is not an SQLite database"),
        (&folder.write("empty", b""), "is empty"),
        (&no_database, "is no SQLite database"),
    ] {
        let Err(problem) = Source::open(name, None) else { panic!("{name}") };
        assert!(problem.what.contains(expected), "{problem} instead of {expected}");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
    let piped =
        Source::of("standard input".into(), None, Box::new(&b"SQLite format 3\0"[..]), None);
    assert!(piped.is_err_and(|problem| problem.next.contains("path")));
}

#[test]
#[ignore = "measures"]
fn a_hundred_thousand_rows() {
    let hash = "$pbkdf2-sha512$25000$".to_owned() + &"x".repeat(110);
    let mut csv = String::from("id,username,password,roles,is_active,email,created_at\n");
    let mut json = String::new();
    for id in 1..=100_000 {
        csv +=
            &format!("{id},\"user {id}\",{hash},user,t,user{id}@example.com,2025-11-29 16:00:00\n");
        json += &format!(
            "{{\"id\":{id},\"username\":\"user {id}\",\"password\":\"{hash}\",\"roles\":[\"user\"],\
             \"is_active\":true,\"email\":\"user{id}@example.com\",\"created_at\":\"2025-11-29T16:00:00Z\"}}\n"
        );
    }
    for text in [csv, json] {
        let size = text.len();
        let mut source = open(&text, None).unwrap();
        let columns = source.columns().unwrap().to_vec();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let begun = Instant::now();
        let count = source.rows(&columns, None, &mut |_, cells| {
            cells.map(drop).map_err(|why| Problem::new(why, ""))
        });
        println!("{:?}: {count:?} rows, {size} bytes in {:?}", source.format(), begun.elapsed());
    }
}
