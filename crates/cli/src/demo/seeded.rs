//! Bytes that look like nothing and are the same every time.

/// An endless row of bytes from a seed (splitmix64).
pub(crate) struct Seeded {
    state: u64,
    word: [u8; 8],
    used: usize,
}

impl Seeded {
    /// The row of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, word: [0; 8], used: 8 }
    }
}

impl Iterator for Seeded {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        if self.used == self.word.len() {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.word = (mixed ^ (mixed >> 31)).to_le_bytes();
            self.used = 0;
        }
        self.used += 1;
        Some(self.word[self.used - 1])
    }
}
