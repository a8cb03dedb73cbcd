//! A source file as the layout test reads it: tokens without comments and literals, the literals,
//! and the lines that only tests compile.

/// A file, taken apart.
pub struct Source {
    /// Such as `store/sqlite/mod.rs`.
    pub name: String,
    /// The module that it is, such as `["store", "sqlite"]`; empty for `lib.rs`.
    pub module: Vec<String>,
    pub text: String,
    /// The tokens that are compiled without tests.
    pub tokens: Vec<Token>,
    /// String literals that are compiled without tests, with their lines.
    pub literals: Vec<(usize, String)>,
    /// Modules that this file declares for tests alone.
    pub test_modules: Vec<String>,
    /// Lines that are compiled without tests.
    pub lines: usize,
}

/// A word, `::`, or one other character.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Source {
    pub fn parse(name: &str, text: &str) -> Source {
        let (code, literals) = without_comments(text);
        let all = tokens(&code);
        let tests = test_items(&all);
        let in_tests = |line: usize| tests.iter().any(|item| item.lines.contains(&line));
        let test_lines = tests.iter().map(|item| item.lines.clone().count()).sum::<usize>();
        Source {
            name: name.to_owned(),
            module: module(name),
            text: text.to_owned(),
            literals: literals.into_iter().filter(|(line, _)| !in_tests(*line)).collect(),
            test_modules: tests.iter().filter_map(|item| item.module.clone()).collect(),
            lines: text.lines().count() - test_lines,
            tokens: all.into_iter().filter(|token| !in_tests(token.line)).collect(),
        }
    }
}

fn module(name: &str) -> Vec<String> {
    let path = name.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

/// The text with spaces in place of comments and of what literals hold, and the string literals.
fn without_comments(text: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut literals) = (String::new(), Vec::new());
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let rest = &chars[at..];
        let (length, literal) = match rest {
            ['/', '/', ..] => (rest.iter().take_while(|c| **c != '\n').count(), None),
            ['/', '*', ..] => (block_comment(rest), None),
            _ => match string(rest, at.checked_sub(1).map(|before| chars[before])) {
                Some((length, content)) => (length, Some(content)),
                None => (char_literal(rest), None),
            },
        };
        if length == 0 {
            code.push(chars[at]);
            line += usize::from(chars[at] == '\n');
            at += 1;
            continue;
        }
        if let Some(content) = literal {
            literals.push((line, content));
            code.push('"');
        }
        for &c in &chars[at..at + length] {
            code.push(if c == '\n' { '\n' } else { ' ' });
            line += usize::from(c == '\n');
        }
        at += length;
    }
    (code, literals)
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length and content of a string literal, if one begins here.
fn string(rest: &[char], before: Option<char>) -> Option<(usize, String)> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let prefix = rest.iter().take_while(|c| matches!(c, 'b' | 'c' | 'r')).count();
    let raw = rest[..prefix].contains(&'r');
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let start = prefix + hashes + 1;
    if prefix > 2 || (hashes > 0 && !raw) || rest.get(start - 1) != Some(&'"') {
        return None;
    }
    let mut at = start;
    loop {
        match rest.get(at)? {
            '\\' if !raw => at += 2,
            '"' if rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes => break,
            _ => at += 1,
        }
    }
    Some((at + 1 + hashes, rest[start..at].iter().collect()))
}

/// The length of a character literal; 0 if this is a lifetime or something else.
fn char_literal(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', _, more @ ..] => 4 + more.iter().take_while(|c| **c != '\'').count(),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                word => word,
            };
            tokens.push(Token { text: rest[..length].to_owned(), line: line + 1 });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The first words of items, and of statements that end with `;`.
const KEYWORDS: &[&str] = &[
    "async", "const", "enum", "extern", "fn", "impl", "let", "mod", "static", "struct", "trait",
    "type", "unsafe", "use",
];

/// An item that only tests compile.
struct TestItem {
    lines: std::ops::RangeInclusive<usize>,
    /// Its name, if it is `mod NAME;`.
    module: Option<String>,
}

fn test_items(tokens: &[Token]) -> Vec<TestItem> {
    let texts: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let (mut items, mut at) = (Vec::new(), 0);
    while at < texts.len() {
        let attribute = ["#", "[", "cfg", "("];
        let test = texts[at..].starts_with(&attribute)
            && (texts[at + 4..].starts_with(&["test", ")"])
                || texts[at + 4..].starts_with(&["all", "(", "test"]));
        if !test {
            at += 1;
            continue;
        }
        let end = end_of_item(&texts, end_of(&texts, at + 1, "[", "]") + 1);
        let item = &texts[at..=end];
        let module = item.iter().position(|text| *text == "mod").filter(|_| item.ends_with(&[";"]));
        items.push(TestItem {
            lines: tokens[at].line..=tokens[end].line,
            module: module.map(|module| item[module + 1].to_owned()),
        });
        at = end + 1;
    }
    items
}

/// Where the item that begins at `at` ends: at its `;`, or at the `}` of its body; a field, a
/// variant or a statement without a keyword at its `,` or `;`.
fn end_of_item(texts: &[&str], at: usize) -> usize {
    let mut first = at;
    if texts[first] == "pub" {
        first += 1;
        if texts[first] == "(" {
            first = end_of(texts, first, "(", ")") + 1;
        }
    }
    if !KEYWORDS.contains(&texts[first]) {
        return end_of_field(texts, first);
    }
    match body(texts, at) {
        end if texts[end] == "{" => end_of(texts, end, "{", "}"),
        end => end,
    }
}

fn end_of_field(texts: &[&str], at: usize) -> usize {
    let mut depth = 0;
    for (at, text) in texts.iter().enumerate().skip(at) {
        let arrow = *text == ">" && ["-", "="].contains(&texts[at - 1]);
        match *text {
            "(" | "[" | "{" | "<" => depth += 1,
            ")" | "]" | "}" if depth == 0 => return at - 1,
            ")" | "]" | "}" => depth -= 1,
            ">" if !arrow => depth -= 1,
            "," | ";" if depth == 0 => return at,
            _ => {}
        }
    }
    texts.len() - 1
}

/// Where the `{` or the `;` after the head of an item is: the first outside of its brackets.
pub fn body(texts: &[&str], at: usize) -> usize {
    let mut depth = 0;
    for (at, text) in texts.iter().enumerate().skip(at) {
        match *text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" | ";" if depth == 0 => return at,
            _ => {}
        }
    }
    texts.len() - 1
}

/// Where the bracket that opens at `at` closes.
pub fn end_of(texts: &[&str], at: usize, open: &str, close: &str) -> usize {
    let mut depth = 0;
    for (at, text) in texts.iter().enumerate().skip(at) {
        depth += i32::from(*text == open) - i32::from(*text == close);
        if depth == 0 {
            return at;
        }
    }
    texts.len() - 1
}
