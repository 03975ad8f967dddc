//! Templates: texts with `{{ expression }}` in them, bare conditions, and template files.
//!
//! The syntax is a small part of Jinja's. Template files are rendered by minijinja, from a source that was checked and has no
//! expression left in it. Expressions are worked out here, because three things must hold that no template library gives: an
//! unknown flows on as an unknown (three-valued, so `false and unknown` is false), a secret can only be placed whole, and a
//! mistake such as a text compared with a number is an error. Nothing a runbook says can use more than bounded stack, memory
//! and time. A value is never rendered again: what stands in it stays text.
//!
//! **Invariant:** nothing here touches the world, a clock or the environment.

mod condition;
mod error;
mod evaluate;
mod expression;
mod file;
mod file_names;
mod file_output;
mod filter;
mod lexer;
mod limits;
mod name;
mod node;
mod operator;
mod output;
mod parser;
mod plain;
mod scope;
mod text;
mod tree;

pub use condition::Condition;
pub use error::TemplateError;
pub use expression::Expression;
pub use file::TemplateFile;
pub use filter::FILTERS;
pub use name::{Name, Segment};
pub use scope::{Found, Scope};
pub use text::Text;
pub use tree::{Place, TreeError, render};

#[cfg(test)]
mod tests;
