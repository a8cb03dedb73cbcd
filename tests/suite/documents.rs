//! The documentation: links lead somewhere, and the commands of `docs/from-flask.md` are ones that lictor
//! takes. `tests/moving` runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Dir, outcome, root, run};

/// The pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> =
        docs.filter(|path| path.extension().is_some_and(|e| e == "md")).collect();
    for name in ["README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        pages.push(root().join(name));
    }
    pages
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let target = target.0;
            if target.contains("://") || target.contains(' ') || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let found = file.exists()
                && (anchor.is_empty() || file.is_dir() || anchors(&file).contains(anchor));
            if !found {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(count > 100, "{count}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The blocks of `docs/from-flask.md` that tests run, by their marks, in order.
fn blocks() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/from-flask.md")).unwrap();
    let marked = page.split("<!-- run: ").skip(1);
    marked
        .map(|rest| {
            let (name, rest) = rest.split_once(" -->\n").unwrap();
            let rest = rest.trim_start();
            let body = rest.strip_prefix("```sh\n").unwrap_or_else(|| panic!("{name}: no block"));
            let (body, _) = body.split_once("```").unwrap();
            (name.to_owned(), body.lines().map(|line| line.trim().to_owned() + "\n").collect())
        })
        .collect()
}

#[test]
fn the_commands_of_the_move_are_marked_and_well_formed() {
    let blocks = blocks();
    let names: Vec<&str> = blocks.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "load",
        "check",
        "trial",
        "trial-renamed",
        "short-secret",
        "import",
        "serve",
        "look",
        "serve-later",
        "export",
    ];
    assert_eq!(names, expected, "tests/moving runs these");
    for (name, text) in &blocks {
        let checked = Command::new("sh").args(["-n", "-c", text]).status().unwrap();
        assert!(checked.success(), "{name}: {text}");
    }
    let by_name: BTreeMap<_, _> = blocks.iter().cloned().collect();
    assert!(by_name["import"].contains("--rename") && by_name["serve"].contains("--adopt-tokens"));
}

#[test]
fn lictor_knows_every_flag_of_the_move() {
    let dir = Dir::new();
    let help = |command: &[&str]| outcome(&run(&dir.0, &[command, &["--help"]].concat(), "")).1;
    for (name, text) in blocks() {
        for line in text.lines().filter_map(|line| line.strip_prefix("lictor")) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let command: Vec<&str> = match words.first() {
                Some(first) if !first.starts_with('-') => {
                    let words = words
                        .iter()
                        .take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase()));
                    words.copied().collect()
                }
                _ => vec!["serve"],
            };
            let help = help(&command);
            assert!(help.contains("Usage: lictor"), "{name}: {command:?} {help}");
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(flag), "{name}: {flag} of {command:?}");
            }
        }
    }
}
