use super::error::Refusal;
use super::limits;
use super::plain;
use model::id::StepId;
use model::value::{Piece, SecretText, Value, until};

/// A text as it grows from pieces.
#[derive(Default, Debug)]
pub(super) struct Output {
    pieces: Vec<Piece>,
    bytes: usize,
}

impl Output {
    /// Adds text as it stands.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Refusal> {
        self.bytes += text.len();
        if self.bytes > limits::RENDERED {
            return Err(plain::too_long());
        }
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
        Ok(())
    }

    /// Adds a value: a scalar as text, an unknown and a secret as what they are.
    pub(super) fn place(&mut self, value: &Value) -> Result<(), Refusal> {
        if let Some(until) = until(value) {
            self.pieces.push(Piece::Unknown(until));
            return Ok(());
        }
        match SecretText::of(value) {
            // A piece takes a few bytes even if its name is short: so a loop over secrets is bounded too.
            Some(secret) => secret.pieces.into_iter().try_for_each(|piece| match piece {
                Piece::Text(text) => self.text(&text),
                piece => {
                    self.text("")?;
                    self.bytes += 64;
                    self.pieces.push(piece);
                    Ok(())
                }
            }),
            None => self.text(&plain::text(value)?),
        }
    }

    /// What it has become. A secret in it makes the whole secret, even if a part of it is still unknown; without one an
    /// unknown makes the whole unknown.
    pub(super) fn finish(mut self) -> Whole {
        self.pieces.retain(|piece| *piece != Piece::Text(String::new()));
        if self.pieces.iter().any(|piece| matches!(piece, Piece::Secret(_))) {
            return Whole::Secret(SecretText { pieces: self.pieces });
        }
        let mut plain = String::with_capacity(self.bytes);
        for piece in self.pieces {
            match piece {
                Piece::Unknown(until) => return Whole::Unknown(until),
                Piece::Text(text) | Piece::Secret(text) => plain.push_str(&text),
            }
        }
        Whole::Plain(plain)
    }
}

/// What a text has become.
pub(super) enum Whole {
    Plain(String),
    Secret(SecretText),
    Unknown(StepId),
}
