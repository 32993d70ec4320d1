//! The connections to a server, of either kind, as one.

use std::{future::Future, time::Duration};

use sqlx::{
    Arguments as _, AssertSqlSafe, MySql, MySqlPool, PgPool, Postgres, Row as _,
    error::BoxDynError,
    mysql::{MySqlArguments, MySqlRow},
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
};
use store::StoreError;

use crate::{
    dialect::Dialect,
    error::{self, Trouble},
    retry::Retry,
    values::{Bind, Cell, Kind},
};

/// How long an answer of the server is waited for. The server itself ends a statement earlier
/// ([`STATEMENT_TIMEOUT`](crate::open::STATEMENT_TIMEOUT)); this is for one that is not there any more.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// A bounded number of connections.
#[derive(Clone)]
pub struct Database {
    /// What the server speaks.
    pub dialect: Dialect,
    pool: Pool,
}

#[derive(Clone)]
enum Pool {
    Postgres(PgPool),
    MySql(MySqlPool),
}

/// A connection that is lent out.
pub struct Connection {
    /// What the server speaks.
    pub dialect: Dialect,
    lent: Lent,
}

enum Lent {
    Postgres(PoolConnection<Postgres>),
    MySql(PoolConnection<MySql>),
}

/// A row that was read.
pub enum Found {
    /// Of PostgreSQL.
    Postgres(PgRow),
    /// Of MySQL.
    MySql(MySqlRow),
}

impl Database {
    /// Over a pool of PostgreSQL's protocol.
    pub fn postgres(dialect: Dialect, pool: PgPool) -> Self {
        Self { dialect, pool: Pool::Postgres(pool) }
    }

    /// Over a pool of MySQL's protocol.
    pub fn mysql(dialect: Dialect, pool: MySqlPool) -> Self {
        Self { dialect, pool: Pool::MySql(pool) }
    }

    /// Borrows a connection, or makes one.
    pub async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        let lent = match &self.pool {
            Pool::Postgres(pool) => Lent::Postgres(pool.acquire().await?),
            Pool::MySql(pool) => Lent::MySql(pool.acquire().await?),
        };
        Ok(Connection { dialect: self.dialect, lent })
    }

    /// Waits for what runs, refuses anything more, and closes the connections.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Postgres(pool) => pool.close().await,
            Pool::MySql(pool) => pool.close().await,
        }
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        match &self.pool {
            Pool::Postgres(pool) => pool.is_closed(),
            Pool::MySql(pool) => pool.is_closed(),
        }
    }

    /// Runs one statement that reads, again when the connection was lost or the server asks for it.
    pub async fn read(&self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Found>, StoreError> {
        let mut retry = Retry::default();
        loop {
            let found = match self.acquire().await {
                Ok(mut connection) => {
                    let found = connection.fetch(sql, binds).await;
                    connection.put_back(found.as_ref().err());
                    found
                }
                Err(error) => Err(error),
            };
            match found {
                Ok(found) => return Ok(found),
                Err(error) => self.go_on(&mut retry, &error).await?,
            }
        }
    }

    /// Runs one statement that writes and may be run twice, again as [`Database::read`] does.
    pub async fn write(&self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, StoreError> {
        let mut retry = Retry::default();
        loop {
            let done = match self.acquire().await {
                Ok(mut connection) => {
                    let done = connection.execute(sql, binds).await;
                    connection.put_back(done.as_ref().err());
                    done
                }
                Err(error) => Err(error),
            };
            match done {
                Ok(done) => return Ok(done),
                Err(error) => self.go_on(&mut retry, &error).await?,
            }
        }
    }

    /// Rests before another try, where there is to be one.
    async fn go_on(&self, retry: &mut Retry, error: &sqlx::Error) -> Result<(), StoreError> {
        let again = !self.is_closed() && error::trouble(error).may_be_tried_again();
        if again && retry.rest().await { Ok(()) } else { Err(error::read_error(error)) }
    }
}

impl Connection {
    /// Runs a prepared statement; it is prepared once for each connection. How many rows it changed; in MySQL, how many
    /// it found.
    pub async fn execute(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(self.dialect.numbered(sql));
        match &mut self.lent {
            Lent::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres_arguments(binds)?);
                let done = answer(query.execute(&mut **connection)).await?;
                Ok(done.rows_affected())
            }
            Lent::MySql(connection) => {
                let query = sqlx::query_with(sql, mysql_arguments(binds)?);
                let done = answer(query.execute(&mut **connection)).await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// Runs a prepared statement that gives rows.
    pub async fn fetch(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Found>, sqlx::Error> {
        let sql = AssertSqlSafe(self.dialect.numbered(sql));
        match &mut self.lent {
            Lent::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres_arguments(binds)?);
                let rows = answer(query.fetch_all(&mut **connection)).await?;
                Ok(rows.into_iter().map(Found::Postgres).collect())
            }
            Lent::MySql(connection) => {
                let query = sqlx::query_with(sql, mysql_arguments(binds)?);
                let rows = answer(query.fetch_all(&mut **connection)).await?;
                Ok(rows.into_iter().map(Found::MySql).collect())
            }
        }
    }

    /// Runs a statement without parameters as it is.
    pub async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let statement = sqlx::raw_sql(AssertSqlSafe(sql));
        match &mut self.lent {
            Lent::Postgres(connection) => answer(statement.execute(&mut **connection)).await.map(|_| ()),
            Lent::MySql(connection) => answer(statement.execute(&mut **connection)).await.map(|_| ()),
        }
    }

    /// Gives it back after its last statement. One that was lost, or has an answer still to come, is not used again.
    pub fn put_back(self, error: Option<&sqlx::Error>) {
        if error.is_some_and(|error| matches!(error::trouble(error), Trouble::Lost | Trouble::Silent)) {
            self.discard();
        }
    }

    /// Cuts it: whatever it was doing, nobody gets it again.
    pub fn discard(self) {
        match self.lent {
            Lent::Postgres(connection) => drop(connection.detach()),
            Lent::MySql(connection) => drop(connection.detach()),
        }
    }
}

/// Waits for an answer, for a while.
async fn answer<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => answer,
        Err(_) => {
            let why = format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
            Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, why)))
        }
    }
}

fn postgres_arguments(binds: &[Bind<'_>]) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for bind in binds {
        match bind {
            Bind::Int(number) => arguments.add(number),
            Bind::Text(text) => arguments.add(text.as_ref()),
            Bind::Ints(numbers) => arguments.add(numbers),
            Bind::Texts(texts) => arguments.add(texts),
            Bind::Rows(rows) => rows.kinds.iter().enumerate().try_for_each(|(column, kind)| match kind {
                Kind::Int => arguments.add(rows.ints(column)),
                Kind::Text | Kind::Long => arguments.add(rows.texts(column)),
            }),
            Bind::Listed(_) => Err(BoxDynError::from("rows are sent to PostgreSQL as arrays")),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn mysql_arguments(binds: &[Bind<'_>]) -> Result<MySqlArguments, sqlx::Error> {
    let mut arguments = MySqlArguments::default();
    for bind in binds {
        match bind {
            Bind::Int(number) => arguments.add(number),
            Bind::Text(text) => arguments.add(text.as_ref()),
            Bind::Ints(numbers) => numbers.iter().try_for_each(|number| arguments.add(number)),
            Bind::Texts(texts) => texts.iter().try_for_each(|text| arguments.add(text)),
            Bind::Rows(rows) => match rows.to_json() {
                Ok(json) => arguments.add(json),
                Err(error) => Err(BoxDynError::from(error)),
            },
            Bind::Listed(rows) => rows.cells().iter().try_for_each(|cell| match cell {
                Cell::Null => arguments.add(None::<i64>),
                Cell::Int(number) => arguments.add(number),
                Cell::Text(text) => arguments.add(text.as_ref()),
            }),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

impl Found {
    /// The number in a column.
    pub fn int(&self, column: usize) -> Result<i64, StoreError> {
        let value = match self {
            Self::Postgres(row) => row.try_get(column),
            Self::MySql(row) => row.try_get(column),
        };
        value.map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    /// The text in a column.
    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        let value = match self {
            Self::Postgres(row) => row.try_get(column),
            Self::MySql(row) => row.try_get(column),
        };
        value.map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    /// The text in a column, if there is one.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        let value = match self {
            Self::Postgres(row) => row.try_get(column),
            Self::MySql(row) => row.try_get(column),
        };
        value.map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}
