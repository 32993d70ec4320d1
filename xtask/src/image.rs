//! The image of the program: built as `deploy/Dockerfile` says, as far as that goes without a registry, and run as
//! `deploy/compose.yaml` runs it.
//!
//! The first stage of the Dockerfile needs an image of Rust. Its commands are run here instead, and what they leave is
//! given to the last stage, which is FROM scratch.

use std::{
    env,
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use engines::{docker::Docker, process, tools};

/// The most that the program may take in the image, in bytes.
const MAX_BYTES: u64 = 60_000_000;
/// The target that the Dockerfile builds.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Where the CA certificates of this machine are.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// The image.
const IMAGE: &str = "boxoffice:test";
/// How compose confines it.
const CONFINED: &[&str] = &["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
/// How long the platform may take to be well.
const PATIENCE: Duration = Duration::from_secs(60);

/// What to build it of.
#[derive(clap::Args)]
pub struct Arguments {
    /// A statically linked program that is there already, instead of building one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Builds and checks it.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let missing = tools::missing(engines::docker::PROGRAMS);
    if let Some(package) = missing.first() {
        let why = format!("the image cannot be tested without Docker Engine: {}", package.hint());
        ensure!(env::var_os("CI").is_none(), "{why}");
        println!("NOT TESTED: {why}");
        return Ok(());
    }
    let program = arguments.program.clone().map_or_else(build, Ok)?;
    let bytes = fs::metadata(&program).with_context(|| format!("cannot read {}", program.display()))?.len();
    let directory = tempfile::tempdir()?;
    let docker = Docker::start(directory.path())?;
    image(&docker, directory.path(), &program)?;
    keys_are_made(&docker)?;
    the_platform_is_well(&docker, directory.path())?;
    println!("the image runs confined, is healthy, and is found by its name");
    ensure!(bytes <= MAX_BYTES, "the program has {bytes} bytes, more than {MAX_BYTES}");
    Ok(())
}

/// What the first stage of the Dockerfile does.
fn build() -> anyhow::Result<PathBuf> {
    let target = Path::new("target/image");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--profile", "image", "--locked", "--package", "boxoffice", "--features", "fleet"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status()?;
    ensure!(status.success(), "the program cannot be built statically");
    Ok(target.join(TARGET).join("image/boxoffice"))
}

/// The last stage of the Dockerfile, with the program as the first would leave it.
fn image(docker: &Docker, directory: &Path, program: &Path) -> anyhow::Result<()> {
    let out = directory.join("built/out");
    DirBuilder::new().recursive(true).mode(0o755).create(out.join("etc/ssl/certs"))?;
    for empty in ["data", "keys"] {
        DirBuilder::new().mode(0o755).create(out.join(empty))?;
    }
    fs::copy(program, out.join("boxoffice"))?;
    fs::copy(CERTIFICATES, out.join("etc/ssl/certs/ca-certificates.crt"))
        .context("there are no CA certificates: apt-get install ca-certificates")?;
    let built = directory.join("built");
    fs::write(built.join("Dockerfile"), "FROM scratch\nCOPY out /out\n")?;
    process::output(docker.command().args(["build", "--quiet", "--tag", "built:test"]).arg(&built))?;
    let mut last = docker.command();
    last.args(["build", "--quiet", "--file", "deploy/Dockerfile", "--build-arg", "PROGRAM=built:test"]);
    process::output(last.args(["--tag", IMAGE, "."]))?;
    let user = docker.run(&["image", "inspect", "--format", "{{.Config.User}}", IMAGE])?;
    ensure!(user.trim() == "65532:65532", "the image runs as {user}");
    Ok(())
}

/// The job of compose.yaml: a new volume belongs to the program.
fn keys_are_made(docker: &Docker) -> anyhow::Result<()> {
    let mut keys = docker.command();
    keys.args(["run", "--rm", "--network", "none", "--volume", "keys:/keys"]).args(CONFINED);
    process::output(keys.args([IMAGE, "keys", "/keys"])).context("the keys cannot be made")?;
    Ok(())
}

/// The whole platform in one container, whose health check is run in it, and another that asks it by name how it is.
fn the_platform_is_well(docker: &Docker, directory: &Path) -> anyhow::Result<()> {
    // The image's own health check asks the admin port of a role; the whole platform has none.
    let variant = directory.join("variant");
    fs::create_dir(&variant)?;
    let dockerfile = format!(
        "FROM {IMAGE}\nHEALTHCHECK --interval=1s --timeout=3s CMD [\"/boxoffice\", \"health\", \
         \"http://127.0.0.1:8000/readyz\"]\n"
    );
    fs::write(variant.join("Dockerfile"), dockerfile)?;
    process::output(docker.command().args(["build", "--quiet", "--tag", "platform:test"]).arg(&variant))?;
    docker.run(&["network", "create", "inside"])?;
    let mut up = docker.command();
    up.args(["run", "--detach", "--name", "platform", "--network", "inside", "--volume", "data:/data"]);
    process::output(up.args(CONFINED).args(["platform:test", "up"]))?;
    let health = || docker.run(&["inspect", "--format", "{{.State.Health.Status}}", "platform"]);
    let until = Instant::now() + PATIENCE;
    while health()?.trim() != "healthy" {
        if Instant::now() > until {
            let log = docker.run(&["logs", "platform"]).unwrap_or_default();
            bail!("the platform is not healthy after {PATIENCE:?}; its log: {log}");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let ask = |page: &str| {
        let mut ask = docker.command();
        ask.args(["run", "--rm", "--network", "inside", "--no-healthcheck"]).args(CONFINED);
        process::output(ask.args([IMAGE, "health", &format!("http://platform:8000/{page}")]))
    };
    ask("readyz").context("it is not found by its name")?;
    ensure!(ask("no-such-page").is_err(), "a page that is not there is not health");
    docker.run(&["stop", "platform"])?;
    let ended = docker.run(&["inspect", "--format", "{{.State.ExitCode}}", "platform"])?;
    ensure!(ended.trim() == "0", "it was told to stop and ended with {ended}");
    Ok(())
}
