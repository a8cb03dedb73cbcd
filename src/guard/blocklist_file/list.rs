//! A list of passwords, kept in memory: the lines of the file are in no order that would allow a
//! search on the disk.

use std::fs::File;
use std::io::{self, Read as _};

use super::MAX_LIST;
use crate::guard::password::prepare;

/// Prepared passwords in lower case, and a sorted index of them.
pub(super) struct List {
    /// The passwords, one a line.
    text: String,
    /// Offset of each line in `text`, sorted by the lines.
    starts: Vec<u32>,
}

impl List {
    /// Reads a list; `None` if the file is not text, or is empty. Lines that are not UTF-8 are
    /// skipped: no password equals them.
    pub(super) fn read(file: File) -> io::Result<Option<List>> {
        let mut bytes = Vec::new();
        file.take(MAX_LIST).read_to_end(&mut bytes)?;
        if bytes.contains(&0) {
            return Ok(None);
        }
        let lines = bytes.split(|&b| b == b'\n');
        let lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
        let mut list = List { text: String::new(), starts: Vec::new() };
        for line in lines.map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty()) {
            let Some(password) = prepare(line) else { continue };
            // Never reached: lower case is rarely longer, and 4 GiB are far from MAX_LIST.
            let Ok(start) = u32::try_from(list.text.len()) else { break };
            list.starts.push(start);
            list.text.push_str(&password.to_lowercase());
            list.text.push('\n');
        }
        let List { text, starts } = &mut list;
        starts.sort_unstable_by(|&a, &b| line(text, a).cmp(line(text, b)));
        starts.dedup_by(|a, b| line(text, *a) == line(text, *b));
        Ok((!starts.is_empty()).then_some(list))
    }

    /// Returns whether the list holds a prepared password, in lower case.
    pub(super) fn has(&self, lower: &str) -> bool {
        self.starts.binary_search_by(|&start| line(&self.text, start).cmp(lower)).is_ok()
    }

    /// Returns the number of different passwords.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }
}

fn line(text: &str, start: u32) -> &str {
    text[start as usize..].lines().next().unwrap_or_default()
}
