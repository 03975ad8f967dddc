//! Template files that steps name.

use std::ops::Range;

use model::diagnostic::Diagnostic;
use model::yaml::{Raw, Shape, Stretch};
use world::action::Templated;

use super::file::FileCheck;
use crate::template::{Segment, TemplateError, TemplateFile};

impl FileCheck<'_> {
    /// Checks the template file of a step, if it was read with the document, against the values that the step gives it.
    pub(super) fn template_file(&self, templated: Option<Templated>, with: Option<Raw>) {
        let (Some(templated), Some(with)) = (templated, with) else { return };
        let Some(node) = self.tree.get(with, templated.file) else { return };
        let Some(template) = self.tree.text(node).and_then(|name| self.file.templates.get(name)) else { return };
        let report = |found: Diagnostic, at: &Range<usize>| {
            let found = found.at(&template.source, Stretch { start: at.start as u32, end: at.end as u32 });
            self.sink.report(self.tree.note_at(found, "it is the template of this step", node));
        };
        let parsed = match TemplateFile::parse(template.source.text()) {
            Ok(parsed) => parsed,
            Err(error) => return report(Diagnostic::error(error.code, error.message).help_if(error.help), &error.at),
        };
        let vars = self.tree.get(with, templated.vars);
        // What a template asks after may be there or not, everywhere in it.
        let asked_after = |root: &Segment| parsed.names().iter().any(|name| name.may_miss && name.segments.first() == Some(root));
        for name in parsed.names().iter().filter(|name| !name.segments.first().is_some_and(asked_after)) {
            if let Some((part, known)) = self.missing(vars, &name.segments) {
                let found = Diagnostic::error(TemplateError::MISSING, format!("`{name}` is not among the `{}` of the step", templated.vars));
                report(found.did_you_mean(part, known), &name.at);
            }
        }
    }

    /// The part of a name that a value does not have, and what it has there. What templates will make of it is not known.
    fn missing<'n>(&self, value: Option<Raw>, name: &'n [Segment]) -> Option<(&'n str, Vec<&str>)> {
        let mut value = value;
        for segment in name {
            let of = value.unwrap_or(Raw::NONE);
            if value.is_some() && (self.tree.shape(of) == Shape::Bad || self.tree.text(of).is_some_and(|text| text.contains("{{"))) {
                return None;
            }
            value = self.tree.get(of, segment.as_str());
            if value.is_none() {
                let known = self.tree.entries(of).filter_map(|(key, _)| self.tree.scalar(key));
                return Some((segment.as_str(), known.collect()));
            }
        }
        None
    }
}
