//! The arguments of `lastra fascicolo`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::Stores;

/// `lastra fascicolo`.
#[derive(Debug, Args)]
pub struct Fascicolo {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
    /// Who decides, for the record.
    #[arg(long, global = true, default_value = "operator", value_name = "NAME")]
    pub by: String,
    /// Which archive.
    #[command(flatten)]
    pub stores: Stores,
}

/// `lastra fascicolo …`.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// A person with their identifiers, studies and reports, newest first.
    #[command(after_help = "Examples:\n  lastra fascicolo show RSSMRA79B11C566R\n  \
        lastra fascicolo show 'OSPEDALE|P0001042' --json\n  lastra fascicolo show '#12'")]
    Show {
        /// An identifier, `ISSUER|IDENTIFIER`, or `#ID`.
        #[arg(value_name = "PERSON")]
        person: String,
        /// Episodes shown at most.
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
    /// Take documents: CDA, PDF (a CDA inside is found), text.
    #[command(after_help = "Examples:\n  lastra fascicolo add referto.xml referto-firmato.pdf")]
    Add {
        /// Files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Links of a document, with what each rests on; undone ones too.
    #[command(after_help = "Examples:\n  lastra fascicolo links 12")]
    Links {
        /// The document's id.
        #[arg(value_name = "DOCUMENT")]
        document: i64,
    },
    /// Link a document and a study.
    #[command(
        after_help = "Examples:\n  lastra fascicolo link 12 1.2.840.113619.2.62.9 --by rossi"
    )]
    Link {
        /// The document's id.
        #[arg(value_name = "DOCUMENT")]
        document: i64,
        /// Study Instance UID.
        #[arg(value_name = "STUDY")]
        study: String,
    },
    /// Undo a link; it is not made again by itself.
    #[command(after_help = "Examples:\n  lastra fascicolo unlink 7 --by rossi")]
    Unlink {
        /// The link's id.
        #[arg(value_name = "LINK")]
        link: i64,
    },
    /// What waits for a decision, with candidates and reasons.
    #[command(
        after_help = "Examples:\n  lastra fascicolo queue\n  lastra fascicolo queue --json --after 40"
    )]
    Queue {
        /// After this item.
        #[arg(long, default_value_t = 0, value_name = "ITEM")]
        after: i64,
        /// Items shown at most.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Give a document or a study that waits to a person.
    #[command(
        after_help = "Examples:\n  lastra fascicolo assign 12 RSSMRA79B11C566R --by rossi\n  lastra fascicolo assign 1.2.840.113619.2.62.9 '#40' --by rossi"
    )]
    Assign {
        /// The document's id, or the study's Study Instance UID.
        #[arg(value_name = "DOCUMENT|STUDY")]
        what: String,
        /// An identifier, `ISSUER|IDENTIFIER`, or `#ID`.
        #[arg(value_name = "PERSON")]
        person: String,
    },
    /// Let an item of the queue wait no longer; nothing else changes.
    #[command(after_help = "Examples:\n  lastra fascicolo dismiss 12 --by rossi")]
    Dismiss {
        /// The item's id.
        #[arg(value_name = "ITEM")]
        item: i64,
    },
    /// Who else somebody may be, likeliest first, with the reasons.
    #[command(after_help = "Examples:\n  lastra fascicolo alike RSSMRA79B11C566R\n  \
        lastra fascicolo alike '#12' --json")]
    Alike {
        /// An identifier, `ISSUER|IDENTIFIER`, or `#ID`.
        #[arg(value_name = "PERSON")]
        person: String,
    },
    /// Two people are one; can be undone exactly.
    #[command(
        after_help = "Examples:\n  lastra fascicolo merge '#12' '#40' --reason 'same passport' --by rossi"
    )]
    Merge {
        /// Who stays.
        #[arg(value_name = "PERSON")]
        survivor: String,
        /// Who is one with them.
        #[arg(value_name = "PERSON")]
        absorbed: String,
        /// Why.
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
    /// Undo a merge.
    #[command(after_help = "Examples:\n  lastra fascicolo unmerge 3 --by rossi")]
    Unmerge {
        /// The merge's id.
        #[arg(value_name = "MERGE")]
        merge: i64,
    },
    /// What is told to the national gateway: each report, how far it is, and why not further.
    #[command(
        after_help = "Examples:\n  lastra fascicolo outbox\n  lastra fascicolo outbox --stage refused --json"
    )]
    Outbox {
        /// Only those of a stage: waiting, validated, sending, sent, done, refused, aside.
        #[arg(long, value_name = "STAGE")]
        stage: Option<String>,
        /// After this entry.
        #[arg(long, default_value_t = 0, value_name = "ENTRY")]
        after: i64,
        /// Entries shown at most.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Publish a document at the national gateway.
    #[command(after_help = "Examples:\n  lastra fascicolo publish 12 --by rossi")]
    Publish {
        /// The document's id.
        #[arg(value_name = "DOCUMENT")]
        document: i64,
    },
    /// Delete at the national gateway what was published of a document; it stays here.
    #[command(after_help = "Examples:\n  lastra fascicolo withdraw 12 --by rossi")]
    Withdraw {
        /// The document's id.
        #[arg(value_name = "DOCUMENT")]
        document: i64,
    },
    /// Obscure in the national index what was published of a document, or show it there again.
    #[command(
        after_help = "Examples:\n  lastra fascicolo obscure-there 12 --by rossi\n  lastra fascicolo obscure-there 12 --undo --by rossi"
    )]
    ObscureThere {
        /// The document's id.
        #[arg(value_name = "DOCUMENT")]
        document: i64,
        /// Show it again.
        #[arg(long)]
        undo: bool,
    },
    /// Try an entry of the outbox again.
    #[command(after_help = "Examples:\n  lastra fascicolo retry 7")]
    Retry {
        /// The entry's id.
        #[arg(value_name = "ENTRY")]
        entry: i64,
    },
    /// Set an entry of the outbox aside, until it is tried again.
    #[command(after_help = "Examples:\n  lastra fascicolo set-aside 7")]
    SetAside {
        /// The entry's id.
        #[arg(value_name = "ENTRY")]
        entry: i64,
    },
    /// How complete what each organisation feeds is: studies without report, reports without images,
    /// days from the service to the report here and in the national index.
    #[command(
        after_help = "Examples:\n  lastra fascicolo completeness\n  lastra fascicolo completeness --from 20260101 --to 20260331 --json"
    )]
    Completeness {
        /// Services from this day, `YYYYMMDD`.
        #[arg(long, default_value = "", value_name = "DATE")]
        from: String,
        /// Services to this day, `YYYYMMDD`.
        #[arg(long, default_value = "", value_name = "DATE")]
        to: String,
    },
    /// Documents that hold all these words; `opac*` is any word that begins so.
    #[command(
        after_help = "Examples:\n  lastra fascicolo search opacità polm*\n  lastra fascicolo search frattura --person RSSMRA79B11C566R --json"
    )]
    Search {
        /// Words.
        #[arg(required = true, value_name = "WORD")]
        words: Vec<String>,
        /// Only this person's: an identifier, `ISSUER|IDENTIFIER`, or `#ID`.
        #[arg(long, value_name = "PERSON")]
        person: Option<String>,
        /// Documents shown at most.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Was it done already? A person's examinations of the same modality and body part.
    #[command(
        after_help = "Examples:\n  lastra fascicolo priors RSSMRA79B11C566R --modality CT --body-part CHEST\n  lastra fascicolo priors --order RX2600417 --body-part CHEST --days 30 --json"
    )]
    Priors {
        /// An identifier, `ISSUER|IDENTIFIER`, or `#ID`; or name an order.
        #[arg(value_name = "PERSON", required_unless_present = "order")]
        person: Option<String>,
        /// An order's number (accession, placer's, filler's), `NUMBER` or `ISSUER|NUMBER`.
        #[arg(long, value_name = "NUMBER")]
        order: Option<String>,
        /// Modality; an order's own unless given.
        #[arg(long, value_name = "MODALITY")]
        modality: Option<String>,
        /// Body part, as DICOM's Body Part Examined; an order's own unless given.
        #[arg(long, default_value = "", value_name = "PART")]
        body_part: String,
        /// Days back an examination still counts.
        #[arg(long, default_value_t = 90, value_name = "N")]
        days: u16,
    },
}
