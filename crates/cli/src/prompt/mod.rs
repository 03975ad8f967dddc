//! Questions to people: a letter or a line and Enter, over any console. And who answers when nobody is there.

pub(crate) mod accept;
pub(crate) mod answers;
pub(crate) mod console;
pub(crate) mod crew;
pub(crate) mod evidence;
pub(crate) mod keys;
mod misfits;
pub(crate) mod person;
mod ready;
#[cfg(test)]
pub(crate) mod script;
pub(crate) mod secret;
mod silence;
pub(crate) mod start;
