//! Tests with a real server; they run if LICTOR_TEST_POSTGRES is set.

use super::*;

fn target() -> Option<Target> {
    Some(Target::parse(&std::env::var("LICTOR_TEST_POSTGRES").ok()?).unwrap())
}

/// Much longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn soon() -> Instant {
    Instant::now() + PATIENCE
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

const SELECT: Statement<'_> = Statement { sql: "SELECT 1::bigint AS \"select\"", values: &[] };
const DIVIDE: Statement<'_> = Statement { sql: "SELECT 1 / 0", values: &[] };
const WRONG: Statement<'_> = Statement { sql: "SELECT nothing FROM nowhere", values: &[] };
const BEGIN: Statement<'_> = Statement { sql: "BEGIN", values: &[] };
const COMMIT: Statement<'_> = Statement { sql: "COMMIT", values: &[] };
const ROLLBACK: Statement<'_> = Statement { sql: "ROLLBACK", values: &[] };

fn ignore(_: usize, _: &dyn Row) -> Result<(), Fault> {
    Ok(())
}

#[track_caller]
fn refused(done: Result<Vec<u64>, Failure>) -> Refusal {
    match done {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_with_an_error_runs_no_further_and_the_cache_stays_right() {
    let Some(mut connection) = open() else { return };
    let batches: [(&[Statement<'_>], &[u8; 5]); 6] = [
        (&[WRONG], b"42P01"),
        (&[DIVIDE], b"22012"),
        (&[SELECT, WRONG, SELECT], b"42P01"),
        (&[SELECT, DIVIDE, BEGIN], b"22012"),
        (&[DIVIDE, SELECT, WRONG], b"22012"),
        // What was skipped, and what failed, can be run afterwards.
        (&[BEGIN, SELECT, COMMIT, DIVIDE], b"22012"),
    ];
    for _ in 0..2 {
        for (batch, code) in batches {
            let refusal = refused(connection.run(batch, soon(), &mut ignore));
            assert_eq!(&refusal.code, code, "{refusal:?}");
            assert!(!refusal.fatal && connection.is_usable() && !connection.in_transaction());
            let counts = connection.run(&[SELECT, SELECT], soon(), &mut ignore).unwrap();
            assert_eq!(counts, [1, 1]);
        }
    }
}

#[test]
fn a_transaction_that_failed_is_never_committed() {
    let Some(mut connection) = open() else { return };
    assert_eq!(connection.run(&[BEGIN, SELECT], soon(), &mut ignore).unwrap(), [0, 1]);
    assert!(connection.in_transaction());
    refused(connection.run(&[DIVIDE], soon(), &mut ignore));
    assert!(connection.in_transaction());
    assert_eq!(&refused(connection.run(&[SELECT], soon(), &mut ignore)).code, b"25P02");
    // The server answers this COMMIT with a ROLLBACK, and no error.
    assert_eq!(&refused(connection.run(&[COMMIT], soon(), &mut ignore)).code, b"25P02");
    assert!(!connection.in_transaction());
    connection.run(&[BEGIN], soon(), &mut ignore).unwrap();
    refused(connection.run(&[DIVIDE], soon(), &mut ignore));
    assert_eq!(connection.run(&[ROLLBACK], soon(), &mut ignore).unwrap(), [0]);
    assert_eq!(connection.run(&[SELECT], soon(), &mut ignore).unwrap(), [1]);
}

#[test]
fn the_fault_of_a_reader_ends_no_statement() {
    let Some(mut connection) = open() else { return };
    connection.script("CREATE TEMPORARY TABLE kept (n bigint)", soon()).unwrap();
    let series = Statement { sql: "SELECT generate_series(1, 100000)::bigint", values: &[] };
    let insert = Statement { sql: "INSERT INTO kept VALUES (1)", values: &[] };
    let mut rows = 0;
    let failure = connection.run(&[series, insert], soon(), &mut |_, _| {
        rows += 1;
        Err(Fault::Damaged("no".into()))
    });
    assert!(matches!(failure, Err(Failure::Row(Fault::Damaged(_)))), "{failure:?}");
    assert_eq!(rows, 1);
    let count = Statement { sql: "SELECT count(*) FROM kept", values: &[] };
    let mut kept = None;
    let read = &mut |_, row: &dyn Row| {
        kept = row.integer(0)?;
        Ok(())
    };
    connection.run(&[count], soon(), read).unwrap();
    assert_eq!(kept, Some(1));
}

#[test]
fn large_values_and_large_batches_pass() {
    let Some(mut connection) = open() else { return };
    let long = "\u{e9}".repeat(1 << 19);
    let echo = "SELECT $1::text";
    let values = [Value::Text(&long)];
    let statement = Statement { sql: echo, values: &values };
    // Much more than the kernel's buffers hold, in both directions.
    for batch in [vec![statement], vec![statement; 12], vec![SELECT; 20_000]] {
        let mut rows = 0;
        let read = &mut |at, row: &dyn Row| {
            assert_eq!(at, rows);
            rows += 1;
            assert!(batch.len() > 12 || row.text(0)? == Some(&*long));
            Ok(())
        };
        let counts = connection.run(&batch, soon() + 3 * PATIENCE, read).unwrap();
        assert_eq!((counts.len(), rows), (batch.len(), batch.len()));
        assert!(counts.iter().all(|&count| count == 1));
    }
    assert!(connection.channel.output.capacity() <= 64 << 10);
    // An error between.
    let mut batch = vec![statement; 3];
    batch[1] = DIVIDE;
    assert_eq!(&refused(connection.run(&batch, soon(), &mut ignore)).code, b"22012");
    assert_eq!(connection.run(&[statement], soon(), &mut ignore).unwrap(), [1]);
}

#[test]
fn all_rows_come_in_order() {
    let Some(mut connection) = open() else { return };
    let sql = "SELECT n::integer, NULLIF(n % 3, 0)::smallint, repeat('x', n % 50)::varchar \
               FROM generate_series(1, 20000) AS n";
    let mut last = 0;
    let read = &mut |_, row: &dyn Row| {
        last += 1;
        assert_eq!(row.integer(0)?, Some(last));
        assert_eq!(row.integer(1)?, Some(last % 3).filter(|&rest| rest != 0));
        assert_eq!(row.text(2)?.map(str::len), usize::try_from(last % 50).ok());
        Ok(())
    };
    let counts = connection.run(&[Statement { sql, values: &[] }], soon(), read).unwrap();
    assert_eq!((counts, last), (vec![20_000], 20_000));
}

#[test]
fn statements_that_the_server_forgot_are_prepared_again() {
    let Some(mut connection) = open() else { return };
    connection.run(&[SELECT], soon(), &mut ignore).unwrap();
    connection.script("DEALLOCATE ALL", soon()).unwrap();
    let refusal = refused(connection.run(&[SELECT], soon(), &mut ignore));
    assert_eq!(&refusal.code, b"26000");
    assert!(refusal.message.contains("session mode"), "{refusal:?}");
    assert_eq!(connection.run(&[SELECT], soon(), &mut ignore).unwrap(), [1]);
    // Another type in an answer, because the table was changed.
    let all = Statement { sql: "SELECT * FROM changing", values: &[] };
    connection.script("CREATE TEMPORARY TABLE changing (a bigint)", soon()).unwrap();
    connection.run(&[all], soon(), &mut ignore).unwrap();
    connection.script("ALTER TABLE changing ALTER a TYPE text", soon()).unwrap();
    let refusal = refused(connection.run(&[all], soon(), &mut ignore));
    assert!(refusal.message.contains("a table was changed"), "{refusal:?}");
    connection.run(&[all], soon(), &mut ignore).unwrap();
}

#[test]
fn scripts_run_as_a_whole() {
    let Some(mut connection) = open() else { return };
    connection.script("", soon()).unwrap();
    connection.script("SELECT 1; SELECT 'a' WHERE false; SET work_mem = 1000", soon()).unwrap();
    let wrong = connection.script("CREATE TEMPORARY TABLE half (n bigint); SELECT 1 / 0", soon());
    assert!(matches!(&wrong, Err(Failure::Refused(refusal)) if !refusal.fatal), "{wrong:?}");
    let half = Statement { sql: "SELECT n FROM half", values: &[] };
    assert_eq!(&refused(connection.run(&[half], soon(), &mut ignore)).code, b"42P01");
    connection.script("BEGIN", soon()).unwrap();
    assert!(connection.in_transaction());
    connection.script("ROLLBACK; DO $$ BEGIN RAISE WARNING 'careful'; END $$", soon()).unwrap();
    assert!(connection.warned() && !connection.in_transaction());
    connection.script("DO $$ BEGIN RAISE NOTICE 'hello'; END $$", soon()).unwrap();
    assert!(!connection.warned());
    // What would have to be answered with data.
    let copy = connection.script("COPY pg_class TO STDOUT", soon());
    assert!(matches!(copy, Err(Failure::Lost(_))), "{copy:?}");
    assert!(!connection.is_usable());
}

#[test]
fn a_refusal_names_the_constraint_and_no_value() {
    let Some(mut connection) = open() else { return };
    let table = "CREATE TEMPORARY TABLE single (a text CONSTRAINT only_one UNIQUE)";
    connection.script(table, soon()).unwrap();
    let insert = Statement { sql: "INSERT INTO single VALUES ('secret')", values: &[] };
    connection.run(&[insert], soon(), &mut ignore).unwrap();
    let refusal = refused(connection.run(&[insert], soon(), &mut ignore));
    assert_eq!((&refusal.code, refusal.constraint.as_deref()), (b"23505", Some("only_one")));
    assert!(!format!("{refusal:?}").contains("secret"), "{refusal:?}");
}

#[test]
fn a_server_that_works_too_long_costs_the_connection() {
    let Some(mut connection) = open() else { return };
    let sleep = Statement { sql: "SELECT pg_sleep(120)", values: &[] };
    let begin = Instant::now();
    let late = connection.run(&[sleep], begin + Duration::from_millis(300), &mut ignore);
    assert!(matches!(late, Err(Failure::Lost(_))), "{late:?}");
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    assert!(!connection.is_usable());
    // A deadline that has passed before anything is sent.
    let mut connection = open().unwrap();
    let late = connection.run(&[SELECT], Instant::now(), &mut ignore);
    assert!(matches!(late, Err(Failure::Lost(_))), "{late:?}");
}
