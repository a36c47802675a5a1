//! Subscriptions: who is told when something they look for comes or changes.

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub state: State,
    /// What is looked for: a search, as FHIR writes it.
    pub criteria: String,
    /// Where the subscriber is told.
    pub endpoint: String,
    /// Header lines that go with what is told, `Name: value`; secrets may be among them.
    pub headers: Vec<String>,
    /// Why it was made.
    pub reason: String,
    /// Until when, µs since 1970; 0: for as long as it is there.
    pub end_us: i64,
    /// Why the subscriber could not be told the last time; empty when they could.
    pub error: String,
    /// When it last changed, µs since 1970.
    pub changed_us: i64,
    /// Who made it, as far as is known: where from.
    pub made_by: String,
}

/// How a subscription stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The subscriber is told.
    Active,
    /// The subscriber could not be told; it is tried again.
    Error,
    /// Its time is over.
    Off,
}

impl State {
    /// The stored form, and FHIR's (FHIR R4 `SubscriptionStatus`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Error => "error",
            Self::Off => "off",
        }
    }

    /// Reads the stored form back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Error, Self::Off].into_iter().find(|state| state.as_str() == text)
    }
}
