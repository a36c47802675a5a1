//! Pages in a real browser.

mod ohif;
