//! One runbook file.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use model::diagnostic::Diagnostic;
use model::input::InputType;
use model::resource::Resource;
use model::runbook::Runbook;
use model::step::Step;
use model::yaml::{At, Raw, Shape, Sink, Tree};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::Need;
use super::expression::Sight;
use super::frame::Frame;
use super::kinds::Kinds;
use super::name::{wrong_id, wrong_name};
use super::{client, input};
use crate::input::vars_in;
use crate::load::{Document, Loaded, RunbookFile};
use crate::template::Text;

/// A runbook file while it is checked.
pub(super) struct FileCheck<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) file: &'a RunbookFile,
    pub(super) document: &'a Document<Runbook>,
    pub(super) tree: &'a Tree,
    pub(super) kinds: &'a Kinds<'a>,
    pub(super) sink: &'a Sink,
    /// The levels round the step that is checked, outermost first.
    pub(super) frames: Vec<Frame<'a>>,
    /// The names of the loops round it.
    pub(super) loops: Vec<&'a str>,
    /// Inputs and vars that hold secrets, as the first two parts of their names.
    pub(super) secrets: HashSet<(&'a str, &'a str)>,
    /// What is needed of a client file, where there is none.
    pub(super) needs: &'a RefCell<BTreeMap<String, Need>>,
    /// Whether it is in `finally`.
    pub(super) finally: bool,
    /// Steps that are no groups.
    pub(super) steps: usize,
}

/// Checks a runbook file; says how many steps it has.
pub(super) fn check<'a>(
    loaded: &'a Loaded,
    file: &'a RunbookFile,
    main: bool,
    kinds: &'a Kinds<'a>,
    sink: &'a Sink,
    needs: &'a RefCell<BTreeMap<String, Need>>,
) -> usize {
    let document = &file.document;
    let mut check = FileCheck {
        loaded,
        file,
        document,
        tree: &document.tree,
        kinds,
        sink,
        frames: Vec::new(),
        loops: Vec::new(),
        secrets: secrets(document),
        needs,
        finally: false,
        steps: 0,
    };
    check.head(main);
    check.inputs();
    check.vars();
    let form = &document.form;
    if let Some(steps) = document.tree.get(document.tree.root(), "steps").filter(|node| document.tree.shape(*node) == Shape::List)
        && form.steps.is_empty()
    {
        check.report(Diagnostic::error("no-steps", "there are no steps"), steps);
    }
    check.level(&form.steps);
    check.frames.push(Frame::new(&form.steps));
    check.finally = true;
    check.level(&form.finally);
    check.finally = false;
    for (name, node) in &form.outputs {
        check.name_of_value(name);
        check.templates(*node, Sight::STEPS);
    }
    check.frames.pop();
    check.steps
}

impl<'a> FileCheck<'a> {
    pub(super) fn report(&self, found: Diagnostic, node: Raw) {
        if node != Raw::NONE {
            self.sink.report(self.tree.point(found, node));
        }
    }

    pub(super) fn name_of_value(&self, name: &At<Box<str>>) {
        if let Some(wrong) = wrong_name(&name.value) {
            self.report(Diagnostic::error("wrong-name", wrong), name.node);
        }
    }

    fn head(&mut self, main: bool) {
        let form = &self.document.form;
        if let Some(wrong) = wrong_id(&form.runbook) {
            self.report(Diagnostic::error("wrong-name", wrong), form.runbook.node);
        }
        if form.version.is_empty() || form.version.contains(char::is_whitespace) {
            self.report(Diagnostic::error("wrong-value", "a version is written like `1.2.0`"), form.version.node);
        }
        self.no_template(Some(&form.title));
        self.no_template(form.about.as_ref());
        if let Some(on_failure) = form.on_failure.filter(|at| at.value == model::step::OnFailure::UndoGroup) {
            self.report(Diagnostic::error("only-on-group", "`undo_group` is for groups"), on_failure.node);
        }
        match &form.touches {
            None if main => {
                let found = Diagnostic::warning("no-touches", "what this runbook may set is not limited");
                let at = self.document.form.runbook.node;
                self.report(found.help("name it: `touches: ['file:/etc/nginx/**', 'service:nginx']`"), at);
            }
            None => {}
            Some(touches) => touches.iter().for_each(|entry| self.pattern(*entry)),
        }
        for pattern in &form.sensitive {
            self.no_template(Some(pattern));
            self.pattern(pattern.node);
        }
    }

    /// A pattern of resources: `file:/etc/**`, or a template that becomes one or a list of them.
    fn pattern(&mut self, node: Raw) {
        let Some(text) = self.tree.text(node) else {
            if self.tree.shape(node) != Shape::Bad {
                self.report(Diagnostic::error("wrong-type", "expected a resource such as `file:/etc/**`"), node);
            }
            return;
        };
        if !text.starts_with("{{") && Resource::parse(text).is_none() {
            let found = Diagnostic::error("wrong-resource", format!("`{text}` is no resource"));
            self.report(found.help("write `file:PATH`, `service:NAME`, `task:NAME`, `registry:KEY` or `other:NAME`"), node);
        }
        self.templates(node, Sight::FIXED);
    }

    fn inputs(&mut self) {
        let form = &self.document.form;
        for (name, def) in &form.inputs {
            self.name_of_value(name);
            input::check(self.document, def, self.sink);
            if let Some(when) = &def.when {
                self.condition(&when.value, when.node, Sight::default());
            }
        }
        for (name, def) in form.expects.iter().flatten() {
            self.name_of_value(name);
            input::check(self.document, def, self.sink);
            if let InputType::Secret | InputType::File = def.kind.value {
                let found = Diagnostic::error("wrong-input", format!("a client's value is no {}", def.kind.value.word()));
                self.report(found.help("make it an input; the client file binds secrets by the name of the input"), def.kind.node);
            }
            let given = self.loaded.client.as_ref().is_some_and(|client| client.form.values.get(&name.value).is_some());
            if !given && def.default.is_none() {
                let need = Need {
                    name: format!("client.{}", &*name.value),
                    kind: Some(def.kind.value.word()),
                    about: def.about.as_deref().map(str::to_owned),
                };
                self.needs.borrow_mut().insert(name.value.to_string(), need);
            }
        }
        if let Some(client) = &self.loaded.client {
            client::expected(self.loaded, self.document, client, self.sink);
        }
    }

    fn vars(&mut self) {
        for (name, node) in &self.document.form.vars {
            self.name_of_value(name);
            self.templates(*node, Sight::FIXED);
        }
        self.circle_of_vars();
    }

    /// A var that uses itself, through others or at once.
    fn circle_of_vars(&self) {
        let vars = &self.document.form.vars;
        let mut uses = Vec::new();
        for ((_, node), user) in vars.iter().zip(0..) {
            self.vars_within(*node, user, &mut uses);
        }
        // A million vars that use none are not even counted.
        if uses.is_empty() {
            return;
        }
        let index: HashMap<&str, u32> = vars.names().zip(0..).collect();
        let mut graph: DiGraph<(), (), u32> = DiGraph::new();
        for _ in vars {
            graph.add_node(());
        }
        for (user, used) in uses {
            if let Some(used) = index.get(used.as_str()) {
                graph.add_edge(NodeIndex::new(user), NodeIndex::new(*used as usize), ());
            }
        }
        for mut circle in kosaraju_scc(&graph) {
            let Some(first) = circle.iter().min().copied() else { continue };
            if circle.len() > 1 || graph.contains_edge(first, first) {
                circle.sort_unstable();
                let names: Vec<&str> = circle.iter().map(|node| &*vars.0[node.index()].0.value).collect();
                let message = format!("these vars use each other: `{}`", names.join("`, `"));
                self.report(Diagnostic::error("cycle", message), vars.0[first.index()].0.node);
            }
        }
    }

    /// The vars that the texts below a node use. No deeper than the document.
    fn vars_within(&self, node: Raw, user: usize, uses: &mut Vec<(usize, String)>) {
        match self.tree.shape(node) {
            Shape::Text(text) if text.contains("{{") => uses.extend(vars_in(text).into_iter().map(|used| (user, used))),
            Shape::List => self.tree.items(node).for_each(|item| self.vars_within(item, user, uses)),
            Shape::Map => self.tree.entries(node).for_each(|(_, value)| self.vars_within(value, user, uses)),
            Shape::Text(_) | Shape::Plain(_) | Shape::Bad => {}
        }
    }

    /// Checks siblings in their order, then what waits for what.
    pub(super) fn level(&mut self, steps: &'a [Step]) {
        let frame = Frame::new(steps);
        for (index, step) in steps.iter().enumerate() {
            let first = frame.ids.get(&*step.id.value).copied();
            // What is done finally stands beside the steps before it, under the same names.
            let beside = self
                .frames
                .last()
                .filter(|beside| beside.current.is_none())
                .and_then(|beside| Some(&beside.steps[*beside.ids.get(&*step.id.value)? as usize]));
            let twin = first.filter(|first| *first != index as u32).map(|first| &steps[first as usize]).or(beside);
            if let Some(twin) = twin.filter(|_| !step.id.value.is_empty()) {
                let found = Diagnostic::error("duplicate-id", format!("the id `{}` is there twice", &*step.id.value));
                self.report(self.tree.note_at(found, "first here", twin.id.node), step.id.node);
            }
        }
        self.frames.push(frame);
        for (index, step) in steps.iter().enumerate() {
            if let Some(frame) = self.frames.last_mut() {
                frame.current = Some(index as u32);
            }
            self.step(step, index);
        }
        if let Some(frame) = self.frames.pop() {
            frame.report_cycles(self.tree.source(), self.sink);
        }
    }
}

/// Inputs that are secret, and vars that are made of them.
fn secrets(document: &Document<Runbook>) -> HashSet<(&str, &str)> {
    let form = &document.form;
    let inputs = form.inputs.iter().filter(|(_, def)| def.kind.value == InputType::Secret);
    let mut secrets: HashSet<(&str, &str)> = inputs.map(|(name, _)| ("inputs", &*name.value)).collect();
    if secrets.is_empty() {
        return secrets;
    }
    // A var of a var of a secret is found in a later round.
    loop {
        let before = secrets.len();
        for (name, node) in &form.vars {
            let Some(Ok(text)) = document.tree.text(*node).map(Text::parse) else { continue };
            let holds = text.names().any(|used| {
                let [root, field] = [0, 1].map(|at| used.segments.get(at).map_or("", |segment| segment.as_str()));
                secrets.iter().any(|secret| *secret == (root, field))
            });
            if holds {
                secrets.insert(("vars", &name.value));
            }
        }
        if secrets.len() == before {
            return secrets;
        }
    }
}
