//! Makes typed Rust of the catalogues in `locales`: a text that a language lacks, or has with other variables than
//! English, fails the build; so does a page that uses a text that there is not.

#[path = "catalogue.rs"]
mod catalogue;
#[path = "generate.rs"]
mod generate;

use std::{env, fs, path::Path};

use catalogue::Catalogue;

fn main() {
    let folder = Path::new("locales");
    println!("cargo::rerun-if-changed=locales");
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut catalogues: Vec<Catalogue> = files
        .map(|file| file.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ftl"))
        .map(|path| Catalogue::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display())))
        .collect();
    catalogues.sort_by(|one, other| one.code.cmp(&other.code));
    let english =
        catalogues.iter().find(|catalogue| catalogue.code == "en").expect("there is locales/en.ftl");
    let faults: Vec<String> =
        catalogues.iter().flat_map(|catalogue| catalogue.differences(english)).collect();
    assert!(faults.is_empty(), "the catalogues are not complete:\n  {}", faults.join("\n  "));
    let code = generate::rust(&catalogues, english);
    let target = Path::new(&env::var_os("OUT_DIR").expect("cargo says where")).join("catalogue.rs");
    fs::write(&target, code).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
}
