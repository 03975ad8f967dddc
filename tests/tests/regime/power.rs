//! The power is cut: the trace of a verb is replayed on a disk that loses what was not flushed.

use crate::disk::{Disk, Image, LONGEST, put};
use crate::lab::Lab;
use crate::manifest::{Manifest, manifest};
use crate::sample::{every, sample};
use std::collections::{HashMap, HashSet};
use std::fs;

/// How many disks are tried for each verb.
const SAMPLE: usize = 150;
/// The calls that are replayed.
const CALLS: &str = "openat,write,fsync,fdatasync,rename,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,fchmod,utimensat,ftruncate,fallocate";

/// Bytes written as `\x..`.
fn bytes(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|hex| u8::from_str_radix(&hex[..2], 16).unwrap()).collect()
}

/// The text between the first of one and the next of the other.
fn between<'t>(text: &'t str, open: char, close: char) -> Option<&'t str> {
    text.split_once(open)?.1.split_once(close).map(|(inner, _)| inner)
}

fn text(hex: &str) -> String {
    String::from_utf8_lossy(&bytes(hex)).into_owned()
}

/// The path of a descriptor, and what a name means beside it.
fn held(word: &str) -> String {
    between(word, '<', '>').map(text).unwrap_or_default()
}

fn beside(dir: &str, name: &str) -> String {
    let name = between(name, '"', '"').map(text).unwrap_or_default();
    if name.starts_with('/') { name } else { format!("{}/{name}", held(dir)) }
}

fn octal(word: &str) -> u32 {
    u32::from_str_radix(word.trim(), 8).unwrap_or(0o600)
}

/// Does one traced call.
fn replay(disk: &mut Disk, call: &str, words: &str, result: &str) {
    if result.starts_with('-') || result.starts_with('?') {
        return;
    }
    let word: Vec<&str> = words.split(", ").collect();
    let number = |word: &str| word.split(['=', '}', ' ', ',']).find_map(|part| part.parse::<u64>().ok()).unwrap_or(0);
    match call {
        "openat" if word[2].contains("O_CREAT") || word[2].contains("O_TRUNC") || word[2].contains("O_APPEND") => {
            let mode = word.get(3).map_or(0, |mode| octal(mode));
            disk.open(&beside(word[0], word[1]), mode, word[2].contains("O_APPEND"), word[2].contains("O_TRUNC"));
        }
        "write" => {
            let mut written = between(word[1], '"', '"').map(bytes).unwrap_or_default();
            // Of the reserve, which is only there to be removed, a part will do.
            written.resize(usize::try_from(number(result)).unwrap().min(LONGEST), 0);
            disk.write(&held(word[0]), written);
        }
        "fsync" | "fdatasync" => disk.flush(&held(word[0])),
        "rename" => disk.rename(&beside("", word[0]), &beside("", word[1]), false),
        "renameat2" => disk.rename(&beside(word[0], word[1]), &beside(word[2], word[3]), word[4].contains("EXCHANGE")),
        "unlink" | "rmdir" => disk.unlink(&beside("", word[0])),
        "unlinkat" => disk.unlink(&beside(word[0], word[1])),
        "mkdir" => disk.make(&beside("", word[0]), true, octal(word[1])),
        "mkdirat" => disk.make(&beside(word[0], word[1]), true, octal(word[2])),
        "fchmod" => disk.mode(&held(word[0]), octal(word[1])),
        "utimensat" => {
            if let Some((_, last)) = words.rsplit_once("tv_sec=") {
                let nanos = last.split_once("tv_nsec=").map_or(0, |(_, nanos)| number(nanos));
                disk.time(&held(word[0]), number(last), u32::try_from(nanos).unwrap());
            }
        }
        "ftruncate" => disk.cut(&held(word[0]), usize::try_from(number(word[1])).unwrap()),
        "fallocate" => disk.grow(&held(word[0]), usize::try_from(number(word[2]) + number(word[3])).unwrap()),
        _ => {}
    }
}

/// The disk after each changing call of a verb; the lab is as the verb leaves it.
fn disks(lab: &Lab, verb: &str) -> Vec<Disk> {
    let mut disk = Disk::of(&lab.root);
    let file = lab.root.join("trace");
    let ended = lab.strace(&["-y", "-xx", "-s", "70000", "-o", file.to_str().unwrap(), "-e", &format!("trace={CALLS}")], verb);
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    let mut open: HashMap<String, String> = HashMap::new();
    let mut found = vec![disk.clone()];
    for line in fs::read_to_string(&file).unwrap().lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let mut whole = rest.trim_start().to_owned();
        if let Some(begun) = whole.strip_suffix(" <unfinished ...>") {
            open.insert(thread.to_owned(), begun.to_owned());
            continue;
        }
        if let Some((_, end)) = whole.split_once("resumed>") {
            whole = format!("{}{end}", open.remove(thread).unwrap_or_default());
        }
        let Some((call, rest)) = whole.split_once('(') else { continue };
        let Some((words, result)) = rest.rsplit_once(" = ") else { continue };
        replay(&mut disk, call, words.trim_end().trim_end_matches(')'), result);
        found.push(disk.clone());
    }
    found
}

/// A choice that is the same for the same seed.
fn dice(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The ways in which the same moment can be cut: nothing, all, names only, data only, and random shares.
fn images(disk: &Disk, seed: u64) -> Vec<Image> {
    let mut images = vec![disk.left(|_| 0.0), disk.left(|_| 1.0), disk.left(f64::from), disk.left(|name| f64::from(!name))];
    for n in 0..8 {
        let mut dice = dice(seed * 8 + n + 1);
        images.push(disk.left(|_| dice()));
    }
    images
}

/// The lab before the verb.
fn ready(lab: &Lab, verb: &str) {
    lab.fill();
    let tree = lab.tree.to_str().unwrap();
    match verb {
        "undo" => assert_eq!(lab.retrace("run").code, Some(0)),
        // Cut off between the exchange of two names and the flush of their directory.
        "resume" => drop(lab.strace(&["-o", "/dev/null", "-P", tree, "-e", "trace=fsync", "-e", "inject=fsync:signal=KILL:when=2"], "run")),
        _ => {}
    }
}

fn cut(lab: &Lab, image: &Image, then: &str, ends: &(Manifest, Manifest)) -> Result<(), String> {
    put(image, [&lab.tree, &lab.state]);
    lab.old_or_new(&ends.0, &ends.1)?;
    let begun = fs::read(lab.state.join("runs/trial/journal.ndjson")).is_ok_and(|journal| journal.contains(&b'\n'));
    if !begun {
        return if manifest(&lab.tree) == ends.0 { Ok(()) } else { Err("changed before the run was on disk".to_owned()) };
    }
    lab.settles(then, &ends.0, &ends.1)
}

fn cuts(verb: &str, thens: [&str; 2]) {
    let labs: Vec<Lab> = (0..2).map(|n| Lab::new_without_program(&format!("power-{verb}-{n}"))).collect();
    let ends: Vec<_> = labs.iter().map(Lab::ends).collect();
    let all: Vec<Vec<Image>> = labs
        .iter()
        .map(|lab| {
            ready(lab, verb);
            let mut seen = HashSet::new();
            let moments = disks(lab, verb);
            moments.iter().enumerate().flat_map(|(n, disk)| images(disk, n as u64)).filter(|image| seen.insert(image.clone())).collect()
        })
        .collect();
    let size = all[0].len().min(all[1].len());
    let numbers: Vec<usize> = (0..size).collect();
    let taken = sample(&numbers, SAMPLE);
    println!("{verb}: {} of {size} distinct disks", taken.len());
    every(&taken, |worker, &n| {
        let then = thens[n % 2];
        let told = |text| format!("{verb} cut off, disk {n} of lab {worker}, then {then}: {text}");
        cut(&labs[worker], &all[worker][n], then, &ends[worker]).map_err(told)
    });
}

#[test]
fn a_run_without_power_can_be_finished_and_taken_back() {
    cuts("run", ["resume", "undo"]);
}

#[test]
fn a_resume_without_power_can_be_finished_and_taken_back() {
    cuts("resume", ["resume", "undo"]);
}

#[test]
fn an_undo_without_power_can_be_begun_again() {
    cuts("undo", ["undo", "undo"]);
}
