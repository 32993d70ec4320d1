//! Figures of the process itself and of the files that it keeps.

use std::{path::Path, time::Duration};

use kit::{Environment, Runtime};

use crate::data_dir::DataDir;

/// How often the sizes of files are read.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// The services that keep a database.
const SERVICES: [&str; 6] = ["user", "event", "ticket", "feedback", "notification", "analytics"];
/// What SQLite puts beside a database.
const WRITE_AHEAD_LOG: &str = "-wal";

/// Says what runs since when, and keeps the sizes of the databases current.
pub fn start(runtime: &Runtime, data: &DataDir, environment: &Environment) {
    let databases = runtime.metrics.register(|catalogue| {
        let started = catalogue.float_gauge(
            "boxoffice_start_time_seconds",
            "When the platform was started, in seconds since 1970 UTC",
        );
        started.set(environment.now().micros() as f64 / 1e6);
        let build =
            catalogue.gauges("boxoffice_build_info", &["version"], "Always 1, with the version that runs");
        build.with([env!("CARGO_PKG_VERSION")]).set(1);
        catalogue.gauges(
            "boxoffice_database_bytes",
            &["service"],
            "The size of a service's embedded database with its write-ahead log",
        )
    });
    let files = SERVICES.map(|service| (data.database(service), databases.with([service])));
    let shutdown = runtime.shutdown.clone();
    runtime.tasks.spawn(async move {
        loop {
            for (file, gauge) in &files {
                let mut beside = file.clone().into_os_string();
                beside.push(WRITE_AHEAD_LOG);
                let bytes = size(file).await + size(Path::new(&beside)).await;
                gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
        }
    });
}

/// In bytes; 0 when there is no such file.
async fn size(file: &Path) -> u64 {
    tokio::fs::metadata(file).await.map_or(0, |metadata| metadata.len())
}
