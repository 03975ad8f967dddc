//! What a program is given in secret is kept sealed, whatever it does with it.

use super::case::Case;
use std::process::Command;

const BOOK: &str = "
format: 1
runbook: secret
version: 1.0.0
title: T
inputs: { key: { type: secret } }
touches: ['file:@DIR@/site/**']
steps:
  - id: gives
    action: command.run
    with:
      argv: [sh, -c, 'cat > @DIR@/site/made; printf %s \"$KEY\" > @DIR@/site/there']
      env: { KEY: '{{ inputs.key }}' }
      stdin: '{{ inputs.key }}'
      changes: ['file:@DIR@/site/made', 'file:@DIR@/site/there']
  - { id: again, action: file.write, needs: [gives], with: { path: '@DIR@/site/there', text: over } }
  - { id: gone, action: file.remove, needs: [gives], with: { path: '@DIR@/site/made' } }
";

#[test]
fn what_a_program_made_of_a_secret_is_kept_sealed_and_taken_back() {
    let identity = age::x25519::Identity::generate();
    let client = format!("format: 1\nclient: c\nname: C\nzone: UTC\nrecovery: {}\nsecrets: {{ key: {{ env: THE_KEY }} }}\n", identity.to_public());
    let case = Case::new(&[("book.yaml", BOOK), ("c.yaml", &client), ("site/there", "before")]);
    case.write("id", age::secrecy::ExposeSecret::expose_secret(&identity.to_string()));
    let retrace = |words: &[&str]| {
        let done = case.command().env("THE_KEY", "CANARY-4711-0815").args(words).output().unwrap();
        let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert_eq!(done.status.code(), Some(0), "{words:?}: {told}");
        assert!(!told.contains("CANARY"), "{told}");
    };
    let kept_open = || {
        let found = Command::new("grep").args(["-rlaF", "CANARY", "state"]).current_dir(case.dir()).output().unwrap();
        String::from_utf8_lossy(&found.stdout).into_owned()
    };
    retrace(&["run", "book.yaml", "--client", "c.yaml", "--run-id", "r", "--yes", "--no-input"]);
    assert_eq!((case.read("site/there").as_deref(), case.read("site/made")), (Some("over"), None));
    assert_eq!(kept_open(), "");
    retrace(&["undo", "r", "--yes", "--no-input", "--identity", "id"]);
    assert_eq!((case.read("site/there").as_deref(), case.read("site/made")), (Some("before"), None));
    assert_eq!(kept_open(), "");
    retrace(&["undo", "r.undo-1", "--yes", "--no-input", "--identity", "id"]);
    assert_eq!((case.read("site/there").as_deref(), case.read("site/made")), (Some("over"), None));
    retrace(&["verify", "r"]);
}
