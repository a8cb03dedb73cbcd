//! How apps may read a path without its endings: `/admin.json` as `/admin` in another format, `/x.php/admin`
//! as the page `/admin` of the script `x.php`. Knows no percent-encoding and no rule.

use crate::values::skeleton;

/// Maximum number of names with an ending that have a name below them. A path with more is doubtful: it
/// can be read in too many ways.
const MAX_ENDINGS: usize = 6;

/// Endings of the programs that web servers start for what is below them, without a version (`.php7`).
const PROGRAMS: [&str; 16] = [
    "asp", "aspx", "cfm", "cgi", "do", "dll", "exe", "fcgi", "fpl", "jsp", "lua", "php", "phtml",
    "pl", "py", "rb",
];

/// A part of a path that an app may leave out: a name with an ending, and what stands before it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    from: usize,
    /// The place of the slash after the name.
    to: usize,
    /// Whether the name is that of a program.
    program: bool,
}

/// A path, and what an app may leave out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Readings<T> {
    pub(super) path: T,
    cuts: Vec<Cut>,
}

impl<T: AsRef<[u8]>> Readings<T> {
    /// Only the path itself.
    pub(super) fn plain(path: T) -> Readings<T> {
        Readings { path, cuts: Vec::new() }
    }

    /// Adds what an app may leave out; false if there are too many endings.
    pub(super) fn find_cuts(&mut self) -> bool {
        let path = self.path.as_ref();
        // Most paths have an ending in their last name only. `contains` is faster than a search.
        if !path.contains(&b'.') {
            return true;
        }
        let first = path.iter().position(|&byte| byte == b'.').unwrap_or_default();
        if !path[first..].contains(&b'/') {
            return true;
        }
        let last = path.iter().rposition(|&byte| byte == b'/').unwrap_or_default();
        let mut starts = Vec::new();
        let mut from = 0;
        for name in path[1..last].split(|&byte| byte == b'/') {
            let to = from + 1 + name.len();
            if let Some(program) = ending(name) {
                starts.push(from);
                if starts.len() > MAX_ENDINGS {
                    return false;
                }
                // The app is at the root, at the folder of the name, or at that of one before it.
                let below = starts.iter().copied().filter(|&from| from > 0);
                let all = std::iter::once(0).chain(below);
                self.cuts.extend(all.map(|from| Cut { from, to, program }));
            }
            from = to;
        }
        true
    }

    /// Returns the paths of the pages that programs may show, for each program whose name ends after this
    /// place.
    pub(super) fn pages(&self, named: usize) -> impl Iterator<Item = Vec<u8>> {
        let programs = self.cuts.iter().filter(move |cut| cut.program && cut.to > named);
        programs.map(|cut| self.without(cut))
    }

    /// Returns the path without a part.
    fn without(&self, cut: &Cut) -> Vec<u8> {
        let path = self.path.as_ref();
        [&path[..cut.from], &path[cut.to..]].concat()
    }

    /// Whether the first letter is another than that of a rule's path, in every reading.
    pub(super) fn begins_otherwise(&self, rule: &[u8]) -> bool {
        let letter = |path: &[u8]| path.get(1).map(u8::to_ascii_lowercase);
        self.cuts.is_empty() && letter(self.path.as_ref()) != letter(rule)
    }

    /// Returns the place at which the beginning of the path ends that an app may read as a rule's path,
    /// whatever its case, in the longest way; `None` if there is no such way. The place is `usize::MAX` if
    /// the rule's path itself stands there.
    pub(super) fn beginning(&self, rule: &[u8]) -> Option<usize> {
        let path = self.path.as_ref();
        let whole =
            beginning([path, b""], rule).map(|(end, same)| if same { usize::MAX } else { end });
        let without = |cut: &Cut| {
            let (end, _) = beginning([&path[..cut.from], &path[cut.to..]], rule)?;
            Some(if end > cut.from { end + cut.to - cut.from } else { end })
        };
        whole.max(self.cuts.iter().filter_map(without).max())
    }
}

/// Whether a name's ending is that of a program, also before another ending; `None` if it has none.
fn ending(name: &[u8]) -> Option<bool> {
    if name.is_ascii() {
        return plain_ending(name);
    }
    let skeleton = skeleton(&String::from_utf8_lossy(name));
    plain_ending(name).max(plain_ending(skeleton.as_bytes()))
}

fn plain_ending(name: &[u8]) -> Option<bool> {
    let mut parts = name.split(|&byte| byte == b'.');
    // A name that begins with a dot is hidden, and has no ending by that.
    let hidden = parts.next()?.is_empty();
    let endings = parts.skip(usize::from(hidden));
    let endings = endings.filter(|part| part.first().is_some_and(u8::is_ascii_alphabetic));
    endings.map(is_program).max()
}

fn is_program(ending: &[u8]) -> bool {
    let version = ending.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let ending = &ending[..ending.len() - version];
    PROGRAMS.iter().any(|program| ending.eq_ignore_ascii_case(program.as_bytes()))
}

/// Returns where the beginning ends, and whether it differs from the rule's path in case only. The path is in
/// two parts. Of two names that differ in an ending, one must have none.
fn beginning(path: [&[u8]; 2], rule: &[u8]) -> Option<(usize, bool)> {
    let (mut at, mut rest, mut before, mut same) = (0, rule, b'/', true);
    loop {
        match (byte(path, at), rest) {
            // What follows a `:` is a stream of a file on Windows.
            (None | Some(b'/' | b':'), []) => return Some((at, same)),
            (Some(_), []) => return ending_at(path, at).map(|dot| (end_of_name(path, dot), false)),
            (Some(one), [other, after @ ..]) if one.eq_ignore_ascii_case(other) => {
                (at, rest, before) = (at + 1, after, *other);
            }
            (Some(b'.' | b' '), [b'/', ..]) => match ending_at(path, at) {
                Some(dot) if byte(path, dot + 1).is_some_and(|c| c.is_ascii_alphabetic()) => {
                    (at, same) = (end_of_name(path, dot), false);
                }
                _ => return None,
            },
            // A name that begins with a dot has no ending by that.
            (None | Some(b'/'), [b'.', letter, ..])
                if before != b'/' && letter.is_ascii_alphabetic() =>
            {
                let end = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
                (rest, same) = (&rest[end..], false);
            }
            _ => return None,
        }
    }
}

/// Returns a byte of a path in two parts.
fn byte([first, second]: [&[u8]; 2], at: usize) -> Option<u8> {
    first.get(at).or_else(|| second.get(at - first.len())).copied()
}

fn end_of_name(path: [&[u8]; 2], mut at: usize) -> usize {
    while byte(path, at).is_some_and(|byte| byte != b'/') {
        at += 1;
    }
    at
}

/// Returns the place of the dot of an ending that begins here; `None` if none does. Windows drops spaces
/// at the end of a name, and so may what is left without an ending.
fn ending_at(path: [&[u8]; 2], mut at: usize) -> Option<usize> {
    while byte(path, at) == Some(b' ') {
        at += 1;
    }
    (byte(path, at) == Some(b'.')).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_app_may_read_as_the_beginning_of_a_path() {
        let literal = Some(usize::MAX);
        for (path, rule, expected) in [
            ("/admin", "/admin", literal),
            ("/ADMIN/x", "/admin", literal),
            ("/admin:x", "/admin", literal),
            ("/admins", "/admin", None),
            ("/x/admin", "/admin", None),
            // Another format.
            ("/admin.json", "/admin", Some(11)),
            ("/Admin.1/x", "/admin", Some(8)),
            ("/x/admin.tar.gz", "/x/admin", Some(15)),
            ("/adminx.json", "/admin", None),
            ("/admin .json", "/admin", Some(12)),
            ("/admin x.json", "/admin", None),
            ("/wiki .php/admin", "/wiki/admin", Some(16)),
            ("/wiki.php/admin/x", "/wiki/admin", Some(15)),
            ("/wiki.1/admin", "/wiki/admin", None),
            ("/secret", "/secret.html", Some(7)),
            ("/secret/x", "/secret.html", Some(7)),
            ("/wiki/admin", "/wiki.php/admin", Some(11)),
            ("/secrets", "/secret.html", None),
            ("/secret.json", "/secret.html", None),
            ("/v1", "/v1.2", None),
            ("/", "/.git", None),
            ("/x/", "/x/.git", None),
            // A page of a program.
            ("/index.php/admin", "/admin", Some(16)),
            ("/index.php/Admin/x", "/admin", Some(16)),
            ("/index.php/admin.json/x", "/admin", Some(21)),
            ("/a/index.php/admin", "/admin", Some(18)),
            ("/a/index.php/admin", "/a/admin", Some(18)),
            ("/a/b.d/index.php/admin", "/a/admin", Some(22)),
            ("/a/b.d/index.php/admin", "/a/b.d/admin", Some(22)),
            ("/a/b.d/c/index.php/admin", "/a/admin", Some(24)),
            ("/a/b/index.php/admin", "/a/admin", None),
            ("/assets/app.v2.js", "/app", None),
            ("/v1.2/admin", "/admin", None),
            ("/.web/admin", "/admin", None),
            ("/.web.d/admin", "/admin", Some(13)),
        ] {
            let mut readings = Readings::plain(path);
            assert!(readings.find_cuts());
            let found = readings.beginning(rule.as_bytes());
            assert_eq!(found, expected, "{path} {rule}");
        }
    }

    #[test]
    fn names_of_programs() {
        for (name, expected) in [
            ("index.php", Some(true)),
            ("index.PHP7", Some(true)),
            ("index.php.1", Some(true)),
            ("index.php.bak", Some(true)),
            ("x.fcgi", Some(true)),
            ("chart.js", Some(false)),
            ("example.org", Some(false)),
            ("v1.2", None),
            ("php", None),
            (".php", None),
            (".x.php", Some(true)),
            ("x.phpx", Some(false)),
            ("x.7", None),
            ("é.php", Some(true)),
            ("x.ph\u{200b}p", Some(true)),
            ("\u{200b}.php", Some(true)),
        ] {
            assert_eq!(ending(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn what_is_left_out() {
        let left = |path: &str| {
            let mut readings = Readings::plain(path);
            let fine = readings.find_cuts();
            let text = |cut| String::from_utf8(readings.without(cut)).unwrap();
            fine.then(|| readings.cuts.iter().map(text).collect::<Vec<_>>())
        };
        assert_eq!(left("/a/b.c"), Some(vec![]));
        assert_eq!(left("/a.b/"), Some(vec!["/".to_owned()]));
        assert_eq!(left("/x/a.b/c"), Some(vec!["/c".to_owned(), "/x/c".to_owned()]));
        let expected = ["/y.z/c", "/c", "/a.b/c"];
        assert_eq!(left("/a.b/y.z/c"), Some(expected.map(str::to_owned).to_vec()));
        assert_eq!(left(&"/a.b".repeat(MAX_ENDINGS + 1)).unwrap().len(), 21);
        assert_eq!(left(&"/a.b".repeat(MAX_ENDINGS + 2)), None);
    }
}
