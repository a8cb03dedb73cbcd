//! What a misspelt word may have meant.

/// The most letters that a word may differ in from the one that is suggested.
const MAX_DISTANCE: usize = 4;

/// The known word that looks most like one of these forms of a word; `None` if none does. At most half
/// of the shortest form's letters differ.
pub fn nearest<'a>(forms: &[&str], known: &[&'a str]) -> Option<&'a str> {
    let far = |one: &str| forms.iter().map(|form| distance(form, one)).min().unwrap_or(usize::MAX);
    let best = known.iter().map(|one| (far(one), *one)).min()?;
    let shortest = forms.iter().map(|form| form.len()).min().unwrap_or(0);
    (best.0 <= MAX_DISTANCE.min(shortest / 2)).then_some(best.1)
}

/// How many letters must be added, removed or replaced to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = corner + usize::from(a != b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ac", 1), ("", "abc", 3)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (expected, expected));
        }
    }

    #[test]
    fn the_nearest_word() {
        for (forms, expected) in [
            (&["acent"][..], Some("accent")),
            (&["accent-light"], None),
            (&["privicy"], Some("privacy")),
            (&["x"], None),
            (&["LICTOR_name", "name"], Some("name")),
            (&[], None),
        ] {
            assert_eq!(nearest(forms, &["accent", "name", "privacy"]), expected, "{forms:?}");
        }
    }
}
