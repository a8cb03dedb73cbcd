//! The built-in template files, all in one deflated file of the program. Knows no letter.
//!
//! Six languages of each letter would take 50 kB as they are.

use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// The files of `templates/`, deflated; `tools/mail-templates` generates it. Each file stands after a
/// line with its name, and before [`END`].
const FILES: &[u8] = include_bytes!("templates.deflate");
/// The most bytes that it inflates to.
const MAX_FILES: usize = 256 * 1024;
/// No template may contain it.
const END: char = '\u{c}';

/// All files in one text.
pub(super) fn inflated() -> String {
    // A test inflates it: this cannot fail.
    let bytes = decompress_to_vec_with_limit(FILES, MAX_FILES).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// The name and the text of each file.
pub(super) fn files(inflated: &str) -> impl Iterator<Item = (&str, &str)> {
    inflated.split(END).filter_map(|file| file.split_once('\n'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_deflated_files_are_those_of_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail/templates");
        let mut expected: Vec<(String, String)> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), fs::read_to_string(entry.path()).unwrap()))
            .map(|(name, text)| (name.into_string().unwrap(), text))
            .collect();
        expected.sort();
        let text = inflated();
        let mut found: Vec<_> =
            files(&text).map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        found.sort();
        assert!(found == expected, "run tools/mail-templates after a change in src/mail/templates");
        assert!(FILES.len() < text.len() / 3, "{} of {} bytes", FILES.len(), text.len());
    }
}
