//! Which module uses which: the cycles in that, and the uses that lead upwards in the map.
//!
//! A name that a module takes from another, as `pub use` does, stands for the place where it is
//! defined: a module that takes it from there uses the other one.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, Token};

/// How often a name is followed from one module to the next.
const MAX_STEPS: usize = 8;

type Path = Vec<String>;
/// Where a use stands: file and line.
type Place = (String, usize);

/// A path that a file names.
struct Use {
    module: Path,
    /// From the root of the crate on.
    path: Path,
    /// What a `use` calls it here; nothing for a path in an expression.
    name: Option<String>,
    place: Place,
}

/// From which child of a folder to which, and one place of it.
type Graph = BTreeMap<String, BTreeMap<String, Place>>;

/// The cycles between siblings, of the top-level modules and in every folder; each as the lines
/// that make it.
pub fn cycles(sources: &[Source]) -> Vec<String> {
    let graphs = graphs(sources);
    graphs.iter().flat_map(|(folder, graph)| cycles_of(folder, graph)).collect()
}

/// Each use of a top-level module by another, as text, that leads upwards in `order`, or from or to
/// a module without a place in it.
pub fn upward(sources: &[Source], order: &[&str]) -> Vec<String> {
    let place = |module: &str| order.iter().position(|name| *name == module);
    let mut found = Vec::new();
    for (from, edges) in graphs(sources).remove(&Vec::new()).unwrap_or_default() {
        for (to, (file, line)) in edges {
            if !matches!((place(&from), place(&to)), (Some(from), Some(to)) if from < to) {
                found.push(format!("{from} uses {to}: src/{file}:{line}"));
            }
        }
    }
    found
}

/// The graph of the siblings in each folder.
fn graphs(sources: &[Source]) -> BTreeMap<Path, Graph> {
    let modules: BTreeSet<Path> = sources.iter().map(|source| source.module.clone()).collect();
    let uses: Vec<Use> = sources.iter().flat_map(|source| uses(source, &modules)).collect();
    let mut names: BTreeMap<(Path, String), Path> = BTreeMap::new();
    for one in uses.iter().filter(|one| !one.path.is_empty()) {
        if let Some(name) = &one.name {
            names.insert((one.module.clone(), name.clone()), one.path.clone());
        }
    }
    let mut graphs: BTreeMap<Path, Graph> = BTreeMap::new();
    for one in &uses {
        let target = resolve(&one.path, &modules, &names);
        let common = one.module.iter().zip(&target).take_while(|(a, b)| a == b).count();
        if let (Some(from), Some(to)) = (one.module.get(common), target.get(common)) {
            let graph = graphs.entry(target[..common].to_vec()).or_default();
            let edges = graph.entry(from.clone()).or_default();
            edges.entry(to.clone()).or_insert_with(|| one.place.clone());
        }
    }
    graphs
}

/// The module in which a path's thing is defined.
fn resolve(
    path: &[String],
    modules: &BTreeSet<Path>,
    names: &BTreeMap<(Path, String), Path>,
) -> Path {
    let mut path = path.to_vec();
    for _ in 0..MAX_STEPS {
        let length = (0..=path.len()).rev().find(|&length| modules.contains(&path[..length]));
        let length = length.unwrap_or(0);
        let module = path[..length].to_vec();
        let Some(name) = path.get(length) else { return module };
        match names.get(&(module.clone(), name.clone())) {
            Some(origin) => path = [&origin[..], &path[length + 1..]].concat(),
            None => return module,
        }
    }
    path
}

/// Every path of a file that leads into the crate.
fn uses(source: &Source, modules: &BTreeSet<Path>) -> Vec<Use> {
    let tokens = &source.tokens;
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let before = at.checked_sub(1).map(|before| tokens[before].text.as_str());
        let next = tokens.get(at + 1).map(|next| next.text.as_str());
        let text = tokens[at].text.as_str();
        let declaration = text == "use";
        let path = ["crate", "super", "self", "lictor", "lictor_engine"].contains(&text)
            && next == Some("::")
            && before != Some("::");
        if !declaration && !path {
            at += 1;
            continue;
        }
        let mut leaves = Vec::new();
        let start = at + usize::from(declaration);
        at = read_tree(tokens, start, &[], &mut leaves).max(at + 1);
        for (segments, name, line) in leaves {
            if let Some(path) = absolute(&segments, &source.module, modules) {
                let name = declaration.then_some(name);
                let place = (source.name.clone(), line);
                found.push(Use { module: source.module.clone(), path, name, place });
            }
        }
    }
    found
}

/// Reads `a::b`, `a::{b, c as d}` and `a::*`; says where it ends. A leaf is its path, its name
/// here, and its line.
fn read_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    leaves: &mut Vec<(Path, String, usize)>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut path = prefix.to_vec();
    loop {
        match text(at) {
            "{" => {
                at += 1;
                while !["}", ""].contains(&text(at)) {
                    at = read_tree(tokens, at, &path, leaves).max(at + 1);
                    at += usize::from(text(at) == ",");
                }
                return at + 1;
            }
            "self" if !path.is_empty() => at += 1,
            word if word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(word.to_owned());
                at += 1;
            }
            "*" => at += 1,
            _ => break,
        }
        if text(at) != "::" {
            break;
        }
        at += 1;
    }
    let line = tokens[at.min(tokens.len()) - 1].line;
    let mut name = path.last().cloned().unwrap_or_default();
    if text(at) == "as" {
        name = text(at + 1).to_owned();
        at += 2;
    }
    leaves.push((path, name, line));
    at
}

/// A path from the root on; nothing if it leads out of the crate.
fn absolute(segments: &[String], module: &[String], modules: &BTreeSet<Path>) -> Option<Path> {
    let mut here = module.to_vec();
    let mut rest = segments;
    match rest.first()?.as_str() {
        "crate" | "lictor" => (here, rest) = (Vec::new(), &rest[1..]),
        "self" => rest = &rest[1..],
        "super" => {
            while rest.first().is_some_and(|segment| segment == "super") {
                here.pop();
                rest = &rest[1..];
            }
        }
        child => {
            let child = [module, &[child.to_owned()]].concat();
            if !modules.contains(&child) {
                return None;
            }
        }
    }
    Some([&here[..], rest].concat())
}

/// One cycle for each child that is on one, as text.
fn cycles_of(folder: &[String], graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for start in graph.keys() {
        if known.contains(start.as_str()) {
            continue;
        }
        if let Some(cycle) = shortest_cycle(start, graph) {
            let mut text = format!(
                "a cycle in {}:",
                if folder.is_empty() { "src".into() } else { folder.join("/") }
            );
            for (from, to) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                let (file, line) = &graph[*from][*to];
                text += &format!("\n  {from} uses {to}: src/{file}:{line}");
            }
            found.push(text);
            known.extend(cycle);
        }
    }
    found
}

/// The shortest way from `start` back to it.
fn shortest_cycle<'a>(start: &'a str, graph: &'a Graph) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way[way.len() - 1];
            for next in graph.get(last).into_iter().flat_map(BTreeMap::keys) {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.as_str()) {
                    longer.push([&way[..], &[next.as_str()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}
