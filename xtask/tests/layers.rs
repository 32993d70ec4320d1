//! The architecture page and the workspace say the same: every package is on the page, and uses only
//! what the page allows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace is there")
}

/// The last column of the table "What may use what", by package folder.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("there is an ARCHITECTURE.md");
    let table = page.split("## What may use what").nth(1).expect("the page has the table");
    let table = table.split("\n## ").next().unwrap_or(table);
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let package = cells[0].trim_matches('`').to_owned();
        let may_use = cells.last().expect("a row has cells").split(',').map(|name| name.trim().to_owned());
        (package, may_use.filter(|name| !name.is_empty() && name != "nothing").collect())
    })
    .collect()
}

/// The packages of the workspace that each package uses, by folder; dev-dependencies are not part of the product.
fn used() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let edges = |package: &Value| {
        let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a package has a manifest"));
        let folder =
            manifest.parent().expect("a manifest is in a folder").strip_prefix(root()).expect("of ours");
        let dependencies = package["dependencies"].as_array().expect("there are dependencies");
        let in_workspace = dependencies.iter().filter(|d| !d["path"].is_null() && d["kind"] != "dev");
        let names = in_workspace.map(|d| d["name"].as_str().expect("a dependency has a name").to_owned());
        (folder.display().to_string(), names.collect())
    };
    packages.iter().map(edges).collect()
}

#[test]
fn every_package_uses_only_what_the_architecture_page_allows() {
    let (allowed, used) = (allowed(), used());
    let on_page: BTreeSet<_> = allowed.keys().collect();
    let in_workspace: BTreeSet<_> = used.keys().collect();
    assert_eq!(on_page, in_workspace, "the page and the workspace have other packages");
    for (package, uses) in used {
        let too_much: Vec<_> = uses.difference(&allowed[&package]).collect();
        assert!(too_much.is_empty(), "{package} must not use {too_much:?}");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    const MAX_LINES: usize = 400;
    let listed =
        Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()).output().expect("git runs");
    let files = String::from_utf8(listed.stdout).expect("file names are text");
    for file in files.lines().filter(|file| !file.contains("/src/gen/")) {
        let lines = fs::read_to_string(root().join(file)).map_or(0, |text| text.lines().count());
        assert!(lines <= MAX_LINES, "{file} has {lines} lines: is it still one thing?");
    }
}
