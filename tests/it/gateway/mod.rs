//! The national gateway's client against a strict simulator of the gateway's documented behaviour.

mod certificates;
mod claims;
mod faults;
mod killed;
mod pdf;
mod publishing;
mod simulator;
mod world;

/// Makes of each function `async fn(Make)` a test over SQLite and one over PostgreSQL.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::index::Database::sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::index::Database::postgres).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;
