//! Runbooks that several tests run, and how.

use super::case::{Case, Ended};
use serde_json::Value as Json;

pub(crate) const MESSAGE: &str = "
format: 1
runbook: message
version: 1.0.0
title: Write a message
touches: ['file:@DIR@/site/**']
steps:
  - { id: write, action: file.write, with: { path: '@DIR@/site/message', text: hello, create_dirs: true } }
  - { id: same, action: assert.file, with: { path: '@DIR@/site/message', contains: hello } }
";

/// A runbook whose second step fails, with a policy.
pub(crate) fn failing(policy: &str) -> String {
    format!(
        "
format: 1
runbook: failing
version: 1.0.0
title: A step fails
touches: ['file:@DIR@/site/**']
steps:
  - {{ id: write, action: file.write, with: {{ path: '@DIR@/site/message', text: hello, create_dirs: true }} }}
  - {{ id: fails, action: command.run, with: {{ argv: [/bin/false], changes: [] }}, on_failure: {policy} }}
"
    )
}

pub(crate) const QUESTIONS: &str = "
format: 1
runbook: questions
version: 1.0.0
title: Ask people
touches: ['file:@DIR@/site/**']
steps:
  - id: keys
    action: manual.form
    with: { fields: [{ name: serial, type: secret, twice: true }, { name: users, type: integer, min: 0, max: 999 }] }
  - { id: closed, action: manual.confirm, with: { question: Is every session closed?, phrase: all closed } }
  - { id: outcome, action: manual.decide, with: { question: And?, options: { ok: It worked, error: It did not } } }
  - { id: write, action: file.write, with: { path: '@DIR@/site/users', text: '{{ steps.keys.users ~ \"\" }}', create_dirs: true } }
";

pub(crate) const IRREVERSIBLE: &str = "
format: 1
runbook: once
version: 1.0.0
title: It cannot be undone
touches: ['file:@DIR@/site/**']
steps:
  - { id: send, action: command.run, with: { argv: [/bin/true], changes: [] }, irreversible: the letter is posted }
";

pub(crate) const HARBOR: &str = "
format: 1
client: harbor
name: Harbor Tool & Die
zone: UTC
";

pub(crate) fn case(runbook: &str) -> Case {
    Case::new(&[("book.yaml", runbook), ("harbor.yaml", HARBOR)])
}

/// Runs the runbook as `r1`.
pub(crate) fn run(case: &Case) -> Ended {
    case.run(&["run", "book.yaml", "--run-id", "r1", "--yes"])
}

pub(crate) fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
