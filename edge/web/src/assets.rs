//! The files that pages use: styles, scripts, pictures. Each has a hash of its content in its name, so browsers keep it
//! for good and never have an old one.
//!
//! To add a file: put it into `assets` and name it in `FILES`; pages link it with [`href`].

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

use crate::urls;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
/// A year: the name changes with the content.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// So many hexadecimal digits of the hash are in a name.
const HASH_DIGITS: usize = 12;

macro_rules! file {
    ($name:literal, $media_type:expr) => {
        (
            $name,
            $media_type,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/", $name)) as &'static [u8],
        )
    };
}

/// Name, media type and content.
const FILES: &[(&str, &str, &[u8])] = &[
    file!("work.css", CSS),
    file!("door.js", SCRIPT),
    file!("door-worker.js", SCRIPT),
    file!("site.css", CSS),
    file!("icon.svg", SVG),
    file!("site.js", SCRIPT),
    file!("availability.js", SCRIPT),
    file!("countdown.js", SCRIPT),
    file!("widget.js", SCRIPT),
    file!("preview.js", SCRIPT),
];

struct Asset {
    name: &'static str,
    /// With the hash, such as `/assets/site.0a1b2c3d4e5f.css`.
    href: String,
    media_type: &'static str,
    content: &'static [u8],
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(name, media_type, content): &(&'static str, &'static str, &'static [u8])| {
        let hash: String =
            digest(&SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        let hashed = format!("{stem}.{}.{extension}", &hash[..HASH_DIGITS]);
        let href = urls::Asset { name: &hashed }.to_string();
        Asset { name, href, media_type, content }
    };
    FILES.iter().map(asset).collect()
});

/// The address of a file by its plain name, such as `site.css`. A name that there is not is a defect that the test of
/// all pages finds.
pub(crate) fn href(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| asset.href.as_str())
}

/// The content of a file by its plain name.
pub(crate) fn content(name: &str) -> &'static [u8] {
    ASSETS.iter().find(|asset| asset.name == name).map_or(b"", |asset| asset.content)
}

/// The file at a path; none where there is none.
pub(crate) fn at(path: &str) -> Option<Response> {
    let asset = ASSETS.iter().find(|asset| asset.href == path)?;
    let mut response = Body::from(asset.content).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    response.headers_mut().insert(CACHE_CONTROL, FOR_GOOD);
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_for_good_under_a_name_with_its_hash() {
        let href = href("site.css");
        assert!(href.starts_with("/assets/site.") && href.ends_with(".css"), "{href}");
        assert_eq!(at(href).unwrap().headers()[CACHE_CONTROL], FOR_GOOD);
        assert!(at("/assets/site.css").is_none() && at("/assets/site.000000000000.css").is_none());
    }
}
