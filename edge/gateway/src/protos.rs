//! Contracts that are read while the program runs: a `.proto` with its imports, a descriptor set, or whatever a
//! server says of itself by reflection.

mod reflection;

use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;
use protox::{
    Compiler,
    file::{ChainFileResolver, DescriptorSetFileResolver, GoogleFileResolver, IncludeFileResolver},
};

pub(crate) use reflection::reflected;

/// The longest file, in bytes.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// Imports are looked for in the directory of the file and in so many above it.
const MAX_LEVELS: usize = 8;
/// What files with a descriptor set are called; those with source end in `.proto`.
const SETS: &[&str] = &["pb", "binpb", "desc", "protoset"];

/// Reads a file: source where its name ends in `.proto`, otherwise a descriptor set.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn read(path: &Path) -> Result<DescriptorPool, String> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let length = std::fs::metadata(path).map_err(|_| format!("there is no file {}", path.display()))?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("{} has more than {MAX_FILE_BYTES} bytes", path.display()));
    }
    match extension {
        "proto" => compile(path),
        set if SETS.contains(&set) => {
            let bytes = std::fs::read(path).map_err(|_| format!("{} cannot be read", path.display()))?;
            DescriptorPool::decode(bytes.as_slice()).map_err(|error| format!("{}: {error}", path.display()))
        }
        _ => Err(format!("{} must end in .proto, or in .pb, .binpb, .desc or .protoset", path.display())),
    }
}

fn compile(path: &Path) -> Result<DescriptorPool, String> {
    let path = path.canonicalize().map_err(|_| format!("there is no file {}", path.display()))?;
    let directories: Vec<PathBuf> = path.ancestors().skip(1).take(MAX_LEVELS).map(Path::to_owned).collect();
    let mut chain = ChainFileResolver::new();
    for directory in &directories {
        chain.add(IncludeFileResolver::new(directory.clone()));
    }
    // What everybody imports and few have at hand.
    chain.add(GoogleFileResolver::new());
    chain.add(DescriptorSetFileResolver::new(google_api()));
    let mut compiler = Compiler::with_file_resolver(chain);
    compiler.include_imports(true);
    // Where the file imports its neighbours by a path from further up, it must itself be known by that path.
    let names = directories.iter().filter_map(|directory| path.strip_prefix(directory).ok());
    let mut first = None;
    for name in names {
        match compiler.open_file(name) {
            Ok(_) => return as_pool(&compiler.encode_file_descriptor_set()),
            Err(error) => first = first.or(Some(error)),
        }
    }
    let why = first.map_or_else(|| "it cannot be read".to_owned(), |error| error.to_string());
    Err(format!("{}: {why}", path.display()))
}

/// `google/api/*.proto`, as our own contracts have them.
fn google_api() -> FileDescriptorSet {
    let files =
        proto::descriptors().files().map(|file| file.file_descriptor_proto().clone()).collect::<Vec<_>>();
    let is_google = |name: &str| name.starts_with("google/");
    FileDescriptorSet { file: files.into_iter().filter(|file| is_google(file.name())).collect() }
}

/// Options such as `google.api.http` are known only to who decodes them with their definition at hand, so files are
/// passed on as bytes until all are together.
fn as_pool(set: &[u8]) -> Result<DescriptorPool, String> {
    DescriptorPool::decode(set).map_err(|error| error.to_string())
}
