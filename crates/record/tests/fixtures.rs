//! Journals that earlier versions wrote read and fold as they did then. A fixture is never changed; new ones are added beside it.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use model::event::Line;
use model::fold::Run;
use model::journal::Reader;
use model::seal::Seal;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

fn fixtures() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", "tests", "fixtures", "journals"].iter().collect()
}

fn summary(run: &Run) -> String {
    let mut text = String::new();
    for step in &run.steps {
        let effects: Vec<String> = run.effects_of(step).map(|e| format!("{}{}", e.n, if e.status.open() { "?" } else { "" })).collect();
        let reason = step.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        writeln!(text, "{} {} after {} [{}]{reason}", step.id, step.status, step.attempts, effects.join(" ")).unwrap();
    }
    for (step, n) in run.taken_back() {
        writeln!(text, "takes back {step} {n}").unwrap();
    }
    let ended = run.ended.map_or("open".to_owned(), |ended| format!("{:?} {}", ended.outcome, ended.exit));
    writeln!(
        text,
        "{ended}, {} lines, {} blobs, resumed {}, {} notes, {} decisions",
        run.lines(),
        run.blobs.len(),
        run.resumed,
        run.notes.len(),
        run.decisions.len()
    )
    .unwrap();
    text
}

#[test]
fn journals_of_every_version_fold_as_they_did() {
    let mut count = 0;
    for version in fs::read_dir(fixtures()).unwrap() {
        for file in fs::read_dir(version.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "ndjson") {
                continue;
            }
            let mut reader = Reader::new(fs::File::open(&path).unwrap());
            let mut lines: Vec<Line> = Vec::new();
            while let Some(line) = reader.line().unwrap() {
                lines.push(line);
            }
            assert_eq!(reader.torn(), None);
            let run = Run::fold(&lines).unwrap();
            let expected = fs::read_to_string(path.with_extension("txt")).unwrap().replace('\r', "");
            assert_eq!(summary(&run), expected, "{}", path.display());
            if let Ok(seal) = fs::read(path.with_extension("seal.json")) {
                assert_eq!(Some(Seal::read(&seal).unwrap()), Seal::of(&run, reader.head()));
            }
            count += 1;
        }
    }
    assert!(count >= 3);
}

#[test]
fn this_version_still_writes_the_bytes_of_version_1() {
    for name in ["everything", "cut-off", "everything.undo-1"] {
        let text = fs::read_to_string(fixtures().join("v1").join(format!("{name}.ndjson"))).unwrap();
        for line in text.lines() {
            assert_eq!(Line::read(line).unwrap().write().unwrap(), line);
        }
    }
}
