//! The URL of a deployment: `kafka://host:port,host:port?option=value`.

use std::{fmt, time::Duration};

use bus::Topic;

use crate::SetupError;

const SCHEME: &str = "kafka://";
/// The groups of a cluster are shared with others: ours begin so.
const GROUP: &str = "boxoffice-";
/// What may follow the question mark.
const OPTIONS: &str =
    "prefix, delivery_timeout_ms, session_timeout_ms, max_in_flight, compression, tls, ca, sasl";
/// The shortest and longest that a time may be, in milliseconds.
const TIMES_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;
/// How many requests may be under way: brokers remember the sequence numbers of five.
const IN_FLIGHT: std::ops::RangeInclusive<u8> = 1..=5;

/// How a cluster is reached.
///
/// | option | means | default |
/// | --- | --- | --- |
/// | `prefix` | comes before the names of topics and groups, where a cluster is shared by several platforms | none |
/// | `delivery_timeout_ms` | how long publishing may take before it is an error | 30000 |
/// | `session_timeout_ms` | how long a reader may be silent before others take over its partitions | 10000 |
/// | `max_in_flight` | how many requests of who publishes are under way at once, 1 to 5; more than 1 keeps the order only on brokers that check the sequence numbers of idempotent producers, as Apache Kafka's do | 5 |
/// | `compression` | of what is published: `none`, `lz4` or `snappy` | `lz4` |
/// | `tls` | `true`: by TLS; needs the feature `tls` | `false` |
/// | `ca` | file with the certificates that are trusted | the system's |
/// | `sasl` | how user and password of the URL are shown: `plain`, `scram-sha-256`, `scram-sha-512` | `plain` |
#[derive(Clone)]
pub struct Settings {
    pub(crate) servers: String,
    pub(crate) prefix: String,
    pub(crate) delivery_timeout: Duration,
    pub(crate) session_timeout: Duration,
    pub(crate) max_in_flight: u8,
    pub(crate) compression: String,
    pub(crate) tls: bool,
    pub(crate) ca: Option<String>,
    pub(crate) login: Option<Login>,
}

/// Who we say we are.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) mechanism: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Settings {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("servers", &self.servers).finish_non_exhaustive()
    }
}

impl Settings {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is no Kafka URL, or an option is unknown or has a value that makes no sense.
    pub fn from_url(url: &str) -> Result<Self, SetupError> {
        let wrong = |why: String| SetupError::Url(why);
        let rest = url.strip_prefix(SCHEME).ok_or_else(|| wrong(format!("must begin with {SCHEME}")))?;
        let (address, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, servers) = match address.rsplit_once('@') {
            Some((login, servers)) => (Some(login), servers),
            None => (None, address),
        };
        let servers = servers.trim_end_matches('/');
        check_servers(servers)?;
        let mut settings = Self {
            servers: servers.to_owned(),
            prefix: String::new(),
            delivery_timeout: Duration::from_secs(30),
            session_timeout: Duration::from_secs(10),
            max_in_flight: *IN_FLIGHT.end(),
            compression: "lz4".to_owned(),
            tls: false,
            ca: None,
            login: login.map(read_login).transpose()?,
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            settings.set(name, value)?;
        }
        Ok(settings)
    }

    /// Where the brokers are.
    #[must_use]
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// The name of a topic on the cluster.
    #[must_use]
    pub fn topic(&self, topic: Topic) -> String {
        format!("{}{}", self.prefix, topic.name())
    }

    /// The name of the topic on which facts of a topic are told that somebody could not process.
    #[must_use]
    pub fn parked_topic(&self, topic: Topic) -> String {
        format!("{}{}.parked", self.prefix, topic.name())
    }

    /// The consumer group of a service.
    #[must_use]
    pub fn group(&self, service: &str) -> String {
        format!("{}{GROUP}{service}", self.prefix)
    }

    /// The topic that has this name on the cluster.
    pub(crate) fn topic_named(&self, name: &str) -> Option<Topic> {
        Topic::from_name(name.strip_prefix(&self.prefix)?)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), SetupError> {
        let wrong =
            |expected: &str| Err(SetupError::Url(format!("has {name}={value}: it must be {expected}")));
        match (name, value) {
            ("prefix", _)
                if value.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter)) =>
            {
                value.clone_into(&mut self.prefix);
            }
            ("prefix", _) => return wrong("letters, digits, dots, lines and underscores"),
            ("delivery_timeout_ms", _) => self.delivery_timeout = time(name, value)?,
            ("session_timeout_ms", _) => self.session_timeout = time(name, value)?,
            ("max_in_flight", _) => match value.parse() {
                Ok(requests) if IN_FLIGHT.contains(&requests) => self.max_in_flight = requests,
                _ => return wrong("1 to 5"),
            },
            ("compression", "none" | "lz4" | "snappy") => value.clone_into(&mut self.compression),
            ("compression", _) => return wrong("none, lz4 or snappy"),
            ("tls", "true") if cfg!(feature = "tls") => self.tls = true,
            ("tls", "true") => return wrong("false: this program was built without the feature tls"),
            ("tls", "false") => self.tls = false,
            ("tls", _) => return wrong("true or false"),
            ("ca", "") => return wrong("a file"),
            ("ca", _) => self.ca = Some(decoded(value)),
            ("sasl", "plain" | "scram-sha-256" | "scram-sha-512") => match &mut self.login {
                Some(_) if value != "plain" && cfg!(not(feature = "tls")) => {
                    return wrong("plain: this program was built without the feature tls");
                }
                Some(login) => login.mechanism = value.to_ascii_uppercase(),
                None => {
                    return Err(SetupError::Url(
                        "has sasl, but no user:password@ before the host".to_owned(),
                    ));
                }
            },
            ("sasl", _) => return wrong("plain, scram-sha-256 or scram-sha-512"),
            _ => return Err(SetupError::Url(format!("has the unknown option {name}: there are {OPTIONS}"))),
        }
        Ok(())
    }
}

fn check_servers(servers: &str) -> Result<(), SetupError> {
    for server in servers.split(',') {
        let port = server.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        if port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            return Err(SetupError::Url(format!("names {server:?}, which is not host:port")));
        }
    }
    Ok(())
}

fn read_login(login: &str) -> Result<Login, SetupError> {
    let Some((user, password)) = login.split_once(':') else {
        return Err(SetupError::Url("has a user without a password: user:password@host:port".to_owned()));
    };
    Ok(Login { mechanism: "PLAIN".to_owned(), user: decoded(user), password: decoded(password) })
}

fn time(name: &str, value: &str) -> Result<Duration, SetupError> {
    match value.parse::<u64>() {
        Ok(ms) if TIMES_MS.contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err(SetupError::Url(format!(
            "has {name}={value}: it must be {} to {} milliseconds",
            TIMES_MS.start(),
            TIMES_MS.end()
        ))),
    }
}

/// With `%40` and the like read as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_brokers_and_options() {
        let url = "kafka://one:9092,two:9093?delivery_timeout_ms=5000&compression=none";
        let settings = Settings::from_url(url).unwrap();
        assert_eq!(settings.servers(), "one:9092,two:9093");
        assert_eq!(settings.delivery_timeout, Duration::from_secs(5));
        assert_eq!(settings.compression, "none");
    }

    #[test]
    fn a_login_is_read_and_never_shown() {
        let settings = Settings::from_url("kafka://ada:s%40cret@one:9092?sasl=plain").unwrap();
        let login = settings.login.as_ref().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("ada", "s@cret"));
        assert!(!format!("{settings:?}").contains("cret"));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (url, named) in [
            ("http://one:9092", "kafka://"),
            ("kafka://", "host:port"),
            ("kafka://one", "\"one\""),
            ("kafka://one:9092,two:x", "\"two:x\""),
            ("kafka://one:9092?acks=0", "acks"),
            ("kafka://one:9092?delivery_timeout_ms=1", "delivery_timeout_ms"),
            ("kafka://one:9092?max_in_flight=6", "max_in_flight"),
            ("kafka://one:9092?compression=zip", "compression"),
            ("kafka://one:9092?tls=yes", "tls"),
            ("kafka://one:9092?prefix=a/b", "prefix"),
            ("kafka://one:9092?sasl=plain", "user:password@"),
            ("kafka://ada@one:9092", "password"),
        ] {
            let error = Settings::from_url(url).unwrap_err().to_string();
            assert!(error.contains(named), "{url}: {error}");
        }
    }
}
