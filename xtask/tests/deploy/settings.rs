//! Every setting that `deploy/` uses is one of the program.

use std::{collections::BTreeSet, fs, path::Path};

use crate::root;

/// Read by compose.yaml itself, from `.env` or the shell.
const OF_COMPOSE: &[&str] = &["BOXOFFICE_PORT", "BOXOFFICE_PAGES_PORT", "BOXOFFICE_KAFKA"];

/// Every setting that the program reads from its environment, as its sources say.
fn of_the_program() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for_each_file(&root().join("boxoffice/src"), &mut |text| {
        let named = text.split("env = \"BOXOFFICE_").skip(1);
        found.extend(named.filter_map(|rest| Some(format!("BOXOFFICE_{}", rest.split_once('"')?.0))));
    });
    found
}

/// Every name of a setting in a text. A name that ends in `_` is the beginning of several.
fn names(text: &str) -> BTreeSet<String> {
    let rest = text.split("BOXOFFICE_").skip(1);
    let is_part = |letter: &char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || *letter == '_';
    let names = rest.map(|rest| rest.chars().take_while(is_part).collect::<String>());
    names
        .filter(|name| !name.is_empty() && !name.ends_with('_'))
        .map(|name| format!("BOXOFFICE_{name}"))
        .collect()
}

fn for_each_file(directory: &Path, visit: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            for_each_file(&path, visit);
        } else {
            visit(&String::from_utf8_lossy(&fs::read(path).unwrap()));
        }
    }
}

/// Those of a rendered manifest or configuration that no program knows.
pub fn unknown(text: &str) -> Vec<String> {
    let known = of_the_program();
    let is_known = |name: &String| known.contains(name) || OF_COMPOSE.contains(&name.as_str());
    names(text).into_iter().filter(|name| !is_known(name)).collect()
}

#[test]
fn every_setting_in_deploy_exists() {
    assert!(of_the_program().contains("BOXOFFICE_LISTEN"), "the sources are read");
    let mut used = BTreeSet::new();
    for_each_file(&root().join("deploy"), &mut |text| used.extend(names(text)));
    assert!(used.len() > 20, "{used:?}");
    let all: Vec<String> = used.into_iter().collect();
    assert_eq!(unknown(&all.join(" ")), Vec::<String>::new());
    assert_eq!(unknown("BOXOFFICE_NO_SUCH_SETTING=1"), ["BOXOFFICE_NO_SUCH_SETTING"]);
}
