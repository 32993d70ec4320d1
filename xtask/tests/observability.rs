//! Dashboards, rules and alerts: every expression is one, every figure that it names is there, and every alert is
//! tested and explained.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use engines::prometheus;
use serde_json::Value;

/// What Grafana puts into an expression, with what it may stand for.
const VARIABLES: [(&str, &str); 3] = [("$__rate_interval", "5m"), ("$__range", "1h"), ("$service", "ticket")];
/// Ends of the series of one histogram.
const OF_HISTOGRAM: [&str; 3] = ["_bucket", "_sum", "_count"];
/// Words of the language that are no figures.
const WORDS: [&str; 12] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "and",
    "or",
    "unless",
    "offset",
    "bool",
    "inf",
];

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder by name.
fn files(folder: &str) -> BTreeMap<String, String> {
    let entries =
        fs::read_dir(deploy(folder)).expect("the folder is there").map(|entry| entry.expect("a file"));
    let named = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), read(&entry.path())));
    let files: BTreeMap<_, _> = named.collect();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

fn dashboards() -> BTreeMap<String, Value> {
    let parsed = files("grafana/dashboards").into_iter().map(|(name, text)| {
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, value)
    });
    parsed.collect()
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().expect("a dashboard has panels")
}

/// Every expression of the dashboards, each with where it is.
fn dashboard_expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, dashboard) in dashboards() {
        for panel in panels(&dashboard) {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let mut expression = target["expr"].as_str().expect("a target has an expression").to_owned();
                for (variable, value) in VARIABLES {
                    expression = expression.replace(variable, value);
                }
                found.push((format!("{name}, {}", panel["title"]), expression));
            }
        }
    }
    found
}

/// The lines of the rules that begin so, each with its file.
fn rule_lines(key: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, text) in files("prometheus/rules") {
        let lines = text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(key));
        found.extend(lines.map(|rest| (name.clone(), rest.trim().to_owned())));
    }
    assert!(!found.is_empty(), "no rule has {key}");
    found
}

/// The figures that an expression names: words that are neither of the language, nor labels, nor functions.
fn figures_in(expression: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let (mut in_text, mut in_braces) = (false, false);
    for letter in expression.chars() {
        match letter {
            '"' => in_text = !in_text,
            '{' if !in_text => in_braces = true,
            '}' if !in_text => in_braces = false,
            _ if in_text || in_braces => {}
            _ => bare.push(letter),
        }
    }
    // What follows these words in brackets are labels.
    for word in ["by", "without", "on", "ignoring"] {
        while let Some(start) = bare.find(&format!("{word} (")) {
            let end = bare[start..].find(')').map_or(bare.len(), |end| start + end + 1);
            bare.replace_range(start..end, " ");
        }
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':');
    let mut figures = BTreeSet::new();
    let mut rest = bare.as_str();
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|letter| !is_part(letter)).map_or(rest.len(), |end| start + end);
        let (word, after) = (&rest[start..end], &rest[end..]);
        let is_name = word.starts_with(|letter: char| letter.is_ascii_alphabetic()) && !WORDS.contains(&word);
        let is_range = rest[..start].ends_with('[') || rest[..start].ends_with(':');
        if is_name && !is_range && !after.trim_start().starts_with('(') {
            figures.insert(word.to_owned());
        }
        rest = after;
    }
    figures
}

/// The names in the first column of a page's table.
fn listed(page: &Path) -> BTreeSet<String> {
    let text = read(page);
    let names = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    names.map(str::to_owned).collect()
}

/// Every figure that there is: of the program, of others, and made by rules.
fn known() -> BTreeSet<String> {
    // A test of the program holds this page against its registry.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let mut known = listed(&page);
    for (name, kind) in kinds(&page) {
        if kind == "histogram" {
            known.extend(OF_HISTOGRAM.map(|end| format!("{name}{end}")));
        }
    }
    known.extend(listed(&deploy("prometheus/known-figures.md")));
    known.extend(rule_lines("record:").into_iter().map(|(_, name)| name));
    known
}

fn kinds(page: &Path) -> Vec<(String, String)> {
    let text = read(page);
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>());
    cells.map(|cells| (cells[1].to_owned(), cells[2].to_owned())).collect()
}

#[test]
fn figures_are_found_in_expressions() {
    let of = |expression| figures_in(expression).into_iter().collect::<Vec<_>>();
    assert_eq!(
        of("sum by (rpc, le) (rate(a_bucket{x=~\"b|c\"}[5m])) / on (x) b:c:d > 0.5"),
        ["a_bucket", "b:c:d"]
    );
    assert_eq!(of("time() - max(a) > 3600 and on () b offset 5m"), ["a", "b"]);
    assert_eq!(of("histogram_quantile(0.99, sum by (le) (c)) or vector(0)"), ["c"]);
}

#[test]
fn every_figure_in_dashboards_and_rules_is_exported() {
    let known = known();
    for (place, expression) in dashboard_expressions().into_iter().chain(rule_lines("expr:")) {
        let figures = figures_in(&expression);
        assert!(!figures.is_empty(), "{place}: {expression} names no figure");
        for figure in figures {
            assert!(known.contains(&figure), "{place}: nobody exports {figure}");
        }
    }
}

#[test]
fn dashboards_are_well_formed() {
    let mut uids = BTreeSet::new();
    for (name, dashboard) in dashboards() {
        for field in ["uid", "title", "schemaVersion", "templating", "time"] {
            assert!(!dashboard[field].is_null(), "{name} has no {field}");
        }
        assert!(uids.insert(dashboard["uid"].to_string()), "{name}: its uid is another's");
        assert!(dashboard["id"].is_null(), "{name}: Grafana gives the id");
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap_or_default();
            assert!(!title.is_empty(), "{name}: a panel has no title");
            assert!(
                ids.insert(panel["id"].as_u64().expect("a panel has an id")),
                "{name}: {title} has another's id"
            );
            let place = &panel["gridPos"];
            let [x, w] = ["x", "w"].map(|side| place[side].as_u64().expect("a panel has a place"));
            assert!(x + w <= 24, "{name}: {title} reaches over the edge");
            if panel["type"] != "row" {
                assert!(
                    !panel["targets"].as_array().expect("it shows something").is_empty(),
                    "{name}: {title}"
                );
                assert_eq!(panel["datasource"]["uid"], "${datasource}", "{name}: {title}");
            }
        }
    }
    let names: Vec<_> = dashboards().into_keys().collect();
    assert_eq!(names, ["business.json", "kafka.json", "overview.json", "saga.json", "service.json"]);
}

#[test]
fn every_alert_is_tested_and_explained() {
    let tests = read(&deploy("prometheus/tests/alerts.yml"));
    let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/alerts.md"));
    let expressions = rule_lines("expr:");
    for (_, alert) in rule_lines("alert:") {
        for case in ["fires", "is quiet"] {
            assert!(tests.contains(&format!("name: {alert} {case}\n")), "no test says when {alert} {case}");
        }
        let section =
            page.split(&format!("## {alert}\n")).nth(1).unwrap_or_else(|| panic!("{alert} is not explained"));
        let section = section.split("\n## ").next().unwrap_or(section);
        assert!(
            expressions.iter().any(|(_, expression)| section.contains(&format!("`{expression}`"))),
            "docs/alerts.md has another expression for {alert}"
        );
    }
    let alerts: BTreeSet<_> = rule_lines("alert:").into_iter().map(|(_, name)| name).collect();
    let explained: BTreeSet<_> =
        page.lines().filter_map(|line| line.strip_prefix("## ")).map(str::to_owned).collect();
    assert_eq!(alerts, explained);
}

#[test]
fn promtool_takes_every_expression_of_the_dashboards() {
    if !prometheus::is_here() {
        return;
    }
    let mut rules = "groups:\n  - name: dashboards\n    rules:\n".to_owned();
    let mut seen = BTreeSet::new();
    for (_, expression) in dashboard_expressions() {
        if seen.insert(expression.clone()) {
            let quoted = expression.replace('\'', "''");
            writeln!(rules, "      - record: panel{}\n        expr: '{quoted}'", seen.len())
                .expect("it is text");
        }
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("panels.yml");
    fs::write(&file, rules).expect("it is written");
    prometheus::promtool(&["check", "rules", &file.display().to_string()]).expect("every expression is one");
}

#[test]
fn promtool_and_amtool_take_rules_tests_and_configurations() {
    if !prometheus::is_here() {
        return;
    }
    let path = |name: &str| deploy(name).display().to_string();
    prometheus::promtool(&["check", "config", &path("prometheus/prometheus.yml")])
        .expect("the configuration is right");
    let rules: Vec<_> =
        files("prometheus/rules").into_keys().map(|name| path(&format!("prometheus/rules/{name}"))).collect();
    let mut check = vec!["check", "rules", "--lint-fatal"];
    check.extend(rules.iter().map(String::as_str));
    prometheus::promtool(&check).expect("the rules are right");
    prometheus::promtool(&["test", "rules", &path("prometheus/tests/alerts.yml")])
        .expect("alerts fire when they should");
    prometheus::amtool(&["check-config", &path("alertmanager/alertmanager.yml")])
        .expect("Alertmanager can start");
}
