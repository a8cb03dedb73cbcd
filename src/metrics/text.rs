//! Prometheus' text format (version 0.0.4): families with their help and type, samples, labels.

use std::fmt::{Display, Write as _};

use crate::stats::{BOUNDS, Times};

/// A page of metrics that is being written. Writing to a String cannot fail.
#[derive(Debug, Default)]
pub(super) struct Page(pub(super) String);

/// Labels of a sample: names and values.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

impl Page {
    /// Begins a family, whose samples follow.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Writes a sample.
    pub(super) fn sample(&mut self, name: &str, labels: Labels<'_>, value: &dyn Display) {
        self.0 += name;
        for (place, (label, value)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{label}=\"");
            self.push_escaped(value);
            self.0.push('"');
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{after} {value}");
    }

    /// Writes a family of one sample without labels.
    pub(super) fn one(&mut self, name: &str, kind: &str, help: &str, value: &dyn Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Writes the samples of a histogram.
    pub(super) fn histogram(&mut self, name: &str, labels: Labels<'_>, times: &Times) {
        let mut count = 0;
        for (place, in_bucket) in times.buckets.iter().enumerate() {
            count += in_bucket;
            let bound = BOUNDS.get(place).map_or_else(|| "+Inf".into(), |&bound| seconds(bound));
            let labels = [labels, &[("le", &bound)]].concat();
            self.sample(&format!("{name}_bucket"), &labels, &count);
        }
        self.sample(&format!("{name}_sum"), labels, &seconds(times.nanos));
        self.sample(&format!("{name}_count"), labels, &count);
    }

    fn push_escaped(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '\n' => self.0 += "\\n",
                '"' | '\\' => self.0.extend(['\\', c]),
                c => self.0.push(c),
            }
        }
    }
}

/// Nanoseconds as seconds, without the zeros at the end.
pub(super) fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_seconds() {
        for (nanos, expected) in [
            (0, "0"),
            (1, "0.000000001"),
            (100_000, "0.0001"),
            (500_000_000, "0.5"),
            (10_000_000_000, "10"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(seconds(nanos), expected);
        }
    }

    #[test]
    fn samples_and_labels() {
        let mut page = Page::default();
        page.one("x_total", "counter", "Counts x.", &7);
        page.sample("y", &[("a", "1"), ("b", "/{id}\"\\\n")], &"0.5");
        assert_eq!(
            page.0,
            "# HELP x_total Counts x.\n# TYPE x_total counter\nx_total 7\n\
             y{a=\"1\",b=\"/{id}\\\"\\\\\\n\"} 0.5\n"
        );
    }

    #[test]
    fn buckets_add_up() {
        let mut page = Page::default();
        let times = Times { buckets: [3, 0, 1, 0, 0, 0, 0, 0, 2], nanos: 20_500_000_000 };
        page.histogram("x", &[("a", "1")], &times);
        for line in [
            "x_bucket{a=\"1\",le=\"0.0001\"} 3\n",
            "x_bucket{a=\"1\",le=\"0.005\"} 4\n",
            "x_bucket{a=\"1\",le=\"10\"} 4\n",
            "x_bucket{a=\"1\",le=\"+Inf\"} 6\n",
            "x_sum{a=\"1\"} 20.5\n",
            "x_count{a=\"1\"} 6\n",
        ] {
            assert!(page.0.contains(line), "{line}{}", page.0);
        }
    }
}
