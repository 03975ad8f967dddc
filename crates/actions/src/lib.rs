//! The actions: one file each, and one list.
