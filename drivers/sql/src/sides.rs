//! The side tables of sets and words.

use store::{Change, Row};

use crate::{
    database::Connection,
    statements::{self, SIDE, SideStatements, TableStatements},
    transaction::{Refused, insert, kinds, write},
    values::{Batch, Cell},
};

/// Brings the side tables of a table up to date with changes of its rows. What surely is as it was is left alone.
pub async fn write_all<R: Row>(
    connection: &mut Connection,
    statements: &TableStatements,
    changes: &[&Change<R>],
) -> Result<(), Refused> {
    for side in &statements.sides {
        write_one(connection, statements, side, changes).await?;
    }
    Ok(())
}

async fn write_one<R: Row>(
    connection: &mut Connection,
    statements: &TableStatements,
    side: &SideStatements,
    changes: &[&Change<R>],
) -> Result<(), Refused> {
    let column = &statements.table.columns[side.column];
    let (mut cleared, mut inserted) = (Batch::new(kinds(&SIDE[1..])), Batch::new(kinds(&SIDE)));
    for change in changes {
        let id = Cell::from(change.key.id.to_string());
        let value = |row: &R| row.columns().into_iter().nth(side.column);
        let after = change.row.as_ref().and_then(|row| value(row));
        let before = change.before.as_ref().map(|row| value(row));
        if change.expected > 0 && change.row.is_some() && before.as_ref() == Some(&after) {
            continue;
        }
        if change.expected > 0 {
            cleared.push([id.clone()]);
        }
        if let Some(after) = &after {
            let texts = statements::side_texts(column.kind, after);
            let texts = texts.map_err(|why| {
                Refused::Failed(format!("{}.{}: {why}", statements.table.name, column.name))
            })?;
            for text in texts {
                inserted.push([Cell::from(text.into_owned()), id.clone()]);
            }
        }
    }
    write(connection, &side.clear, &cleared).await?;
    insert(connection, &side.insert, &inserted).await?;
    Ok(())
}
