//! Makes the echo service's code and descriptor set from its contract, without protoc.

use std::{env, fs, path::PathBuf};

use anyhow::Context;
use prost::Message;

/// Where `google/api` is.
const SHARED_PROTOS: &str = "../../core/proto/proto";

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=proto");
    let target = PathBuf::from(env::var_os("OUT_DIR").context("cargo names no OUT_DIR")?);
    let mut compiler = protox::Compiler::new(["proto", SHARED_PROTOS])?;
    compiler.include_imports(true).open_file("echo.proto")?;
    let descriptor_set = compiler.encode_file_descriptor_set();
    fs::write(target.join("echo.bin"), &descriptor_set)?;
    // Decoding drops the REST bindings, which the code generator cannot use.
    let plain = prost_types::FileDescriptorSet::decode(descriptor_set.as_slice())?;
    tonic_prost_build::configure().out_dir(&target).compile_fds(plain)?;
    Ok(())
}
