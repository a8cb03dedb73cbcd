use super::*;

/// Hands out a few bytes at a time.
struct Cut<'a>(&'a [u8], usize);

impl Read for Cut<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// The records as text: fields between bars, `LINE!WHY` for a bad one, and at last what broke.
fn read_cut(text: &[u8], size: usize) -> Vec<String> {
    let mut reader = Csv::new(Input::new(Cut(text, size)));
    let mut found = Vec::new();
    loop {
        let fields = |reader: &Csv<_>, line: u64, end: &str| {
            let fields = (0..reader.len()).map(|at| String::from_utf8_lossy(reader.field(at)));
            format!("{line}:{}{end}", fields.collect::<Vec<_>>().join("|"))
        };
        found.push(match reader.read() {
            Ok(Next::Record(line)) => fields(&reader, line, ""),
            Ok(Next::Last(line)) => fields(&reader, line, "$"),
            Ok(Next::Bad(line, why)) => format!("{line}!{why}"),
            Ok(Next::End) => {
                assert_eq!(reader.used(), text.len() as u64);
                return found;
            }
            Err(broken) => {
                found.push(format!("{broken:?}"));
                return found;
            }
        });
    }
}

#[track_caller]
fn check(text: impl AsRef<[u8]>, expected: &[&str]) {
    let text = text.as_ref();
    for size in [1, 2, 3, 5, usize::MAX] {
        assert_eq!(read_cut(text, size), expected, "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn records() {
    check("", &[]);
    check("\n\r\n\n", &[]);
    check("a,b\nc,d\n", &["1:a|b", "2:c|d"]);
    check("a,b\r\nc,d\r\n", &["1:a|b", "2:c|d"]);
    check("a,b\r\nc,d", &["1:a|b", "2:c|d$"]);
    check("a,b\r\nc,d\r", &["1:a|b", "2:c|d$"]);
    check("a,\n,b\n,\n", &["1:a|", "2:|b", "3:|"]);
    check("a,", &["1:a|$"]);
    check(",", &["1:|$"]);
    check("a\n\n\r\nb\n", &["1:a", "4:b"]);
    check(" a , b \n", &["1: a | b "]);
    check("\u{e9},\u{1f600}\n", &["1:\u{e9}|\u{1f600}"]);
    check(b"a\0,\xff\n", &["1:a\0|\u{fffd}"]);
}

#[test]
fn quotes() {
    check("\"a\",\"b\"\n", &["1:a|b"]);
    check("\"\"\n", &["1:"]);
    check("\"\"", &["1:$"]);
    check("\"\",\"\"\"\"\r\n", &["1:|\""]);
    check("\"a,b\",c\n", &["1:a,b|c"]);
    check("\"a\"\"b\"\n", &["1:a\"b"]);
    check("\"a\nb\r\nc\",d\ne\n", &["1:a\nb\r\nc|d", "4:e"]);
    check("\"a\"\r\n\"b\"\r", &["1:a", "2:b$"]);
    check("\"\"\"\"\"\"\n", &["1:\"\""]);
    check("a\"b,c\nd\n", &["1!a quote in a field that does not begin with one", "2:d"]);
    check(" \"a\"\n", &["1!a quote in a field that does not begin with one"]);
}

#[test]
fn what_cannot_be_told_apart_is_an_error() {
    let broken = |text: &str, expected: &str| {
        for size in [1, 3, usize::MAX] {
            let found = read_cut(text.as_bytes(), size);
            assert_eq!(found.last().map(String::as_str), Some(expected), "{text:?}");
        }
    };
    broken("\"", "OpenQuote(1)");
    broken("a\n\"b\nc", "OpenQuote(2)");
    broken("a,\"b\"\",c\n", "OpenQuote(1)");
    broken("\"a\"b\n", "StrayQuote(1)");
    broken("a\n\"b\nc\"d", "StrayQuote(3)");
    // Quotes that are escaped as MySQL does: what follows might be a row of an attacker.
    broken("5,\"a\\\"b\n1,admin\"\n", "StrayQuote(1)");
    broken("\"a\" ,b\n", "StrayQuote(1)");
    broken(&"\"".repeat(1_001), "OpenQuote(1)");
}

#[test]
fn line_ends() {
    check("a\rb\nc\n", &["1!a carriage return without a line feed", "2:c"]);
    check("a\r\r\nb\n", &["1!a carriage return without a line feed", "2:b"]);
    check("\r\ra\nb\n", &["1!a carriage return without a line feed", "2:b"]);
    check("\"a\"\r\"b\"\nc\n", &["1!a carriage return without a line feed", "2:c"]);
    check("\"a\rb\"\n", &["1:a\rb"]);
}

#[test]
fn limits() {
    let long = "x".repeat(MAX_RECORD + 1);
    check(&long[1..], &[&format!("1:{}$", &long[1..])]);
    check(format!("{long}\na\n"), &["1!longer than 256 KiB", "2:a"]);
    check(format!("\"{long}\n\n\"\na\n"), &["1!longer than 256 KiB", "4:a"]);
    check(format!("{}\na\n", "x,".repeat(MAX_RECORD)), &["1!more than 1,000 fields", "2:a"]);
    check(format!("{}\na\n", ",".repeat(999)), &[&format!("1:{}", "|".repeat(999)), "2:a"]);
    check(format!("{}\na\n", ",".repeat(1_000_000)), &["1!more than 1,000 fields", "2:a"]);
}

/// Makes bytes without end.
struct Endless {
    byte: u8,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..count].fill(self.byte);
        self.left -= count as u64;
        Ok(count)
    }
}

/// Bytes of a line that is much too long; a gigabyte in a build that is fast.
const GREAT: u64 = if cfg!(debug_assertions) { 1 << 22 } else { 1 << 30 };

#[test]
fn a_line_without_end_takes_no_memory() {
    for (byte, expected) in [
        (b'x', "Ok(Bad(1, \"longer than 256 KiB\"))"),
        (b',', "Ok(Bad(1, \"more than 1,000 fields\"))"),
        (b'"', "Err(OpenQuote(1))"),
        (b'\n', "Ok(End)"),
        (0, "Ok(Bad(1, \"longer than 256 KiB\"))"),
    ] {
        let text = Endless { byte, left: GREAT - 1 };
        let mut reader = Csv::new(Input::new(text));
        assert_eq!(format!("{:?}", reader.read()), expected);
        let kept = reader.record.bytes.capacity() + 8 * reader.record.ends.capacity();
        assert!(kept <= 2 * MAX_RECORD + 16 * MAX_FIELDS, "{kept}");
        assert_eq!(reader.used(), GREAT - 1);
    }
}

#[test]
fn what_the_system_cannot_read_is_an_error() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let mut reader = Csv::new(Input::new((&b"a,b\nc,"[..]).chain(Fails)));
    assert_eq!(reader.read().unwrap(), Next::Record(1));
    assert!(matches!(reader.read(), Err(Broken::Io(_))));
}
