//! How long runs take, as earlier ones did.

use super::case::Case;
use super::runbooks::MESSAGE;
use model::digest::Digest;
use model::event::{Event, Line};

const CLIENT: &str = "format: 1\nclient: harbor\nname: Harbor\nzone: UTC\nvalues: { sage: '@DIR@/lab/sage' }\n";

fn plan(case: &Case, file: &str) -> String {
    case.run(&["plan", "book.yaml", "--client", "harbor.yaml", "--run-id", "next", "-o", file]).exits(0).out
}

/// Runs it, takes it away, and lets the journal say that the first step took so many seconds.
fn ran(case: &Case, run: &str, seconds: i64) {
    let _ = case.run(&["run", "book.yaml", "--client", "harbor.yaml", "--run-id", run, "--yes"]).exits(0);
    std::fs::remove_dir_all(case.dir().join("site")).unwrap();
    let journal = format!("state/runs/{run}/journal.ndjson");
    let (mut later, mut prev, mut text) = (0, Digest::from_sha256([0; 32]), String::new());
    for line in case.read(&journal).unwrap().lines() {
        let line = Line::read(line).unwrap();
        if matches!(&line.event, Event::StepFinished { step, .. } if step.as_str() == "write") {
            later = seconds;
        }
        let line = Line { at: line.at + jiff::SignedDuration::from_secs(later), prev, ..line }.write().unwrap();
        prev = Digest::of(line.as_bytes());
        text += &format!("{line}\n");
    }
    case.write(&journal, &text);
}

#[test]
fn a_plan_says_how_long_earlier_runs_took_and_its_file_is_the_same() {
    let case = Case::new(&[("book.yaml", MESSAGE), ("harbor.yaml", CLIENT)]);
    assert!(plan(&case, "before.plan").contains("\nNo estimate yet of how long it takes.\n"));
    for (n, seconds) in [2900, 3600, 3100].into_iter().enumerate() {
        ran(&case, &format!("r{n}"), seconds);
    }
    let _ = case.run(&["undo", "r0", "--yes"]);
    for (run, text) in [("broken", "{}\nno journal\n"), ("empty", "")] {
        case.write(&format!("state/runs/{run}/journal.ndjson"), text);
    }
    let told = plan(&case, "after.plan");
    assert!(told.contains("2 steps: ") && told.contains("\nTakes 48-61 min (3 runs).\n"), "{told}");
    assert_eq!(case.read("before.plan"), case.read("after.plan"));
    let json = case.run(&["plan", "book.yaml", "--client", "harbor.yaml", "--run-id", "next", "--json"]).exits(0);
    assert_eq!(case.read("before.plan").as_deref(), Some(json.out.as_str()));
    let other = case.run(&["plan", "book.yaml", "--run-id", "next"]).exits(0);
    assert!(other.out.contains("No estimate yet"), "another client: {}", other.out);
}

#[test]
fn a_practice_site_is_called_practice_wherever_it_is_named() {
    let case = Case::new(&[("book.yaml", MESSAGE), ("harbor.yaml", CLIENT), ("lab/sage/x", "")]);
    assert!(plan(&case, "p.plan").starts_with("PLAN  message 1.0.0 for client harbor"));
    case.write("lab/PRACTICE.txt", "retrace practice site, format 1\n");
    assert!(plan(&case, "q.plan").starts_with("PRACTICE  PLAN  message 1.0.0 for client harbor"));
    assert_eq!(case.read("p.plan"), case.read("q.plan"));
    let run = case.run(&["run", "p.plan", "--yes"]).exits(0);
    assert!(run.err.starts_with("PRACTICE  RUN  message 1.0.0"), "{}", run.err);
    assert!(run.out.lines().next().unwrap().contains("started   PRACTICE   message 1.0.0"), "{}", run.out);
    assert!(run.out.lines().last().unwrap().contains("PRACTICE   2 done"), "{}", run.out);
    let undo = case.run(&["undo", "next", "--dry-run"]).exits(0);
    assert!(undo.out.starts_with("PRACTICE  UNDO PLAN  of run next"), "{}", undo.out);
}
