//! A run bundle for people: Markdown, one HTML page, an ATT&CK Navigator layer file, a Slack message.
//!
//! A [`Report`] is read once; each form is a function of it, and of nothing else: same bundle, same bytes. All that comes
//! from rules, events and bundles is untrusted, and is escaped by the form that shows it.

mod attribution;
mod error;
mod html;
mod markdown;
mod model;
mod navigator;
mod page;
mod sections;
mod slack;
mod text;
mod webhook;

pub use error::ReportError;
pub use html::html;
pub use markdown::markdown;
pub use model::Report;
pub use navigator::navigator;
pub use slack::slack;
pub use webhook::{Patience, PostError, Webhook};
