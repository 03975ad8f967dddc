//! Asking a person.

use super::{Ready, Worker};
use crate::plan::Brought;
use crate::run::hands::Trouble;
use model::effect::{Ask, Effect};
use model::event::{Event, Evidence};
use model::value::{SecretText, from_json};
use std::collections::BTreeMap;
use world::error::WorldError;

impl Worker<'_, '_> {
    pub(super) fn ask(&self, ready: &Ready, n: u32, ask: &Ask) -> Result<Brought, Trouble> {
        let session = self.hands.session;
        let step = session.graph.step(ready.node);
        let images = self.hands.images_of(&ask.changes)?;
        let effect = session.sensitive.masked_effect(&Effect::Ask(ask.clone()));
        self.hands.locked()?;
        self.hands.scribe.commit(vec![Event::Asked { step: ready.id.clone(), n, effect, images }])?;
        let reveal = |text: &SecretText| session.secrets.reveal(text);
        let nothing = Vec::new();
        let question = crate::people::Question {
            step: &ready.id,
            title: step.and_then(|s| s.about.title.as_deref()),
            ask,
            evidence: step.map_or(&nothing, |s| &s.about.evidence),
            again: false,
            reveal: &reveal,
        };
        let answer = match session.engine.people.ask(&question) {
            Ok(answer) => answer,
            Err(crate::people::NoAnswer::Missing(what)) => return Err(Trouble::Missing(what)),
            Err(crate::people::NoAnswer::Otherwise(what)) => return Err(Trouble::Failed(format!("not as described: {what}"))),
            Err(crate::people::NoAnswer::Stopped) => return Err(Trouble::Stopped),
        };
        let (mut answers, mut written) = (BTreeMap::new(), BTreeMap::new());
        for (name, given) in answer.given {
            match given {
                crate::people::Given::Plain(json) => {
                    answers.insert(name.clone(), from_json(&json));
                    written.insert(name, json);
                }
                crate::people::Given::Secret(bytes) => {
                    let full = format!("steps.{}.{name}", ready.id);
                    let mark = session.sensitive.fingerprint(&bytes);
                    session.secrets.put(&full, bytes);
                    answers.insert(name.clone(), SecretText::named(&full).value());
                    written.insert(name, serde_json::json!({ "secret": [full], "fingerprint": mark }));
                }
            }
        }
        let mut evidence = BTreeMap::new();
        for (name, (file, bytes)) in answer.evidence {
            if let Some(secret) = session.secrets.found_in(&bytes) {
                return Err(Trouble::Failed(format!("the evidence `{name}` holds the secret {secret}")));
            }
            let failed = |wrong: WorldError| self.hands.trouble(&wrong);
            let blob = session.engine.store.keep(&mut [&mut bytes.as_slice()]).map_err(failed)?.remove(0);
            evidence.insert(name, Evidence { blob, name: file, length: bytes.len() as u64 });
        }
        self.hands.flush(&ask.changes)?;
        let observed = self.hands.observe(&ask.changes)?;
        let event = Event::Answered { step: ready.id.clone(), n, by: answer.by, answers: written, evidence, observed };
        if world::planted::bug(29) {
            self.hands.scribe.say(event)?;
        } else {
            self.hands.scribe.commit(vec![event])?;
        }
        Ok(Brought { answers, ..Brought::default() })
    }
}
