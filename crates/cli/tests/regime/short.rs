//! Writes that take only a part of what they are given, as the system may do at any time.

use crate::errors::judge;
use crate::lab::{Ended, Ends, Lab, program};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A `write` that is short on files: the one of the number in `SHORT_AT`, or each if there is none.
const SHORT: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
static int count;
ssize_t write(int fd, const void *bytes, size_t n) {
    struct stat is;
    if (n > 1 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode)) {
        const char *at = getenv("SHORT_AT");
        if (!at || __sync_add_and_fetch(&count, 1) == atoi(at)) n = (n + 1) / 2;
    }
    return syscall(SYS_write, fd, bytes, n);
}
"#;

/// Builds it beside the lab's tree.
fn library(lab: &Lab) -> PathBuf {
    let (source, library) = (lab.root.join("short.c"), lab.root.join("short.so"));
    fs::write(&source, SHORT).unwrap();
    assert!(Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().unwrap().success());
    library
}

/// A run with one short write, or with nothing but short ones; then it is taken back.
fn short(lab: &Lab, ends: &Ends, library: &PathBuf, at: Option<usize>) -> Result<(), String> {
    lab.fill();
    let mut command = lab.command(program());
    command.args(lab.words("run")).env("LD_PRELOAD", library).envs(at.map(|at| ("SHORT_AT", at.to_string())));
    let ended = Ended::from(command.output().unwrap());
    if ended.code != Some(0) {
        return Err(format!("a short write, {at:?}: ended {:?}: {}", ended.code, ended.text));
    }
    judge(lab, "run", &ended, ends).map_err(|text| format!("a short write, {at:?}: {text}"))
}

/// The first short write that does harm.
pub(crate) fn violation(bug: Option<u8>) -> Option<String> {
    let lab = Lab::new(&format!("short-{bug:?}")).with_bug(bug);
    let ends = lab.ends();
    let library = library(&lab);
    // There are fewer writes than that.
    std::iter::once(None).chain((1..100).map(Some)).find_map(|at| short(&lab, &ends, &library, at).err())
}

#[test]
fn a_short_write_is_gone_on_with() {
    assert_eq!(violation(None), None);
}
