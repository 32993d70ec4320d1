//! `boxoffice up --demo`: an organiser, a buyer and some events to look at.

use anyhow::Context;
use domain::Time;
use kit::Environment;
use serde_json::{Value, json};

use crate::{api::Api, data_dir::DataDir, platform::Platform};

/// The organiser of the sample events.
pub const ORGANIZER: &str = "organizer@demo.example";
/// Somebody who books.
pub const BUYER: &str = "buyer@demo.example";

const SECONDS_PER_DAY: i64 = 86_400;

/// One sample event.
struct Sample {
    title: &'static str,
    description: &'static str,
    starts_in_days: i64,
    hour: u32,
    hours: i64,
    zone: &'static str,
    venue: [&'static str; 3],
    categories: &'static [&'static str],
    /// Name, price in cents and places.
    types: &'static [(&'static str, i64, u32)],
}

const SAMPLES: &[Sample] = &[
    Sample {
        title: "Village Brass: a summer evening",
        description: "Twelve players, one square, and the baker keeps his oven on.\n\nFree of charge; bring a chair.",
        starts_in_days: 12,
        hour: 18,
        hours: 3,
        zone: "Europe/Berlin",
        venue: ["Marktplatz", "Oberdorf", "Germany"],
        categories: &["music", "open air"],
        types: &[("Admission", 0, 120)],
    },
    Sample {
        title: "Rust in Production 2027",
        description: "Two days of talks by people who are on call for what they write.",
        starts_in_days: 60,
        hour: 8,
        hours: 34,
        zone: "Europe/Amsterdam",
        venue: ["Pakhuis", "Amsterdam", "Netherlands"],
        categories: &["rust", "conference"],
        types: &[("Early bird", 19_900, 100), ("Regular", 29_900, 400), ("Student", 4_900, 50)],
    },
    Sample {
        title: "La nuit du théâtre",
        description: "Trois pièces courtes, un seul entracte.",
        starts_in_days: 20,
        hour: 19,
        hours: 4,
        zone: "Europe/Paris",
        venue: ["Théâtre des Quais", "Lyon", "France"],
        categories: &["theatre"],
        types: &[("Parterre", 3_200, 180), ("Balcon", 2_100, 90)],
    },
    Sample {
        title: "Ten seats: a tasting",
        description: "A small table. When it is full, it is full.",
        starts_in_days: 5,
        hour: 17,
        hours: 2,
        zone: "Europe/Lisbon",
        venue: ["Adega", "Porto", "Portugal"],
        categories: &["food"],
        types: &[("Seat", 4_500, 10)],
    },
    Sample {
        title: "Night run by the river",
        description: "Ten kilometres with a lamp. The start is at the old bridge.",
        starts_in_days: 33,
        hour: 20,
        hours: 3,
        zone: "Europe/Madrid",
        venue: ["Puente Viejo", "Zaragoza", "Spain"],
        categories: &["sport"],
        types: &[("Runner", 1_500, 800), ("Supporter", 0, 300)],
    },
    Sample {
        title: "हिन्दी कविता संध्या",
        description: "An evening of Hindi poetry, with tea.",
        starts_in_days: 45,
        hour: 13,
        hours: 3,
        zone: "Asia/Kolkata",
        venue: ["Sabhagar", "Delhi", "India"],
        categories: &["poetry", "literature"],
        types: &[("Admission", 0, 60)],
    },
];

/// What a demo is signed in with.
pub struct Access {
    /// The password of both accounts, made at first start.
    pub password: String,
}

/// Makes sure that the sample accounts and events are there.
///
/// # Errors
/// When the platform refuses a sample, which is a defect of the sample.
pub async fn set_up(platform: &Platform, data: &std::path::Path) -> anyhow::Result<Access> {
    let password = password(platform, data)?;
    let environment = platform.environment.clone();
    let anonymous = api(platform, None);
    for (name, email, gender, birth_year) in
        [("Olga Organizer", ORGANIZER, "FEMALE", 1980), ("Bruno Buyer", BUYER, "MALE", 1995)]
    {
        let account = json!({
            "name": name, "email": email, "password": password, "gender": gender, "birth_year": birth_year,
        });
        let (status, body) = anonymous.post("/v1/auth/register", &account).await?;
        let is_there = status.is_success() || body["code"] == "email_taken";
        anyhow::ensure!(is_there, "the account {email} was refused: {body}");
    }
    let account = user::find_by_email(platform.stores.user.as_ref(), ORGANIZER).await?;
    let organizer = api(platform, Some(account.context("the sample organiser is gone")?.id));
    for sample in SAMPLES {
        let (status, body) = organizer.post("/v1/events", &event(sample, &environment)).await?;
        let is_there = status.is_success() || body["code"] == "already_exists";
        anyhow::ensure!(is_there, "the event {} was refused: {body}", sample.title);
    }
    Ok(Access { password })
}

fn api(platform: &Platform, user: Option<domain::UserId>) -> Api {
    Api::Local {
        gateway: platform.gateway.clone(),
        signer: platform.signer.clone(),
        environment: platform.environment.clone(),
        user,
    }
}

/// No password is built in: it is made once and kept beside the keys.
fn password(platform: &Platform, data: &std::path::Path) -> anyhow::Result<String> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let fresh = || Ok(BASE64_URL_SAFE_NO_PAD.encode(platform.environment.random::<9>()).into_bytes());
    Ok(String::from_utf8(DataDir::kept_secret(data, "demo-password", fresh)?)?)
}

fn event(sample: &Sample, environment: &Environment) -> Value {
    let today = environment.now().day().start();
    let start = today.plus_seconds(sample.starts_in_days * SECONDS_PER_DAY + i64::from(sample.hour) * 3_600);
    let end: Time = start.plus_seconds(sample.hours * 3_600);
    let [venue, city, country] = sample.venue;
    let kind = |(name, minor, places): &(&str, i64, u32)| json!({ "name": name, "quantity": places, "price": { "currency": "EUR", "minor": minor } });
    json!({
        "title": sample.title,
        "description": sample.description,
        "starts_at": start.to_string(),
        "ends_at": end.to_string(),
        "time_zone": sample.zone,
        "venue": { "name": venue, "city": city, "country": country },
        "categories": sample.categories,
        "ticket_types": sample.types.iter().map(kind).collect::<Vec<_>>(),
        "external_id": format!("demo:{}", sample.title),
        "publish": true,
    })
}
