//! Runbooks of many thousand steps: no recursion as deep as they are long, and nothing that takes the square of their length.
//! Whoever makes it so waits for hours here, or dies on the small stack.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use engine::check::check;
use engine::input;
use engine::load::{Loaded, load};
use engine::procedure::Procedure;
use model::id::RunId;
use model::plan::Decision;
use std::fmt::Write;
use std::path::Path;
use tests::lab::{Lab, machine};

/// How the steps wait for each other.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// Each for the one before it.
    Chain,
    /// None for another.
    Wide,
    /// A hundred side by side, each for three of the hundred before.
    Layered,
}

fn runbook(form: Form, steps: usize) -> String {
    let mut text = "format: 1\nrunbook: large\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**']\nsteps:\n".to_owned();
    for n in 0..steps {
        let needs = match form {
            Form::Chain => String::new(),
            Form::Layered if n >= 100 => {
                let above = (n / 100 - 1) * 100;
                format!(" needs: [s{}, s{}, s{}],", above + n % 100, above + (n + 7) % 100, above + (n + 31) % 100)
            }
            Form::Wide | Form::Layered => " needs: [],".to_owned(),
        };
        writeln!(text, "  - {{ id: s{n},{needs} action: file.write, with: {{ path: /d/f{n}, text: x }} }}").unwrap();
    }
    text
}

/// On a stack that ends long before the steps do.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

fn loaded(text: &str) -> Loaded {
    let mut read = |_: &Path| Ok(text.as_bytes().to_vec());
    load(Path::new("large.yaml"), None, None, &actions::BUILTIN, &mut read).unwrap()
}

#[test]
fn ten_thousand_steps_are_planned_in_a_chain_side_by_side_and_in_layers() {
    for form in [Form::Chain, Form::Wide, Form::Layered] {
        on_a_small_stack(move || {
            let (world, store) = machine(&[("/d/f9", "old")]);
            let plan = Lab::new(&runbook(form, 10_000), None).plan(&world, &store, "large-1").unwrap();
            assert_eq!(plan.steps.iter().filter(|step| step.decision == Decision::Change).count(), 10_000, "{form:?}");
            assert_eq!((plan.rehearsal.effects, plan.rehearsal.taken_back, plan.refused.len()), (10_000, 10_000, 0), "{form:?}");
        });
    }
}

#[test]
fn a_hundred_thousand_steps_in_layers_are_checked_and_drawn() {
    on_a_small_stack(|| {
        let loaded = loaded(&runbook(Form::Layered, 100_000));
        let report = check(&loaded, &actions::BUILTIN);
        assert_eq!((report.steps, report.diagnostics.errors()), (100_000, 0), "{}", report.diagnostics);
        let values = input::resolve(&loaded, &[]).unwrap();
        let dot = Procedure::new(loaded, &values).dot(&actions::BUILTIN, &RunId::parse("large-1").unwrap()).unwrap();
        assert_eq!(dot.matches(" -> ").count(), 3 * 99_900);
    });
}

#[test]
fn a_circle_of_ten_thousand_steps_is_found_and_told_once() {
    on_a_small_stack(|| {
        let text = runbook(Form::Chain, 10_000).replace("id: s0,", "id: s0, needs: [s9999],");
        let found = check(&loaded(&text), &actions::BUILTIN).diagnostics;
        assert_eq!(found.errors(), 1, "{found}");
        let cycle = found.iter().next().unwrap();
        assert_eq!(cycle.code, "cycle");
        // Who would read more?
        assert_eq!(cycle.notes.len(), 61);
    });
}
