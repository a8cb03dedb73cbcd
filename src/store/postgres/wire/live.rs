//! Tests with a real server; they run if LICTOR_TEST_POSTGRES is set.

use super::*;

fn target() -> Option<Target> {
    Some(Target::parse(&std::env::var("LICTOR_TEST_POSTGRES").ok()?).unwrap())
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn open() -> Option<Connection> {
    let target = target()?;
    Some(Connection::open(&target, &target.hosts[0], soon()).unwrap())
}

#[test]
fn values_come_back_as_they_were() {
    let Some(mut connection) = open() else { return };
    const SQL: &str = "SELECT $1::bigint, $2::text, $3::boolean, $4::bytea, $5::text = ANY ($6::text[]), NULL::text";
    for number in [0, 1, -1, i64::MAX, i64::MIN] {
        let values = [
            Value::Integer(number),
            Value::Text("a\0b\u{1F600}'\\"),
            Value::Boolean(true),
            Value::Blob(b"\0\xff'\\"),
            Value::Text("two"),
            Value::Texts(&["one", "two"]),
        ];
        let batch = [Statement { sql: SQL, values: &values }];
        let mut rows = 0;
        let counts = connection
            .run(&batch, soon(), &mut |_, row| {
                rows += 1;
                assert_eq!(row.integer(0)?, Some(number));
                assert_eq!(row.text(1)?, Some("a\u{FFFD}b\u{1F600}'\\"));
                assert!(row.boolean(2)?);
                assert_eq!(row.blob(3)?, Some(&b"\0\xff'\\"[..]));
                assert!(row.boolean(4)?);
                assert_eq!(row.text(5)?, None);
                assert!(row.text(0).is_err());
                Ok(())
            })
            .unwrap();
        assert_eq!((rows, counts), (1, vec![1]));
    }
}
