//! Code generation without protoc: protox compiles the protos, tonic-prost-build writes the Rust.
//! The result is committed, so building the product needs neither.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use prost::Message;

/// The file that holds the descriptor set, with comments and options.
const DESCRIPTOR_SET: &str = "descriptors.bin";

/// Writes the generated files into `core/proto/src/gen`.
pub fn generate() -> anyhow::Result<()> {
    let target = contracts_root().join("src/gen");
    fs::create_dir_all(&target)?;
    for (name, content) in files()? {
        fs::write(target.join(&name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// Fails when a committed file differs from what the protos give.
pub fn check() -> anyhow::Result<()> {
    let target = contracts_root().join("src/gen");
    for (name, content) in files()? {
        if fs::read(target.join(&name)).unwrap_or_default() != content {
            bail!("core/proto/src/gen/{name} is not current: run `cargo xtask gen` and commit the result");
        }
    }
    Ok(())
}

fn contracts_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/proto")
}

/// Generates everything into a scratch directory and reads it back.
fn files() -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let root = contracts_root().join("proto");
    let mut sources: Vec<PathBuf> = fs::read_dir(root.join("boxoffice/v1"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    sources.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&sources)?;
    let descriptor_set = compiler.encode_file_descriptor_set();

    let scratch = std::env::temp_dir().join(format!("boxoffice-gen-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    // Decoding drops the options that only our own tools read, which the code generator cannot use.
    let plain = prost_types::FileDescriptorSet::decode(descriptor_set.as_slice())?;
    tonic_prost_build::configure()
        .out_dir(&scratch)
        .disable_comments(["."])
        .codec_path("crate::Codec")
        .extern_path(".google.api.HttpBody", "crate::google_api::HttpBody")
        .compile_fds(plain)?;

    let mut files = BTreeMap::from([(DESCRIPTOR_SET.to_owned(), descriptor_set)]);
    for entry in fs::read_dir(&scratch)? {
        let path = entry?.path();
        let name = path.file_name().context("a generated file has no name")?;
        let name = name.to_string_lossy().into_owned();
        // Well-known types come from prost-types; an empty file for them is of no use.
        if name.starts_with("boxoffice") {
            files.insert(name, fs::read(&path)?);
        }
    }
    fs::remove_dir_all(&scratch)?;
    Ok(files)
}
