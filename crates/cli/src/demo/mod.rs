//! The practice site: a licence server, two terminal servers and a backup target as directories, with real daemons and a
//! lab program that activates; and a story that plays through it with the commands of this program.

mod activation;
mod clerk;
pub(crate) mod lab;
mod seeded;
mod site;
mod story;
mod tree;

pub(crate) use clerk::Clerk;
pub(crate) use site::Site;
pub(crate) use story::{StoryError, play};
