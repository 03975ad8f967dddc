//! What a step may say, by what its action may do, and how it is taken back.

use model::diagnostic::Diagnostic;
use model::resource::{Resource, ResourceKind};
use model::step::{Step, UndoWord};
use model::yaml::{At, OneOf, Raw};
use world::action::Class;

use super::expression::Sight;
use super::file::FileCheck;

impl<'a> FileCheck<'a> {
    /// What a step may say depends on what its action may do.
    pub(super) fn class_rules(&mut self, step: &Step, action: &At<Box<str>>, class: Class) {
        let kind = &*action.value;
        let looks = matches!(class, Class::Check | Class::Wait);
        let refuse = |code, message: String, node| self.report(Diagnostic::error(code, message), node);
        if let Some(gate) = step.gate.filter(|gate| gate.value && !looks) {
            refuse("wrong-gate", format!("only a check or a wait can be a gate, `{kind}` is none"), gate.node);
        }
        if let Some(mark) = step.point_of_no_return.filter(|mark| mark.value && looks) {
            refuse("wrong-mark", format!("`{kind}` changes nothing, so it is no point of no return"), mark.node);
        }
        if let (Some(first), true) = (step.settles.as_ref().and_then(|settles| settles.first()), looks || class == Class::Ask) {
            refuse("wrong-settles", format!("`{kind}` changes nothing, so it settles nothing"), first.node);
        }
        if let (Some(first), true) = (step.done_when.first(), class != Class::Opaque) {
            refuse("wrong-done-when", format!("`done_when` is for programs and manual steps, not for `{kind}`"), first.action.node);
        }
        if let (Some(first), true) = (step.evidence.first(), looks || class == Class::Set) {
            refuse("wrong-evidence", format!("evidence is attached by a person, and `{kind}` asks none"), first.name.node);
        }
        let repeatable = match class {
            Class::Check | Class::Wait | Class::Set => true,
            Class::Opaque => step.with.and_then(|with| self.tree.get(with, "repeatable")).is_some_and(|node| self.tree.scalar(node) == Some("true")),
            Class::Ask => false,
        };
        if let (Some(retry), false) = (step.retry.as_deref(), repeatable) {
            let found = Diagnostic::error("not-repeatable", format!("`{kind}` is not known to be repeatable, so it is not tried again"));
            let help = (class == Class::Opaque).then(|| "say `repeatable: true` in `with` if it may be".to_owned());
            self.report(found.help_if(help), retry.node);
        }
        self.way_back(step, action, class);
    }

    /// How it is taken back: at most one way, and a program or manual step must name one.
    fn way_back(&self, step: &Step, action: &At<Box<str>>, class: Class) {
        let kind = &*action.value;
        let undo = step.undo.as_deref();
        let automatic = undo.is_some_and(|undo| undo.value == OneOf::Short(UndoWord::Auto));
        let ways: Vec<(&str, Raw)> = [
            ("undo", undo.filter(|_| !automatic).map(|at| at.node)),
            ("settles", step.settles.as_ref().and_then(|settles| settles.first()).map(|at| at.node)),
            ("irreversible", step.irreversible.as_ref().map(|at| at.node)),
        ]
        .into_iter()
        .filter_map(|(key, node)| Some((key, node?)))
        .collect();
        if let [(first, _), (second, node), ..] = ways.as_slice() {
            let found = Diagnostic::error("two-ways-back", format!("`{first}` and `{second}` exclude each other"));
            self.report(found, *node);
        }
        match class {
            Class::Check | Class::Wait | Class::Ask => {
                for (key, node) in ways.iter().filter(|(key, _)| *key != "settles") {
                    self.report(Diagnostic::error("nothing-to-undo", format!("`{kind}` changes nothing: `{key}` has no meaning")), *node);
                }
            }
            Class::Set => {}
            Class::Opaque => {
                let changes = step.with.and_then(|with| self.tree.get(with, "changes"));
                if let (true, Some(undo)) = (automatic && changes.is_none(), undo) {
                    self.report(Diagnostic::error("undo-undeclared", "`undo: auto` needs `with.changes`"), undo.node);
                } else if changes.is_none() && ways.is_empty() {
                    let found = Diagnostic::error("undo-undeclared", format!("`{kind}` does not say what it changes or how it is taken back"));
                    let help = "say `changes: [resources]` in `with`, `undo: { action, with }`, `undo: keep`, `settles` or `irreversible: reason`";
                    self.report(found.help(help), action.node);
                }
                self.changes(changes, &ways);
            }
        }
    }

    fn changes(&self, changes: Option<Raw>, ways: &[(&str, Raw)]) {
        for entry in changes.into_iter().flat_map(|changes| self.tree.items(changes)) {
            let Some(text) = self.tree.text(entry).filter(|text| !text.contains("{{")) else { continue };
            // What is no resource, or a pattern, is refused by the action's own type.
            if Resource::parse(text).is_some_and(|resource| resource.kind == ResourceKind::Other) && ways.is_empty() {
                let found = Diagnostic::error("undo-undeclared", "what is known by name only cannot be put back by itself");
                self.report(found.help("add `undo`, `settles` or `irreversible`"), entry);
            }
        }
    }

    pub(super) fn undo(&mut self, step: &'a Step) {
        let Some(OneOf::Map(undo)) = step.undo.as_deref().map(|at| &at.value) else { return };
        let foresight = undo.with.map(|with| self.parameters(with, Sight::OWN)).unwrap_or_default();
        if let Some(known) = self.known(&undo.action) {
            (known.kind.check)(self.tree, undo.with, undo.action.node, &foresight, self.sink);
            self.template_file(known.kind.template, undo.with);
        }
    }
}
