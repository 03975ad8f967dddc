//! What can be known to be wrong without looking at the world: all of it in one pass, each with its place.
