//! Which row of the list of bad inputs is covered by what: each number names fixtures below `fixtures/invalid`, or tests by their
//! file and name where no fixture can have the size or stand at the place.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Number, what it is, and what covers it.
const CORPUS: &[(u8, &str, &[&str])] = &[
    (1, "alias bomb", &["alias-bomb"]),
    (2, "large aliased scalar", &["alias-of-a-large-scalar"]),
    (3, "alias to itself", &["alias-to-itself"]),
    (4, "unknown alias", &["alias-unknown"]),
    (5, "anchor on a key", &["anchor-on-a-key"]),
    (6, "`[` very often", &["deep-flow"]),
    (7, "deep block", &["deep-block"]),
    (8, "`? ` very often", &["deep-complex-keys"]),
    (9, "scalar of 200 MiB", &["crates/cli/tests/built/bad.rs a_scalar_of_200_mib_is_refused_unread"]),
    (10, "a million keys", &["crates/cli/tests/built/bad.rs a_million_keys_are_read_and_what_is_wrong_beside_them_is_told"]),
    (11, "duplicate key in a struct", &["duplicate-key-in-a-struct"]),
    (12, "duplicate key in a free map", &["duplicate-key-in-a-free-map"]),
    (13, "keys equal after normalisation", &["duplicate-key-after-normalisation"]),
    (14, "`<<`", &["merge-key", "merge-key-quoted"]),
    (15, "`!!python/object/apply`", &["tag-python"]),
    (16, "own tag on a text", &["tag-own"]),
    (17, "two documents", &["two-documents"]),
    (18, "empty file", &["empty-file"]),
    (19, "only a comment", &["only-a-comment"]),
    (20, "`~`", &["only-nothing"]),
    (21, "byte-order mark, taken", &["crates/model/tests/yaml.rs what_is_not_part_of_the_language_is_refused_with_its_place"]),
    (22, "UTF-16", &["utf-16"]),
    (23, "Latin-1", &["latin-1"]),
    (24, "raw NUL", &["nul"]),
    (25, "escaped NUL", &["escaped-nul"]),
    (26, "escaped ESC", &["escaped-esc"]),
    (27, "right-to-left override in a title", &["right-to-left"]),
    (28, "lone CR", &["lone-carriage-return"]),
    (29, "tab indent", &["tab-indent"]),
    (30, "key that is no text", &["key-not-text"]),
    (31, "scalars that YAML versions read differently", &["ambiguous-scalars", "number-where-text-is-meant"]),
    (32, "`.nan`, `.inf`", &["not-a-number"]),
    (33, "numbers too large", &["number-too-large"]),
    (34, "`format: 2`", &["format-2"]),
    (35, "missing format", &["format-missing"]),
    (36, "confusable letters in an id", &["confusable-letter-in-an-id"]),
    (37, "deep parentheses", &["template-deep-parentheses"]),
    (38, "deep lists", &["template-deep-lists"]),
    (39, "deep mappings", &["template-deep-mappings"]),
    (40, "many `not`", &["template-many-nots"]),
    (41, "many minuses", &["template-many-minuses"]),
    (42, "many powers", &["template-many-powers"]),
    (43, "many conditions", &["template-many-ifs"]),
    (44, "many attributes and indexes", &["template-many-attributes", "template-many-indexes"]),
    (45, "many filters", &["template-many-filters"]),
    (46, "many operators", &["template-many-operators"]),
    (47, "a text times 10^9", &["template-times"]),
    (48, "doubling in a loop", &["template-for"]),
    (49, "filters with huge sizes", &["template-unlisted-filters", "template-unlisted-batch"]),
    (50, "nested loops", &["template-nested-for"]),
    (51, "macro recursion", &["template-macro"]),
    (52, "`include`, `import`, `extends`", &["template-include"]),
    (53, "`debug()`", &["template-debug"]),
    (54, "undefined", &["template-undefined"]),
    (55, "braces in a value, which stay text", &["crates/cli/tests/built/bad.rs what_stands_in_a_value_or_in_the_output_of_a_program_stays_text"]),
    (56, "`{% %}` in an output, which stays text", &["crates/cli/tests/built/bad.rs what_a_program_writes_is_no_template"]),
    (57, "secret in an expression", &["secret-in-expressions", "secret-in-conditions"]),
    (58, "huge powers, division by nothing", &["template-power", "template-floor-division"]),
    (59, "another type by a lone expression", &["templates-of-another-type"]),
    (81, "value for an unknown input", &["client-unknown-input"]),
    (83, "two people with one key", &["client-two-people-one-key"]),
    (84, "weak keys", &["client-weak-keys"]),
    (85, "name of two lines", &["client-name-of-two-lines"]),
    (86, "unknown role", &["client-unknown-role"]),
    (87, "zones and windows", &["client-unknown-zone", "client-window-wrong", "client-window-without-zone"]),
    (88, "secret by `--set`", &["crates/cli/tests/built/bad.rs a_secret_on_the_command_line_is_refused_and_not_repeated"]),
    (89, "answer to a question not asked", &["answer-to-no-question"]),
    (
        90,
        "answer of the wrong type",
        &["crates/cli/tests/built/answers.rs all_wrong_answers_are_refused_at_once_with_their_places_before_anything_is_changed"],
    ),
    (92, "durations", &["durations-wrong"]),
];

#[test]
fn every_row_of_the_list_of_bad_inputs_is_covered_by_a_fixture_or_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (number, what, covered) in CORPUS {
        for by in *covered {
            let is_there = match by.split_once(' ') {
                Some((file, test)) => {
                    let text = fs::read_to_string(root.join("..").join(file)).unwrap_or_default();
                    text.contains(&format!("#[test]\nfn {test}()"))
                }
                None => root.join("fixtures/invalid").join(by).join("expected.txt").exists(),
            };
            if !is_there {
                wrong.push(format!("{number} ({what}): there is no {by}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Not here: 82, patches of a client; 91, answers of another run.
    let rows: BTreeSet<u8> = CORPUS.iter().filter(|(_, _, covered)| !covered.is_empty()).map(|(number, ..)| *number).collect();
    let wanted: BTreeSet<u8> = (1..=59).chain(81..=92).filter(|number| ![82, 91].contains(number)).collect();
    assert_eq!(rows, wanted);
    assert_eq!(rows.len(), CORPUS.len(), "a number stands twice");
}
