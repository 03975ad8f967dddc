//! What the actions on files propose, and that carrying it out gives what they announced.

use crate::stage::{Stage, apply, file_after, mode_after, output, with, words};
use model::digest::Digest;
use model::id::StepId;
use model::state::{Content, State};
use model::value::{May, SecretText, Text, unknown};
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::proposal::{Field, Out};

fn world() -> Memory {
    let world = Memory::new();
    {
        let mut machine = world.machine();
        machine.write("/srv/app/conf", "a\nb\nc\n");
        machine.write("/srv/app/keys/ACTIVATE.PVX", "old");
        machine.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nsage:x:1001:1002::/:/bin/sh\n");
        machine.write("/etc/group", "root:x:0:\nstaff:x:50:sage\n");
        machine.foreign("/srv/app/link", "link to /etc");
    }
    world
}

fn read(world: &Memory, path: &str) -> String {
    String::from_utf8(world.machine().read(path).expect("a file").to_vec()).expect("text")
}

#[test]
fn file_write_replaces_contents_and_keeps_the_mode() {
    let world = world();
    world.machine().change_meta("/srv/app/conf", |meta| meta.mode = Some(0o640));
    let with = "{ path: /srv/app/conf, text: \"a\\nB\\nc\\n\" }";
    let planned = Stage { planning: true, ..Stage::new(&world) }.propose("file.write", with).expect("a proposal");
    assert_eq!(planned.difference, ["  a", "- b", "+ B", "  c"]);
    let proposal = Stage::new(&world).propose("file.write", with).expect("a proposal");
    assert!(proposal.difference.is_empty(), "only a plan shows it");
    assert_eq!(mode_after(&proposal), Some(0o640));
    assert_eq!(output(&proposal, "sha256").as_str(), Some(Digest::of(b"a\nB\nc\n").as_str()));
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(read(&world, "/srv/app/conf"), "a\nB\nc\n");
}

#[test]
fn file_write_that_was_carried_out_proposes_nothing_more() {
    let world = world();
    let stage = Stage::new(&world);
    for with in [
        "{ path: /srv/new/deep/conf, text: hello, create_dirs: true }",
        "{ path: /srv/app/conf, mode: '0600', owner: sage, group: staff }",
        "{ path: /srv/app/wide.ini, text: \"Größe=€\\n\", encoding: utf-16le, newline: crlf, mode: '0640' }",
    ] {
        let first = stage.propose("file.write", with).expect("a proposal");
        assert!(!first.effects.is_empty(), "{with}");
        let sha256 = output(&first, "sha256");
        apply(&world, &MemoryStore::new(), first);
        let second = stage.propose("file.write", with).expect("a proposal");
        assert!(second.effects.is_empty(), "{with}: {:?}", second.effects);
        assert_eq!(output(&second, "sha256"), sha256);
    }
}

#[test]
fn file_write_makes_missing_directories_first_and_only_when_told() {
    let world = world();
    let stage = Stage::new(&world);
    let refused = stage.refusal("file.write", "{ path: /srv/x/y/z, text: hello }");
    assert_eq!(refused, "the directory `/srv/x/y` is not there; `create_dirs: true` makes it");
    let proposal = stage.propose("file.write", "{ path: /srv/x/y/z, text: hello, create_dirs: true }").expect("a proposal");
    let words = words(&proposal);
    assert_eq!(words[0], "file:/srv/x: absent -> directory");
    assert_eq!(words[1], "file:/srv/x/y: absent -> directory");
    assert!(words[2].starts_with("file:/srv/x/y/z: absent -> 5 B"), "{words:?}");
}

#[test]
fn file_write_that_only_says_a_mode_keeps_bytes_and_time() {
    let world = world();
    let stage = Stage::new(&world);
    let proposal = stage.propose("file.write", "{ path: /srv/app/conf, mode: '0600' }").expect("a proposal");
    let after = file_after(&proposal);
    assert!(after.meta.modified.is_some());
    assert_eq!(words(&proposal).len(), 1);
    assert!(words(&proposal)[0].contains("(mode 0644 -> 0600)"), "{:?}", words(&proposal));
    assert_eq!(
        stage.refusal("file.write", "{ path: /srv/app/none, mode: '0600' }"),
        "`/srv/app/none` is not there, and neither `text` nor `template` says what is in it"
    );
}

#[test]
fn a_secret_is_hidden_when_planning_and_written_with_mode_0600_when_run() {
    let world = world();
    let mut stage = Stage::new(&world);
    let with = with("{ path: /srv/app/site.key }", "text", SecretText::named("inputs.key").value());
    let planned = stage.propose_value("file.write", &with).expect("a proposal");
    assert_eq!(file_after(&planned).content, Content::Hidden);
    assert_eq!(mode_after(&planned), Some(0o600));
    assert!(planned.difference.is_empty());
    assert_eq!(output(&planned, "sha256"), unknown(&StepId::new("me")));

    stage.secret = Some("hunter2");
    let run = stage.propose_value("file.write", &with).expect("a proposal");
    assert!(State::File(file_after(&run)).fits(&State::File(file_after(&planned))));
    assert!(output(&run, "sha256").as_str().is_some_and(|digest| digest.starts_with("hmac:")));
    assert!(run.difference.is_empty());
    apply(&world, &MemoryStore::new(), run);
    assert_eq!(read(&world, "/srv/app/site.key"), "hunter2");
    let again = stage.propose_value("file.write", &with).expect("a proposal");
    assert!(again.effects.is_empty());
    assert!(output(&again, "sha256").as_str().is_some_and(|digest| digest.starts_with("hmac:")));
}

#[test]
fn contents_that_are_not_known_yet_are_announced_as_that() {
    let world = world();
    let stage = Stage::new(&world);
    let with = with("{ path: /srv/app/conf }", "text", unknown(&StepId::new("form")));
    let proposal = stage.propose_value("file.write", &with).expect("a proposal");
    assert_eq!(file_after(&proposal).content, Content::Unknown { until: StepId::new("form") });
    assert_eq!(output(&proposal, "sha256"), unknown(&StepId::new("form")));
}

#[test]
fn a_path_that_is_not_known_yet_is_an_error_that_names_the_step() {
    let world = world();
    let with = with("{ text: hello }", "path", unknown(&StepId::new("form")));
    let wrong = Stage::new(&world).propose_value("file.write", &with).expect_err("it is refused");
    assert_eq!(wrong.to_string(), "not known before step `form`");
}

#[test]
fn a_template_says_what_is_in_a_file() {
    let world = world();
    let mut stage = Stage::new(&world);
    stage.template = May::Known(Text::Plain("port=8080\n".to_owned()));
    let proposal = stage.propose("file.write", "{ path: /srv/app/conf, template: conf.j2, vars: { port: 8080 } }").expect("a proposal");
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(read(&world, "/srv/app/conf"), "port=8080\n");
}

#[test]
fn parameters_that_make_no_sense_together_are_refused() {
    let world = world();
    let stage = Stage::new(&world);
    for (kind, with, why) in [
        ("file.write", "{ path: /a, text: x, template: y }", "`text` and `template` exclude each other"),
        ("file.write", "{ path: /a, text: x, vars: {} }", "`vars` are for a `template`"),
        ("file.write", "{ path: /a }", "one of `text`, `template`, `mode`, `owner`, `group` is wanted"),
        ("file.write", "{ path: /srv/app, text: x }", "`/srv/app` is a directory: name the file in it"),
        ("file.write", "{ path: /srv/app/link, text: x }", "`/srv/app/link` is link to /etc, no file"),
        ("file.write", "{ path: /srv/app/conf, owner: nobody2 }", "`nobody2` is not in `/etc/passwd`"),
        ("file.copy", "{ from: /srv/app/conf, to: /srv/app/./conf }", "`from` and `to` are both `/srv/app/conf`"),
        ("file.copy", "{ from: /srv/app/none, to: /srv/app/conf }", "`/srv/app/none` is not there"),
        ("file.move", "{ from: /srv/app/none, to: /srv/app/none2 }", "`/srv/app/none` is not there"),
        ("file.move", "{ from: /srv/app/conf, to: /srv/app/keys/ACTIVATE.PVX }", "`/srv/app/keys/ACTIVATE.PVX` exists already"),
        ("file.remove", "{ path: /srv/app/link }", "`/srv/app/link` is link to /etc, which is never removed"),
        ("dir.create", "{ path: /srv/app/link }", "`/srv/app/link` is link to /etc, no directory"),
        ("dir.backup", "{ sources: [/srv/app], to: /srv/app }", "`/srv/app` lies in `/srv/app`, which it is to keep"),
        ("dir.backup", "{ sources: [/srv/app], to: /etc }", "`/etc` exists already; a backup overwrites nothing"),
        ("dir.backup", "{ sources: [/srv/none], to: /b }", "`/srv/none` is not there"),
        ("dir.backup", "{ sources: [/x/app, /srv/app], to: /b }", "two sources are called `app`; back them up apart"),
        ("dir.backup", "{ sources: [/], to: /b }", "`/` has no name under which it could be kept"),
    ] {
        assert_eq!(stage.refusal(kind, with), why, "{kind} {with}");
    }
    assert!(stage.refusal("file.write", "{ path: relative, text: x }").contains("a path must be absolute"));
    assert!(stage.refusal("file.write", "{ path: /a/../b, text: x }").contains("must not contain `..`"));
    assert!(stage.refusal("file.write", "{ path: /a, text: x, mode: 644 }").contains("as a text of 3 or 4 octal digits"));
    assert!(stage.refusal("file.write", "{ path: /a, text: x, mode: '0888' }").contains("octal"));
}

#[test]
fn file_copy_makes_the_same_bytes_and_inherits_being_secret() {
    let world = world();
    let mut stage = Stage::new(&world);
    let proposal = stage.propose("file.copy", "{ from: /srv/app/keys/ACTIVATE.PVX, to: /srv/app/copy }").expect("a proposal");
    assert_eq!(mode_after(&proposal), Some(0o644));
    assert_eq!(output(&proposal, "sha256").as_str(), Some(Digest::of(b"old").as_str()));
    stage.sensitive.push("/srv/app/keys/ACTIVATE.PVX");
    let secret = stage.propose("file.copy", "{ from: /srv/app/keys/ACTIVATE.PVX, to: /srv/app/copy }").expect("a proposal");
    assert_eq!(mode_after(&secret), Some(0o600));
    assert_eq!(output(&secret, "sha256"), unknown(&StepId::new("me")));
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(read(&world, "/srv/app/copy"), "old");
    assert!(stage.propose("file.copy", "{ from: /srv/app/keys/ACTIVATE.PVX, to: /srv/app/copy }").expect("a proposal").effects.is_empty());
}

#[test]
fn file_copy_refuses_a_source_with_other_bytes() {
    let world = world();
    let stage = Stage::new(&world);
    let copy = |digest: &str| format!("{{ from: /srv/app/conf, to: /srv/app/copy, sha256: '{digest}' }}");
    assert!(stage.propose("file.copy", &copy(Digest::of(b"a\nb\nc\n").as_str())).is_ok());
    assert!(stage.refusal("file.copy", &copy(Digest::of(b"other").as_str())).starts_with("`/srv/app/conf` is not the file that is wanted"));
    assert_eq!(stage.refusal("file.copy", &copy("abc")), "`abc` is no SHA-256: 64 hex digits are wanted");
}

#[test]
fn file_move_keeps_mode_and_time_and_goes_on_where_it_was_cut_off() {
    let world = world();
    world.machine().change_meta("/srv/app/conf", |meta| meta.mode = Some(0o600));
    let before = world.snapshot()["/srv/app/conf"].clone();
    let stage = Stage::new(&world);
    let with = "{ from: /srv/app/conf, to: /srv/app/conf.old }";
    let mut half = stage.propose("file.move", with).expect("a proposal");
    assert_eq!(half.effects.len(), 2);
    half.effects.truncate(1);
    apply(&world, &MemoryStore::new(), half);
    let rest = stage.propose("file.move", with).expect("a proposal");
    assert_eq!(words(&rest).len(), 1);
    apply(&world, &MemoryStore::new(), rest);
    assert_eq!(world.snapshot()["/srv/app/conf.old"], before);
    assert!(!world.snapshot().contains_key("/srv/app/conf"));
    assert!(stage.propose("file.move", with).expect("a proposal").effects.is_empty());
}

#[test]
fn file_remove_takes_a_file_or_a_whole_directory_and_nothing_is_fine() {
    let world = world();
    let stage = Stage::new(&world);
    for path in ["/srv/app/conf", "/srv/app/keys"] {
        let with = format!("{{ path: {path} }}");
        let proposal = stage.propose("file.remove", &with).expect("a proposal");
        apply(&world, &MemoryStore::new(), proposal);
        assert!(!world.snapshot().keys().any(|known| known.starts_with(path)));
        assert!(stage.propose("file.remove", &with).expect("a proposal").effects.is_empty());
    }
}

#[test]
fn dir_create_makes_the_directory_and_those_above() {
    let world = world();
    let stage = Stage::new(&world);
    let with = "{ path: /srv/a/b, mode: '0700' }";
    let proposal = stage.propose("dir.create", with).expect("a proposal");
    assert_eq!(words(&proposal), ["file:/srv/a: absent -> directory", "file:/srv/a/b: absent -> directory"]);
    assert_eq!(mode_after(&proposal), Some(0o700));
    apply(&world, &MemoryStore::new(), proposal);
    assert!(stage.propose("dir.create", with).expect("a proposal").effects.is_empty());
    assert_eq!(mode_after(&stage.propose("dir.create", "{ path: /srv/a, mode: '0750' }").expect("a proposal")), Some(0o750));
}

#[test]
fn dir_backup_copies_every_source_under_its_name_and_counts_it() {
    let world = world();
    world.machine().remove("/srv/app/link");
    world.machine().write("/srv/app/logs/today", "x".repeat(1000));
    let stage = Stage::new(&world);
    let proposal =
        stage.propose("dir.backup", "{ sources: [/srv/app, /etc/group], to: /backup/run-1/server, exclude: ['logs/*'] }").expect("a proposal");
    let size = "a\nb\nc\n".len() + "old".len() + "root:x:0:\nstaff:x:50:sage\n".len();
    assert_eq!(
        words(&proposal),
        [
            "file:/backup: absent -> directory".to_owned(),
            "file:/backup/run-1: absent -> directory".to_owned(),
            format!("file:/backup/run-1/server: absent -> 3 files, {size} B"),
        ]
    );
    assert_eq!(proposal.outputs["manifest"], Out::Observed { effect: 2, field: Field::Manifest });
    apply(&world, &MemoryStore::new(), proposal);
    assert_eq!(read(&world, "/backup/run-1/server/app/keys/ACTIVATE.PVX"), "old");
    assert!(world.machine().read("/backup/run-1/server/group").is_some());
    assert!(world.machine().read("/backup/run-1/server/app/logs/today").is_none());
}

#[test]
fn file_manifest_lists_what_is_in_a_directory_as_sha256sum_does() {
    let world = world();
    world.machine().write("/srv/app/a\\b\nc", "odd");
    let mut stage = Stage::new(&world);
    stage.sensitive.push("/srv/app/keys/ACTIVATE.PVX");
    let with = "{ root: /srv/app, to: /srv/app/list, exclude: ['*.bak'] }";
    world.machine().write("/srv/app/x.bak", "x");
    let proposal = stage.propose("file.manifest", with).expect("a proposal");
    assert_eq!(output(&proposal, "files"), 2);
    assert_eq!(output(&proposal, "bytes"), 9);
    assert_eq!(output(&proposal, "left_out")[0], "/srv/app/keys/ACTIVATE.PVX");
    let sha256 = output(&proposal, "sha256");
    apply(&world, &MemoryStore::new(), proposal);
    let list = read(&world, "/srv/app/list");
    assert_eq!(list, format!("\\{}  a\\\\b\\nc\n{}  conf\n", Digest::of(b"odd"), Digest::of(b"a\nb\nc\n")));
    assert_eq!(sha256, Digest::of(list.as_bytes()).as_str());
    let again = stage.propose("file.manifest", with).expect("a proposal");
    assert!(again.effects.is_empty(), "the list is not listed: {:?}", words(&again));
    world.machine().write("/srv/app/conf", "other");
    assert_eq!(stage.propose("file.manifest", with).expect("a proposal").effects.len(), 1);
}

#[test]
fn file_manifest_reads_no_file_for_a_plan() {
    let world = world();
    let mut stage = Stage::new(&world);
    stage.planning = true;
    let proposal = stage.propose("file.manifest", "{ root: /srv/app, to: /srv/lists/a, create_dirs: true }").expect("a proposal");
    assert_eq!(words(&proposal)[0], "file:/srv/lists: absent -> directory");
    assert_eq!(file_after(&proposal).content, Content::Unknown { until: StepId::new("me") });
    assert_eq!(output(&proposal, "files"), unknown(&StepId::new("me")));
    assert_eq!(stage.refusal("file.manifest", "{ root: /srv/none, to: /srv/a }"), "`/srv/none` is not there");
    assert_eq!(stage.refusal("file.manifest", "{ root: /srv/app/conf, to: /srv/a }"), "`/srv/app/conf` is a file: name its directory");
    assert_eq!(stage.refusal("file.manifest", "{ root: /srv, to: /srv }"), "`root` and `to` are both `/srv`");
    assert_eq!(stage.refusal("file.manifest", "{ root: /srv/app, to: /x/a }"), "the directory `/x` is not there; `create_dirs: true` makes it");
}
