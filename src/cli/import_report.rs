//! What `lictor import` prints at its end.

use super::progress::grouped;
use crate::import::{Kind, Place, Reached, Refused, Report, escaped};

/// Roles that are listed.
const LISTED: usize = 10;

/// Accounts that take a file so long that people may notice, and the seconds that these take.
const MANY: u64 = 100_000;
const SECONDS: u64 = 3;

/// What became of the rows that can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was a dry run.
    Tried,
    /// Nothing was written, because of the others.
    Refused,
    /// They were written: how many.
    Written(u64),
}

/// What else is said.
#[derive(Debug, Default)]
pub(super) struct Remarks<'a> {
    /// Added accounts whose id had been given out before.
    pub(super) reused_ids: u64,
    pub(super) text_ids: bool,
    pub(super) counter_hidden: bool,
    /// The columns of a file that are not read.
    pub(super) unread: Option<&'a str>,
    /// Lines of the file of `--rename` that match no row.
    pub(super) unused_renames: &'a [(u64, String)],
    /// Old names that still mean another account.
    pub(super) reached: Vec<Reached<'a>>,
    /// The destination is a file: one writer at a time.
    pub(super) is_file: bool,
}

/// The report, without its last line.
pub(super) fn written(
    report: &Report,
    source: &str,
    preset: &str,
    destination: &str,
    outcome: Outcome,
    remarks: &Remarks<'_>,
) -> String {
    let mut lines = vec![
        format!("{} read from {source} (preset {preset})", counted(report.rows, "row", "rows")),
        sums(report, destination, outcome),
    ];
    lines.extend(hashes(report).map(indented));
    lines.extend(roles(report).map(indented));
    lines.extend(states(report).map(indented));
    lines.extend(remarks.unread.map(|columns| indented(format!("not read: {columns}"))));
    lines.extend(notes(report, outcome, remarks).into_iter().map(indented));
    lines.extend(unused(remarks.unused_renames));
    lines.extend(reached(&remarks.reached));
    if !report.refused.is_empty() {
        lines.push("cannot come:".into());
    }
    for (kind, refused) in &report.refused {
        lines.push(format!("  {}: {}", kind.name(), grouped(refused.count)));
        let rows =
            refused.first.iter().map(|(place, reason)| format!("    {}: {reason}", at(place)));
        lines.extend(rows);
        let more = refused.count - refused.first.len() as u64;
        if more > 0 {
            lines.push(format!("    and {} more", grouped(more)));
        }
    }
    lines.join("\n")
}

/// What to do about rows that cannot come. `has_file`: a file has all of them already.
pub(super) fn next_about_refused(report: &Report, has_file: bool, renames: Option<&str>) -> String {
    let has = |kind| report.refused.contains_key(&kind);
    let mut steps: Vec<String> = Vec::new();
    if has(Kind::Name) || has(Kind::NameTaken) {
        steps.push(match renames {
            Some(file) => format!("add new names to {file}"),
            None => "give new names with --rename FILE (lines of old,new)".into(),
        });
    }
    if has(Kind::IdInUse) && renames.is_none() {
        steps.push("if you renamed people, give the same --rename FILE again".into());
    }
    if has(Kind::Id) || has(Kind::IdInUse) {
        let price = "then no token of the old app is good here";
        steps.push(format!("give new ids to all with --map id= ({price})"));
    }
    if has(Kind::Differs) {
        steps.push("see with lictor user list whose the accounts with these names are".into());
    }
    if has(Kind::Email) || has(Kind::EmailTaken) {
        let price = "then nobody has one, and nobody gets mail";
        steps.push(format!("leave all e-mail addresses out with --map email= ({price})"));
    }
    steps.push(match steps.is_empty() {
        true => "correct these rows, or leave them out with --skip-invalid".into(),
        false => "or leave these rows out with --skip-invalid".into(),
    });
    if has(Kind::HashUnknown) || has(Kind::HashCostly) {
        let price = "then nobody can log in before setting a new password";
        steps.push(format!("or let all come without a password with --map password= ({price})"));
    }
    let mut next = steps.join(", ");
    let has_more = |refused: &Refused| refused.count > refused.first.len() as u64;
    if !has_file && report.refused.values().any(has_more) {
        next += "; --report FILE has all of them";
    }
    next
}

fn sums(report: &Report, destination: &str, outcome: Outcome) -> String {
    let (ready, already, refused) = (report.ready, report.already, report.cannot_come());
    let mut parts = Vec::new();
    let present = !matches!(outcome, Outcome::Written(_));
    match outcome {
        Outcome::Tried => {
            parts.push(format!("{} would be imported into {destination}", grouped(ready)))
        }
        Outcome::Written(1) => parts.push(format!("1 was imported into {destination}")),
        Outcome::Written(added) => {
            parts.push(format!("{} were imported into {destination}", grouped(added)));
        }
        Outcome::Refused => {
            parts.push(format!(
                "nothing was imported into {destination}: {} can come",
                grouped(ready)
            ));
        }
    }
    if already > 0 {
        let verb = match (present, already) {
            (true, 1) => "is",
            (true, _) => "are",
            (false, 1) => "was",
            (false, _) => "were",
        };
        parts.push(format!("{} {verb} already there", grouped(already)));
    }
    if refused > 0 {
        let verb = if present { "cannot come" } else { "could not come" };
        parts.push(format!("{} {verb}", grouped(refused)));
    }
    parts.join(", ")
}

fn hashes(report: &Report) -> Option<String> {
    listed("hashes", &mut report.schemes.iter().map(|(name, count)| (*name, *count)), Vec::new())
}

fn roles(report: &Report) -> Option<String> {
    let without = (report.without_role > 0 && !report.roles.is_empty())
        .then(|| format!("{} without", grouped(report.without_role)));
    if report.ready > 0 && report.roles.is_empty() && report.without_role > 0 {
        return Some("roles: none: nobody is an administrator".into());
    }
    let mut roles = report.roles.iter().map(|(name, count)| (name.as_str(), *count));
    listed("roles", &mut roles, without.into_iter().collect())
}

/// `hashes: 150 pbkdf2_sha512, 40 bcrypt`: the most frequent first.
fn listed(
    what: &str,
    counts: &mut dyn Iterator<Item = (&str, u64)>,
    last: Vec<String>,
) -> Option<String> {
    let mut counts: Vec<(&str, u64)> = counts.collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut parts: Vec<String> = counts
        .iter()
        .take(LISTED)
        .map(|(name, count)| format!("{} {name}", grouped(*count)))
        .collect();
    if counts.len() > LISTED {
        parts.push(format!("and {} others", grouped((counts.len() - LISTED) as u64)));
    }
    parts.extend(last);
    (!parts.is_empty()).then(|| format!("{what}: {}", parts.join(", ")))
}

fn states(report: &Report) -> Option<String> {
    let mut parts = Vec::new();
    for (count, one, many) in [
        (report.inactive, "is inactive", "are inactive"),
        (report.without_password, "has no password", "have no password"),
        (report.renamed, "has another name here", "have another name here"),
        (
            report.unconfirmed,
            "has an unconfirmed e-mail address, which is left out",
            "have an unconfirmed e-mail address, which is left out",
        ),
    ] {
        if count > 0 {
            parts.push(counted(count, one, many));
        }
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What the operator should know before it happens, or must do after it.
fn notes(report: &Report, outcome: Outcome, remarks: &Remarks<'_>) -> Vec<String> {
    let will = !matches!(outcome, Outcome::Written(_));
    let mut notes = Vec::new();
    if report.without_password > 0 {
        notes.push(
            "who has no password can set one with a mailed link, or get one with lictor user passwd"
                .into(),
        );
    }
    if report.created_unknown > 0 {
        let who = counted(report.created_unknown, "account has", "accounts have");
        let counts = if report.created_unknown == 1 { "it counts" } else { "they count" };
        notes.push(format!("{who} no time of creation that can be read: {counts} as made now"));
    }
    notes.extend(of_values(report));
    if remarks.text_ids {
        let get = if will { "get" } else { "got" };
        notes.push(format!(
            "the ids are not numbers: all {get} new ones, and no token of the old app is good here"
        ));
    }
    if remarks.reused_ids > 0 {
        let have = counted(
            remarks.reused_ids,
            "account has an id that was",
            "accounts have ids that were",
        );
        notes.push(format!("{have} given out here before: older tokens with them are not adopted"));
    }
    notes.extend(wait(report, remarks).filter(|_| will));
    if remarks.counter_hidden {
        notes.push(
            "this user may not read how far the ids were counted, so the id of an account that was \
             deleted may be given out again; let it read the sequence of the ids, if it should not"
                .into(),
        );
    }
    notes
}

/// What is odd about e-mail addresses, names and ids.
fn of_values(report: &Report) -> impl Iterator<Item = String> {
    let unconfirmed = (report.unconfirmed > 0)
        .then(|| "--map confirmed= takes all e-mail addresses as they are".to_owned());
    let named = (report.named_by_email > 0).then(|| {
        let who = counted(report.named_by_email, "account has", "accounts have");
        format!("{who} a name that is an e-mail address, and not the account's own")
    });
    let far = report.far_id.map(|id| {
        format!("the highest id is {id}, for {} rows: new accounts get ids above it", report.rows)
    });
    unconfirmed.into_iter().chain(named).chain(far)
}

/// How long the accounts keep a file to themselves.
fn wait(report: &Report, remarks: &Remarks<'_>) -> Option<String> {
    let seconds = grouped(report.ready / MANY * SECONDS);
    (remarks.is_file && report.ready >= MANY)
        .then(|| format!("meanwhile, writes of a running server wait for about {seconds} s"))
}

fn unused(unused: &[(u64, String)]) -> Vec<String> {
    let mut lines: Vec<String> = unused
        .iter()
        .take(LISTED)
        .map(|(line, old)| {
            format!("warning: --rename, line {line}: no row has the username {old:?}")
        })
        .collect();
    if unused.len() > LISTED {
        lines.push(format!("warning: --rename: {} more lines match no row", unused.len() - LISTED));
    }
    lines
}

fn reached(all: &[Reached<'_>]) -> Vec<String> {
    let line = |Reached { old, new, row, stays }: &Reached<'_>| {
        format!(
            "warning: \"{}\" (row {row}) becomes {}, but \"{0}\" still reaches the account \"{}\": no \
             mail will tell them",
            escaped(old),
            escaped(new),
            escaped(stays)
        )
    };
    let mut lines: Vec<String> = all.iter().take(LISTED).map(line).collect();
    if all.len() > LISTED {
        lines
            .push(format!("warning: {} more old names still reach an account", all.len() - LISTED));
    }
    lines
}

/// `row 17 (line 19), id 23, "ada lovelace"`.
fn at(place: &Place) -> String {
    let mut text = format!("row {}", place.row);
    if let Some(line) = place.line {
        text += &format!(" (line {line})");
    }
    if !place.id.is_empty() {
        text += &format!(", id {}", escaped(&place.id));
    }
    if !place.username.is_empty() {
        text += &format!(", \"{}\"", escaped(&place.username));
    }
    text
}

fn indented(line: String) -> String {
    format!("  {line}")
}

pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: u64, line: Option<u64>, id: &str, username: &str) -> Place {
        Place { row, line, id: id.into(), username: username.into() }
    }

    /// The example of docs/import.md.
    fn example() -> Report {
        let mut report = Report { rows: 200, ready: 197, already: 2, ..Report::default() };
        report.schemes = [("pbkdf2_sha512", 149), ("bcrypt", 40), ("argon2", 7)].into();
        report.roles = [("admin".to_owned(), 2), ("user".to_owned(), 195)].into();
        (report.inactive, report.without_password) = (3, 1);
        let at = place(17, None, "23", "ada lovelace");
        let refused = Refused { count: 1, first: vec![(at, "no spaces".into())] };
        report.refused = [(Kind::Name, refused)].into();
        report
    }

    fn lines(report: &Report, outcome: Outcome, remarks: &Remarks<'_>) -> Vec<String> {
        let source = "postgres://app@127.0.0.1:5432/app, table users";
        let text = written(report, source, "flask-praetorian", "/srv/lictor.db", outcome, remarks);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_dry_run_says_what_would_happen() {
        let lines = lines(&example(), Outcome::Tried, &Remarks::default());
        assert_eq!(
            lines,
            [
                "200 rows read from postgres://app@127.0.0.1:5432/app, table users (preset \
                 flask-praetorian)",
                "197 would be imported into /srv/lictor.db, 2 are already there, 1 cannot come",
                "  hashes: 149 pbkdf2_sha512, 40 bcrypt, 7 argon2",
                "  roles: 195 user, 2 admin",
                "  3 are inactive; 1 has no password",
                "  who has no password can set one with a mailed link, or get one with lictor user \
                 passwd",
                "cannot come:",
                "  name: 1",
                "    row 17, id 23, \"ada lovelace\": no spaces",
            ]
        );
    }

    #[test]
    fn the_second_line_says_what_happened() {
        let sums = |ready, already, refused, outcome| {
            let mut report = Report { ready, already, ..Report::default() };
            if refused > 0 {
                let of_kind = Refused { count: refused, first: Vec::new() };
                report.refused = [(Kind::Id, of_kind)].into();
            }
            sums(&report, "a.db", outcome)
        };
        for (ready, already, refused, outcome, expected) in [
            (0, 0, 0, Outcome::Tried, "0 would be imported into a.db"),
            (1, 1, 0, Outcome::Tried, "1 would be imported into a.db, 1 is already there"),
            (1, 0, 0, Outcome::Written(1), "1 was imported into a.db"),
            (
                5,
                1_000,
                2,
                Outcome::Written(4),
                "4 were imported into a.db, 1,000 were already there, 2 could not come",
            ),
            (
                5,
                2,
                1,
                Outcome::Refused,
                "nothing was imported into a.db: 5 can come, 2 are already there, 1 cannot come",
            ),
        ] {
            assert_eq!(sums(ready, already, refused, outcome), expected);
        }
    }

    #[test]
    fn what_the_operator_should_know_is_said() {
        let unused: Vec<(u64, String)> = (1..=12).map(|line| (line, format!("a{line}"))).collect();
        let remarks = Remarks {
            reused_ids: 2,
            text_ids: true,
            counter_hidden: true,
            unread: Some("phone, address"),
            unused_renames: &unused,
            reached: vec![Reached { old: "Bob", new: "bob2", row: 3, stays: "bob" }],
            is_file: true,
        };
        let report = Report {
            rows: 2,
            created_unknown: 1,
            renamed: 2,
            unconfirmed: 12,
            named_by_email: 1,
            far_id: Some(9_007_199_254_740_991),
            ..Report::default()
        };
        let text = lines(&report, Outcome::Written(2), &remarks).join("\n");
        for words in [
            "2 have another name here; 12 have an unconfirmed e-mail address, which is left out",
            "1 account has a name that is an e-mail address, and not the account's own",
            "the highest id is 9007199254740991, for 2 rows",
            "not read: phone, address",
            "warning: \"Bob\" (row 3) becomes bob2, but \"Bob\" still reaches the account \"bob\": no \
             mail will tell them",
            "1 account has no time of creation that can be read: it counts as made now",
            "the ids are not numbers: all got new ones",
            "2 accounts have ids that were given out here before",
            "the id of an account that was deleted may be given out again",
            "warning: --rename, line 1: no row has the username \"a1\"",
            "warning: --rename: 2 more lines match no row",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let many = Report { ready: 250_000, ..Report::default() };
        let text_of_many = lines(&many, Outcome::Tried, &remarks).join("\n");
        assert!(text_of_many.contains("writes of a running server wait for about 6 s"));
        assert!(!text.contains("a11") && !text.contains("cannot come:"), "{text}");
    }

    #[test]
    fn the_next_step_depends_on_what_is_wrong() {
        let next = |kinds: &[Kind], count, has_file| {
            let of_kind = |kind: &Kind| (*kind, Refused { count, first: Vec::new() });
            let refused = kinds.iter().map(of_kind).collect();
            next_about_refused(&Report { refused, ..Report::default() }, has_file, None)
        };
        let only = next(&[Kind::Roles], 0, false);
        assert_eq!(only, "correct these rows, or leave them out with --skip-invalid");
        let all = next(&[Kind::Name, Kind::IdInUse, Kind::HashCostly], 11, false);
        for words in ["--rename FILE", "--map id=", "--map password=", "--skip-invalid", "--report"]
        {
            assert!(all.contains(words), "{words}: {all}");
        }
        assert!(all.contains("same --rename FILE again, give new ids"), "{all}");
        assert!(next(&[Kind::EmailTaken], 0, false).contains("--map email="));
        assert!(!next(&[Kind::Name], 11, true).contains("--report"));
        let refused =
            [(Kind::Name, Refused::default()), (Kind::IdInUse, Refused::default())].into();
        let report = Report { refused, ..Report::default() };
        let again = next_about_refused(&report, true, Some("names.csv"));
        assert!(again.starts_with("add new names to names.csv, give new ids"), "{again}");
    }

    #[test]
    fn a_row_is_shown_without_control_characters() {
        let long = "x".repeat(100);
        for (place, expected) in [
            (place(1, None, "", ""), "row 1".to_owned()),
            (
                place(2, Some(3), "4", "a\n\u{1b}[2J\"b"),
                r#"row 2 (line 3), id 4, "a\n\u{1b}[2J\"b""#.to_owned(),
            ),
            (place(5, None, "", &long), format!("row 5, \"{}…\"", "x".repeat(64))),
        ] {
            assert_eq!(at(&place), expected);
        }
    }
}
