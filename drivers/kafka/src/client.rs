//! The settings of librdkafka's clients. Safety rests on these, so each is written down, also where it is the default.

use std::time::Duration;

use rdkafka::ClientConfig;

use crate::settings::Settings;

/// The largest record, in bytes: facts are about half a kilobyte, so this is far more than any.
const MAX_MESSAGE_BYTES: u32 = 1_000_000;
/// The most that a client keeps of one partition before it is read.
const MAX_QUEUED_KILOBYTES: u32 = 8_192;
const MAX_QUEUED_MESSAGES: u32 = 10_000;
/// How long a broker may take to answer.
const REQUEST_TIMEOUT_MS: u32 = 10_000;

/// What all clients have in common.
pub fn common(settings: &Settings, name: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.servers)
        .set("client.id", name)
        .set("socket.timeout.ms", REQUEST_TIMEOUT_MS.to_string())
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        // A topic that a broker makes by itself would have other partitions and another retention.
        .set("allow.auto.create.topics", "false");
    let protocol = match (settings.tls, &settings.login) {
        (false, None) => "plaintext",
        (true, None) => "ssl",
        (false, Some(_)) => "sasl_plaintext",
        (true, Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(ca) = &settings.ca {
        config.set("ssl.ca.location", ca);
    }
    if let Some(login) = &settings.login {
        config.set("sasl.mechanism", &login.mechanism);
        config.set("sasl.username", &login.user).set("sasl.password", &login.password);
    }
    config
}

/// Of who publishes: what is acknowledged is kept by all replicas in sync, and what is sent again by the client is
/// there once, in order.
pub fn producer(settings: &Settings) -> ClientConfig {
    let mut config = common(settings, "boxoffice-relay");
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight.requests.per.connection", settings.max_in_flight.to_string())
        .set("retries", i32::MAX.to_string())
        .set("retry.backoff.ms", "100")
        .set("retry.backoff.max.ms", "1000")
        .set("request.timeout.ms", REQUEST_TIMEOUT_MS.to_string())
        // The client never gives up on a single record by itself: then a later one could be there without it.
        // Instead, who publishes gives up on all of them, and on this client (`publisher.rs`).
        .set("message.timeout.ms", "0")
        .set("enable.gapless.guarantee", "true")
        .set("message.max.bytes", MAX_MESSAGE_BYTES.to_string())
        .set("compression.type", &settings.compression)
        // Facts come in batches already.
        .set("linger.ms", "0")
        // As Kafka's own clients do it, so that change data capture puts a key into the same partition.
        .set("partitioner", "murmur2_random");
    config
}

/// How often a member of a group says that it is there, at the least. By the answer it learns that another one joined
/// or left, and until it has learned so, nobody reads the partitions that change hands.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Of who reads.
pub fn consumer(settings: &Settings, group: &str) -> ClientConfig {
    let mut config = common(settings, group);
    let session_ms = settings.session_timeout.as_millis();
    let heartbeat_ms = (session_ms / 3).min(HEARTBEAT.as_millis());
    config
        .set("group.id", group)
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", session_ms.to_string())
        .set("heartbeat.interval.ms", heartbeat_ms.to_string())
        .set("max.poll.interval.ms", Duration::from_secs(300).as_millis().to_string())
        // The position is in the reader's own store.
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Never guess where to go on.
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "500")
        .set("fetch.min.bytes", "1")
        .set("fetch.message.max.bytes", MAX_MESSAGE_BYTES.to_string())
        .set("fetch.error.backoff.ms", "100")
        .set("queued.min.messages", MAX_QUEUED_MESSAGES.to_string())
        .set("queued.max.messages.kbytes", MAX_QUEUED_KILOBYTES.to_string());
    config
}
