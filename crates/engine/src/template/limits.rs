//! What a template may use. Every figure bounds stack, memory or time for input that nobody vouches for.

/// Bytes of one expression.
pub(super) const EXPRESSION: usize = 1024;
/// Operators, filters, tests, indexes and choices in one expression.
pub(super) const OPERATORS: usize = 64;
/// Brackets within brackets in one expression.
pub(super) const BRACKETS: usize = 16;
/// Calls of the parser within each other: what the two above leave, so that no stack of 512 KiB is used up.
pub(super) const DEPTH: usize = 96;
/// Parts of one name.
pub(super) const SEGMENTS: usize = 16;
/// Bytes of one text or template file that has templates in it.
pub(super) const TEXT: usize = 64 * 1024;
/// Bytes of what one text or template file becomes, and of any text on the way.
pub(super) const RENDERED: usize = 1024 * 1024;
/// Bytes of what all texts of one tree of parameters become.
pub(super) const TREE: usize = 16 * 1024 * 1024;
/// Values that one expression may look at: each item of a list counts.
pub(super) const WORK: usize = 256 * 1024;
/// Instructions of one template file, and values that its expressions may look at.
pub(super) const FUEL: u64 = 2 * 1024 * 1024;
/// Blocks within blocks of a template file.
pub(super) const BLOCKS: usize = 8;
