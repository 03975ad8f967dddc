//! What was previewed is what runs, and what ran can be taken back: on the world in memory.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod cut_off;
mod groups;
mod journal;
mod planning;
mod taking_back;
mod values;

use tests::lab::Lab;

const HEAD: &str = "format: 1\nrunbook: t\nversion: 1.0.0\ntitle: T\ntouches: ['file:/d/**', 'service:*']\n";

fn lab(steps: &str) -> Lab {
    Lab::new(&format!("{HEAD}steps:\n{steps}"), None)
}

const THREE: &str = "
  - { id: write, action: file.write, with: { path: /d/a, text: new } }
  - { id: copy, action: file.copy, with: { from: /d/a, to: /d/b } }
  - { id: gone, action: file.remove, with: { path: /d/c } }
";

/// Whom sensitive images are sealed for.
const RECIPIENT: &str = "age1dzl2qlq0hktfmzqv0cedq6kkdzps95qp4pszmvlhzjnfxw77yufshua4kt";
