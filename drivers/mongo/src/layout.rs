//! The layout of a database: which collections and indexes there are, and for whom it was made.

use std::fmt::Write as _;

use bus::Topic;
use mongodb::{
    IndexModel,
    bson::{Document, doc},
    options::IndexOptions,
};
use serde::{Deserialize, Serialize};
use store::{ColumnKind, Indexed, Row, Table};

use crate::{
    database::{ANSWERS, COMMITS, Dialect, LOG, META, PARKED, POSITIONS, Place, outbox, table_collection},
    document::{EntryDoc, EntryKind, padded},
    error::{NotInserted, OpenError, in_time},
};

/// The layout that this program makes.
pub const LAYOUT: i64 = 1;

/// What a database says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LayoutDoc {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    service: String,
    tables: String,
}

/// The id of that document.
const LAYOUT_ID: &str = "layout";

/// Checks that a database was made for this service.
pub async fn check<R: Row>(place: &Place) -> Result<(), OpenError> {
    let found = find(place).await?;
    let not_migrated = OpenError::NotMigrated { place: place.name.clone(), service: R::SERVICE };
    let found = found.ok_or(not_migrated)?;
    check_version(place, &found)?;
    if found.version < LAYOUT {
        return Err(OpenError::Older { place: place.name.clone(), found: found.version, known: LAYOUT });
    }
    check_made_for::<R>(place, &found)
}

/// Makes what is missing.
pub async fn make<R: Row>(place: &Place) -> Result<(), OpenError> {
    for table in R::TABLES {
        let is_taken = table.name.is_empty() || table.name.contains(['$', '\0', '.']);
        if is_taken {
            return Err(OpenError::Name { name: table.name.to_owned() });
        }
    }
    let found = find(place).await?;
    if let Some(found) = &found {
        check_version(place, found)?;
        check_made_for::<R>(place, found)?;
    } else {
        begin_log(place).await?;
    }
    make_collections::<R>(place).await?;
    if place.dialect == Dialect::MongoDb {
        make_indexes::<R>(place).await?;
    }
    if found.is_none() {
        // Last: what says so is whole.
        let layout = LayoutDoc {
            id: LAYOUT_ID.to_owned(),
            version: LAYOUT,
            service: R::SERVICE.to_owned(),
            tables: describe(R::TABLES),
        };
        insert_once(place, META, &layout).await?;
    }
    Ok(())
}

async fn find(place: &Place) -> Result<Option<LayoutDoc>, OpenError> {
    place.by_id(META, LAYOUT_ID).await.map_err(|failure| unusable(place, failure.to_string()))
}

fn unusable(place: &Place, why: String) -> OpenError {
    OpenError::Unusable { place: place.name.clone(), why }
}

fn check_version(place: &Place, found: &LayoutDoc) -> Result<(), OpenError> {
    if found.version > LAYOUT {
        return Err(OpenError::Newer { place: place.name.clone(), found: found.version, known: LAYOUT });
    }
    Ok(())
}

fn check_made_for<R: Row>(place: &Place, found: &LayoutDoc) -> Result<(), OpenError> {
    let name = place.name.clone();
    if found.service != R::SERVICE {
        return Err(OpenError::OtherService {
            place: name,
            found: found.service.clone(),
            wanted: R::SERVICE,
        });
    }
    if found.tables != describe(R::TABLES) {
        return Err(OpenError::OtherColumns { place: name });
    }
    Ok(())
}

/// The tables as text, to notice a change.
fn describe(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}:", table.name);
        for column in table.columns {
            let _ = write!(
                text,
                " {} {:?}{}",
                column.name,
                column.kind,
                if column.unique { " unique" } else { "" }
            );
        }
        text.push(';');
    }
    text
}

async fn insert_once<T: Serialize + Send + Sync>(
    place: &Place,
    collection: &str,
    one: &T,
) -> Result<(), OpenError> {
    match place.insert(collection, one).await {
        Ok(()) | Err(NotInserted::Duplicate) => Ok(()),
        Err(NotInserted::Surely(why) | NotInserted::Perhaps(why)) => Err(unusable(place, why)),
    }
}

/// The entry before the first.
async fn begin_log(place: &Place) -> Result<(), OpenError> {
    let beginning = EntryDoc {
        id: padded(0),
        kind: EntryKind::Mark,
        commit: None,
        at_us: 0,
        mark: 0,
        by: String::new(),
        heads: Default::default(),
        rows: Vec::new(),
        forgotten: Vec::new(),
        facts: Vec::new(),
        answers: Vec::new(),
        positions: Vec::new(),
        parked: Vec::new(),
        unparked: Vec::new(),
    };
    insert_once(place, LOG, &beginning).await
}

/// They would be made by the first write; so that the account needs no right to make any later, all are made now.
async fn make_collections<R: Row>(place: &Place) -> Result<(), OpenError> {
    let tables = R::TABLES.iter().map(|table| table_collection(table.name));
    let outboxes = Topic::ALL.into_iter().map(outbox);
    let own = [LOG, ANSWERS, POSITIONS, PARKED, COMMITS, META].map(str::to_owned);
    let there = in_time(async { place.database.list_collection_names().await }).await;
    let there = there.map_err(|failure| unusable(place, failure.to_string()))?;
    for name in own.into_iter().chain(tables).chain(outboxes).filter(|name| !there.contains(name)) {
        let made = in_time(async { place.database.create_collection(&name).await }).await;
        made.map_err(|failure| unusable(place, failure.to_string()))?;
    }
    Ok(())
}

/// FerretDB looks nothing up in an index but whole ids, so it has none of these to keep up to date.
async fn make_indexes<R: Row>(place: &Place) -> Result<(), OpenError> {
    for table in R::TABLES {
        make_index_of(place, &table_collection(table.name), indexes(table)).await?;
    }
    for topic in Topic::ALL {
        make_index_of(place, &outbox(topic), vec![index(doc! { "aggregateid": 1, "_id": 1 })]).await?;
    }
    for collection in [ANSWERS, COMMITS] {
        make_index_of(place, collection, vec![index(doc! { "at_us": 1 })]).await?;
    }
    Ok(())
}

async fn make_index_of(place: &Place, collection: &str, indexes: Vec<IndexModel>) -> Result<(), OpenError> {
    if indexes.is_empty() {
        return Ok(());
    }
    let collection = place.collection::<Document>(collection);
    // Building one over many documents takes as long as it takes.
    let made = collection.create_indexes(indexes).await;
    made.map(drop).map_err(|error| unusable(place, error.to_string()))
}

fn index(keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).build()
}

/// The id ends each index of one value, because pages go on after a value and an id. No index is unique: what is taken
/// is known when a commit is checked, and a commit may be applied in any order of its rows.
fn indexes(table: &Table) -> Vec<IndexModel> {
    let mut indexes = Vec::new();
    for column in table.columns.iter().filter(|column| column.indexed != Indexed::No) {
        let name = format!("c.{}", column.name);
        let keys = match column.kind {
            ColumnKind::Text | ColumnKind::Int => doc! { &name: 1, "_id": 1 },
            ColumnKind::Set | ColumnKind::Words => doc! { &name: 1 },
        };
        let partial = (column.indexed == Indexed::WithValue).then(|| {
            IndexOptions::builder().partial_filter_expression(doc! { &name: { "$exists": true } }).build()
        });
        indexes.push(IndexModel::builder().keys(keys).options(partial).build());
    }
    for several in table.indexes {
        let mut keys: Document = several.columns.iter().map(|name| (format!("c.{name}"), 1.into())).collect();
        keys.insert("_id", 1);
        keys.extend(several.beside.iter().map(|name| (format!("c.{name}"), 1.into())));
        indexes.push(index(keys));
    }
    indexes.push(IndexModel::builder().keys(doc! { "gone": 1 }).options(gone()).build());
    indexes
}

fn gone() -> IndexOptions {
    IndexOptions::builder().partial_filter_expression(doc! { "gone": { "$exists": true } }).build()
}
