//! Every way in which a record without a signature may be changed has its own word, and `verify.py` finds the same part wrong.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test fails loudly, and changes what lies on the disk")]

mod support;

use model::digest::Digest;
use model::id::RunId;
use record::notes::{self, Notes};
use serde_json::json;
use std::fs;
use std::process::Command;
use support::{Builder, Dir, rechain, records};

const RUN: &str = "harbor-1";

fn words(dir: &Dir, run: &str) -> Vec<String> {
    record::verify::verify(dir, &RunId::parse(run).unwrap()).unwrap().words()
}

/// The parts that are wrong, as `verify` and as `verify.py` name them; `open` if none is and the run has not ended.
fn parts(dir: &Dir, run: &str) -> String {
    let report = record::verify::verify(dir, &RunId::parse(run).unwrap()).unwrap();
    let wrong: std::collections::BTreeSet<&str> = report.rows.iter().filter(|row| row.verdict.is_some()).map(|row| row.what).collect();
    match (wrong.is_empty(), report.is_whole()) {
        (true, true) => "whole".to_owned(),
        (true, false) => "open".to_owned(),
        _ => wrong.into_iter().collect::<Vec<_>>().join(" "),
    }
}

fn python(dir: &Dir, run: &str) -> Option<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/verify.py");
    let output = Command::new("python3").arg(script).arg(dir.path()).arg(run).output().ok()?;
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.trim_end().to_owned();
    assert_eq!(output.status.code(), Some(if text == "whole" { 0 } else { 9 }));
    Some(text)
}

fn lines(dir: &Dir, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines = dir.lines(RUN);
    change(&mut lines);
    dir.set_lines(RUN, &lines);
}

fn bytes(dir: &Dir, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = dir.in_run(RUN, name);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn seal(dir: &Dir, from: &str, to: &str) {
    bytes(dir, "seal.json", |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        *bytes = text.replacen(from, to, 1).into_bytes();
    });
}

fn seal_of_another_head(dir: &Dir) {
    let head = Digest::of(dir.lines(RUN).last().unwrap().as_bytes());
    seal(dir, head.as_str(), Digest::of(b"").as_str());
}

fn blob(dir: &Dir, bytes: &[u8]) -> std::path::PathBuf {
    dir.blob_path(&Digest::of(bytes))
}

fn flip(line: &mut String, what: &str, to: &str) {
    assert!(line.contains(what), "{line}");
    *line = line.replacen(what, to, 1);
}

type Tampering = (&'static str, fn(&Dir), &'static [&'static str]);

const TABLE: &[Tampering] = &[
    ("nothing", |_| {}, &[]),
    ("a byte in a line", |d| lines(d, |l| flip(&mut l[5], "tool", "tooL")), &["line-altered 5"]),
    ("a byte in the first line", |d| lines(d, |l| flip(&mut l[0], "jdoe", "jdoF")), &["line-altered 0"]),
    ("a place", |d| lines(d, |l| flip(&mut l[5], "\"seq\":5", "\"seq\":4")), &["line-altered 5"]),
    ("a place in the first line", |d| lines(d, |l| flip(&mut l[0], "\"seq\":0", "\"seq\":1")), &["line-altered 0"]),
    ("the run in a line", |d| lines(d, |l| flip(&mut l[5], "harbor-1", "harbor-2")), &["line-altered 5"]),
    ("the run in the first line", |d| lines(d, |l| flip(&mut l[0], "\"run\":\"harbor-1", "\"run\":\"harbor-2")), &["line-altered 0"]),
    ("what a line names as the one before", |d| lines(d, |l| flip(&mut l[5], "\"prev\":\"", "\"prev\":\"0")), &["line-altered 5"]),
    ("a digit of what a line names as the one before", |d| lines(d, |l| turn_prev(&mut l[5])), &["line-altered 5"]),
    ("the kind of an event", |d| lines(d, |l| flip(&mut l[5], "step_started", "step_sterted")), &["line-altered 5"]),
    ("a brace", |d| lines(d, |l| flip(&mut l[5], "{", "[")), &["line-altered 5"]),
    ("a byte that is no text", |d| bytes(d, "journal.ndjson", |b| b[3000] = 0xff), &["line-altered 6"]),
    ("a byte in the last line", |d| lines(d, |l| flip(l.last_mut().unwrap(), "done", "dome")), &["head-differs"]),
    ("the outcome in the last line", |d| lines(d, |l| flip(l.last_mut().unwrap(), "done", "undone")), &["head-differs"]),
    ("the last line's name of the one before", |d| lines(d, |l| turn_prev(l.last_mut().unwrap())), &["head-differs"]),
    ("the last line's place", |d| lines(d, |l| flip(l.last_mut().unwrap(), "\"seq\":17", "\"seq\":16")), &["head-differs"]),
    ("the last line's brace", |d| lines(d, |l| flip(l.last_mut().unwrap(), "}", "]")), &["head-differs"]),
    ("a line removed", |d| lines(d, |l| drop(l.remove(4))), &["line-missing 4"]),
    ("the first line removed", |d| lines(d, |l| drop(l.remove(0))), &["line-missing 0"]),
    ("three lines removed", |d| lines(d, |l| drop(l.drain(4..7))), &["line-missing 4"]),
    ("two lines swapped", |d| lines(d, |l| l.swap(4, 5)), &["order-changed 4 5"]),
    ("two lines far apart swapped", |d| lines(d, |l| l.swap(3, 9)), &["order-changed 3 9"]),
    ("the last two lines swapped", |d| lines(d, |l| l.swap(16, 17)), &["order-changed 16 17"]),
    ("a line doubled", |d| lines(d, |l| l.insert(4, l[4].clone())), &["line-repeated 4"]),
    ("the last line doubled", |d| lines(d, |l| l.push(l[17].clone())), &["line-repeated 17"]),
    ("the last line cut", |d| lines(d, |l| l.truncate(17)), &["shorter-than-sealed"]),
    ("many lines cut", |d| lines(d, |l| l.truncate(3)), &["shorter-than-sealed"]),
    ("cut in the last line", |d| bytes(d, "journal.ndjson", |b| b.truncate(b.len() - 9)), &["torn-after-seal"]),
    ("the last line end cut", |d| bytes(d, "journal.ndjson", |b| b.truncate(b.len() - 1)), &["torn-after-seal"]),
    ("cut in the first line", |d| bytes(d, "journal.ndjson", |b| b.truncate(40)), &["torn-after-seal"]),
    ("bytes without a line end added", |d| bytes(d, "journal.ndjson", |b| b.extend(b"{\"seq\"")), &["torn-after-seal"]),
    ("a line added, chain right", |d| lines(d, add_note), &["longer-than-sealed"]),
    ("a line of another run, chain right", splice, &["foreign-line 6"]),
    ("emptied", |d| bytes(d, "journal.ndjson", Vec::clear), &["empty"]),
    ("an event altered, chain right", |d| lines(d, |l| forge(l)), &["head-differs"]),
    ("the seal removed", |d| fs::remove_file(d.in_run(RUN, "seal.json")).unwrap(), &["not-sealed"]),
    ("the seal's head", seal_of_another_head, &["head-differs"]),
    ("the seal's count", |d| seal(d, "\"count\":18", "\"count\":19"), &["seal-differs"]),
    ("the seal's count, less", |d| seal(d, "\"count\":18", "\"count\":17"), &["seal-differs"]),
    ("the seal's outcome", |d| seal(d, "\"outcome\":\"done\"", "\"outcome\":\"undone\""), &["seal-differs"]),
    ("the seal's files", |d| seal(d, "plan.json", "plan.jsom"), &["seal-differs"]),
    ("the seal's previous run", |d| seal(d, "harbor-0", "harbor-9"), &["seal-differs"]),
    ("the seal's blobs", |d| seal(d, "\"blobs\":{\"count\":4", "\"blobs\":{\"count\":5"), &["seal-differs"]),
    ("the seal emptied", |d| bytes(d, "seal.json", Vec::clear), &["seal-differs"]),
    ("the seal of another run", |d| put_from_other(d, "seal.json"), &["seal-of-other-run"]),
    ("the seal's format", |d| seal(d, "{\"format\":1", "{\"format\":2"), &["format-unsupported"]),
    ("the journal of another run", |d| put_from_other(d, "journal.ndjson"), &["run-differs"]),
    ("a blob", |d| fs::write(blob(d, b"before\n"), "befare\n").unwrap(), &["blob-altered"]),
    ("a blob removed", |d| fs::remove_file(blob(d, b"before\n")).unwrap(), &["blob-missing"]),
    ("a file of a tree", |d| fs::write(blob(d, b"b"), "c").unwrap(), &["blob-altered"]),
    ("a file of a tree removed", |d| fs::remove_file(blob(d, b"b")).unwrap(), &["blob-missing"]),
    ("a program's output", |d| fs::write(blob(d, b"ok\n"), "no\n").unwrap(), &["blob-altered"]),
    ("evidence", |d| fs::write(blob(d, b"PNG"), "GIF").unwrap(), &["evidence-altered picture"]),
    ("evidence removed", |d| fs::remove_file(blob(d, b"PNG")).unwrap(), &["evidence-missing picture"]),
    ("the plan", |d| bytes(d, "plan.json", |b| b.push(b' ')), &["plan-differs"]),
    ("the runbook", |d| bytes(d, "runbook.yaml", |b| b.push(b'\n')), &["runbook-differs"]),
    ("the client file", |d| bytes(d, "client.yaml", Vec::clear), &["client-differs"]),
    ("the partner file", |d| bytes(d, "partner.yaml", Vec::clear), &["partner-differs"]),
    ("another file", |d| bytes(d, "files/motd.tmpl", Vec::clear), &["file-differs files/motd.tmpl"]),
    ("the plan removed", |d| fs::remove_file(d.in_run(RUN, "plan.json")).unwrap(), &["plan-missing"]),
    ("the run before removed", |d| fs::remove_dir_all(d.in_run("harbor-0", "")).unwrap(), &["run-missing harbor-0"]),
    ("a key twice", |d| lines(d, |l| flip(&mut l[5], "\"attempt\":1", "\"attempt\":2,\"attempt\":1")), &["line-ambiguous 5"]),
    ("the place twice", |d| lines(d, |l| flip(&mut l[5], "\"seq\":5", "\"seq\":4,\"seq\":5")), &["line-ambiguous 5"]),
    ("a key twice, deep, chain right", |d| lines(d, |l| twice_deep(l)), &["line-ambiguous 2"]),
    (
        "line ends",
        |d| bytes(d, "journal.ndjson", |b| *b = String::from_utf8(b.clone()).unwrap().replace('\n', "\r\n").into_bytes()),
        &["line-endings-changed"],
    ),
    ("a byte-order mark", |d| bytes(d, "journal.ndjson", |b| drop(b.splice(0..0, *b"\xef\xbb\xbf"))), &["line-endings-changed"]),
    ("the format", |d| lines(d, |l| flip(&mut l[0], "\"format\":1", "\"format\":2")), &["format-unsupported"]),
    ("remarks after the end", |d| remarks(d, RUN, |_| {}), &[]),
    ("a remark", |d| remarks(d, RUN, |n| flip(&mut n[1], "second", "sekond")), &["note-altered 1"]),
    ("the first remark", |d| remarks(d, RUN, |n| flip(&mut n[0], "jdoe", "jdof")), &["note-altered 0"]),
    ("a remark made no remark", |d| remarks(d, RUN, |n| flip(&mut n[2], "{", "[")), &["note-altered 2"]),
    ("a remark removed", |d| remarks(d, RUN, |n| drop(n.remove(1))), &["note-altered 0"]),
    ("the first remark removed", |d| remarks(d, RUN, |n| drop(n.remove(0))), &["notes-differ"]),
    ("two remarks swapped", |d| remarks(d, RUN, |n| n.swap(1, 2)), &["note-altered 0"]),
    ("the remarks of another run", remarks_of_another, &["notes-differ"]),
    ("an open run", |d| open(d, |l| l.truncate(9)), &["open"]),
    ("an open run, torn", |d| open_torn(d), &["open"]),
    (
        "an open run, a byte in a line",
        |d| {
            open(d, |l| {
                l.truncate(9);
                flip(&mut l[5], "tool", "tooL");
            });
        },
        &["line-altered 5"],
    ),
];

/// Three remarks after the end of a run, changed.
fn remarks(dir: &Dir, run: &str, change: impl FnOnce(&mut Vec<String>)) {
    let (mut notes, at) = (Notes::default(), "2026-03-09T08:00:00Z".parse().unwrap());
    let head = Digest::of(dir.lines(run).last().unwrap().as_bytes());
    for text in ["first", "second: \u{10c}apek", "third"] {
        notes.add(at, "jdoe", text, &head).unwrap();
    }
    let mut lines: Vec<String> = std::str::from_utf8(notes.bytes()).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(dir.in_run(run, notes::FILE), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

fn remarks_of_another(dir: &Dir) {
    remarks(dir, "harbor-0", |_| {});
    put_from_other(dir, notes::FILE);
}

fn put_from_other(dir: &Dir, name: &str) {
    fs::copy(dir.in_run("harbor-0", name), dir.in_run(RUN, name)).unwrap();
}

fn turn_prev(line: &mut String) {
    let at = line.find("\"prev\":\"").unwrap() + 8;
    let to = if &line[at..=at] == "a" { "b" } else { "a" };
    line.replace_range(at..=at, to);
}

fn add_note(lines: &mut Vec<String>) {
    let mut line = lines[10].clone();
    flip(&mut line, "\"seq\":10", "\"seq\":18");
    lines.push(line);
    rechain(lines);
}

fn splice(dir: &Dir) {
    let mut foreign = dir.lines("harbor-0").remove(1);
    flip(&mut foreign, "\"seq\":1", "\"seq\":6");
    lines(dir, |l| {
        l[6] = foreign;
        rechain(l);
    });
}

fn forge(lines: &mut [String]) {
    flip(&mut lines[14], "15", "10");
    rechain(lines);
}

fn twice_deep(lines: &mut [String]) {
    flip(&mut lines[2], "\"mode\":420", "\"mode\":420,\"mode\":511");
    rechain(lines);
}

fn open(dir: &Dir, change: impl FnOnce(&mut Vec<String>)) {
    fs::remove_file(dir.in_run(RUN, "seal.json")).unwrap();
    lines(dir, change);
}

fn open_torn(dir: &Dir) {
    open(dir, |l| l.truncate(9));
    bytes(dir, "journal.ndjson", |b| b.extend(b"\0\0\n\0"));
}

#[test]
fn each_tampering_has_its_word_and_the_outside_verifier_agrees() {
    let mut wrong = Vec::new();
    for (name, tamper, expected) in TABLE {
        let dir = records();
        tamper(&dir);
        let found = words(&dir, RUN);
        if found.len() != expected.len() || !found.iter().zip(*expected).all(|(found, expected)| found.starts_with(expected)) {
            wrong.push(format!("{name}: expected {expected:?}, found {found:?}"));
        }
        match python(&dir, RUN) {
            Some(outside) if outside == parts(&dir, RUN) => {}
            Some(outside) => wrong.push(format!("{name}: verify.py finds {outside:?}, not {:?}: {found:?}", parts(&dir, RUN))),
            None if cfg!(windows) => {}
            None => panic!("python3 is needed for this test"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_run_that_is_resumed_after_its_seal_is_open_until_it_is_sealed_again() {
    let dir = Dir::new();
    let sealed = |more: &[serde_json::Value]| {
        let mut run = Builder::new(&dir, RUN, None, None);
        run.set("x", "/x", "1", "2").end("stopped", 6);
        for event in more {
            run.event(event.clone());
        }
        run.save();
    };
    let judged = |expected: &[&str]| {
        assert_eq!(words(&dir, RUN), expected);
        if let Some(outside) = python(&dir, RUN) {
            assert_eq!(outside, parts(&dir, RUN));
        }
    };
    let (resumed, ended) = (json!({ "event": "resumed", "by": "jdoe" }), json!({ "event": "run_ended", "outcome": "done", "exit": 0 }));
    sealed(&[]);
    judged(&[]);
    sealed(std::slice::from_ref(&resumed));
    judged(&["open"]);
    bytes(&dir, "journal.ndjson", |bytes| bytes.extend(b"{\"seq\""));
    judged(&["open"]);
    sealed(&[resumed.clone(), ended]);
    judged(&["longer-than-sealed"]);
    sealed(&[resumed]);
    lines(&dir, |l| {
        flip(&mut l[3], "/x", "/y");
        rechain(l);
    });
    judged(&["seal-differs"]);
}

#[test]
fn an_older_copy_put_back_is_seen_by_the_run_after_it() {
    let dir = records();
    let lines = dir.lines("harbor-0");
    dir.set_lines("harbor-0", &lines[..3]);
    fs::remove_file(dir.in_run("harbor-0", "seal.json")).unwrap();
    assert_eq!(words(&dir, "harbor-0"), ["register-behind"]);
    assert_eq!(python(&dir, "harbor-0").unwrap_or_else(|| "next".to_owned()), "next");
}

#[test]
fn a_run_that_another_names_and_that_is_gone_is_missing() {
    let dir = records();
    fs::remove_dir_all(dir.in_run("harbor-0", "")).unwrap();
    assert_eq!(words(&dir, "harbor-0"), ["run-missing harbor-0"]);
    assert!(record::verify::verify(&dir, &RunId::parse("harbor-7").unwrap()).is_err());
}
